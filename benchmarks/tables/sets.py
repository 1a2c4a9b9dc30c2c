"""Tables with a row for each set or corruption and a column for each model."""

from typing import Any

from benchmarks.results import read_runs, results_path, summarise
from benchmarks.tables.markdown import markdown, source_list, unmeasured


def models_table(kind: str, heading: str) -> str:
    """Return a row for each set and a column for each model: accuracy, 95 % interval of it."""
    names = sorted(path.stem for path in results_path(kind).parent.glob(f"{kind}-*.json"))
    runs = {name: {run["name"]: run for run in read_runs(name)} for name in names}
    if not runs:
        return unmeasured("across")
    counts = {run["name"]: run["count"] for name in names for run in runs[name].values()}
    rows = [
        [measured, f"{count:,}", *(accuracy_cell(runs[name].get(measured)) for name in names)]
        for measured, count in counts.items()
    ]
    plain = next(iter(counts))  # what models are trained for comes first, and is not in the mean
    means = (summarise(run["accuracy"] for run in list(runs[name].values())[1:]) for name in names)
    rows.append([f"mean without {plain}", "", *(f"{mean.mean:.2%}" for mean in means)])
    head = [heading, "n", *(name.removeprefix(f"{kind}-") for name in names)]
    return markdown(head, rows) + source_list(names)


def accuracy_cell(run: dict[str, Any] | None) -> str:
    """Return the accuracy of a run with its exact 95 % interval, nothing if there is no run."""
    if run is None:
        return ""
    low, high = run["error_interval"]
    return f"{run['accuracy']:.2%} ({1 - high:.1%} to {1 - low:.1%})"
