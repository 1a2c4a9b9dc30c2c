"""The table of what each model's confidence is worth."""

from typing import Any

from benchmarks.results import RESULTS, read_runs, summarise
from benchmarks.tables.markdown import markdown, source_list, unmeasured
from tendigits.data.not_digits import TESTING_KINDS, TRAINING_KINDS


def confidence_table() -> str:
    """Return what each model's confidence is worth."""
    names = sorted(path.stem for path in RESULTS.glob("confidence-*.json"))
    if not names:
        return unmeasured("confidence")
    rows = []
    for name in names:
        runs = read_runs(name)
        calibration = next(run for run in runs if run["what"] == "calibration")
        risks = {run["part"]: run for run in runs if run["what"] == "rejecting"}
        promises = [run for run in runs if run["what"] == "promise" and "threshold" in run]
        row = [f"`{name.removeprefix('confidence-')}`", f"{calibration['temperature']:.2f}"]
        row.append(f"{calibration['ece_before']:.2%} → {calibration['ece']:.2%}")
        row += [accepted_error(risks.get(part)) for part in ("mnist test", "usps test")]
        kept = [f"{run['error']:.1%}: {run['accepted'] / run['count']:.1%}" for run in promises]
        row.append(" · ".join(kept) or "none")
        for kinds in (TRAINING_KINDS, TESTING_KINDS, ("fashion-mnist",)):
            here = [run for run in runs if run.get("kind") in kinds and run["part"] == "mnist test"]
            shares = [run["rejected_share"] for run in here if run["score"] == "probability"]
            row.append(f"{summarise(shares).mean:.1%}" if shares else "")
        rows.append(row)
    head = ["model", "temperature", "calibration error", "error at 1 % rejected, MNIST"]
    head += ["the same, USPS", "accepted of held-out digits at a promised error"]
    head += ["not-digits rejected, mean of kinds", "other kinds", "Fashion-MNIST"]
    return markdown(head, rows) + source_list(names)


def accepted_error(risk: dict[str, Any] | None) -> str:
    """Return a rate of error with its interval, nothing where it was not measured."""
    if risk is None:
        return ""
    low, high = risk["interval"]
    return f"{risk['error_rate']:.2%} ({low:.2%} to {high:.2%})"
