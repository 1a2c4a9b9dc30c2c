"""Tables with a row for each set or corruption and a column for each model."""

from typing import Any

from benchmarks.results import read_runs, results_path, summarise
from benchmarks.tables.markdown import markdown, source, unmeasured


def models_table(kind: str, heading: str) -> str:
    """Return a row for each set and a column for each model: accuracy, 95 % interval of it."""
    names = sorted(path.stem for path in results_path(kind).parent.glob(f"{kind}-*.json"))
    runs = {name: {run["name"]: run for run in read_runs(name)} for name in names}
    if not runs:
        return unmeasured("across")
    first = runs[names[0]]
    rows = []
    for measured in first:
        cells = []
        for name in names:
            run = runs[name].get(measured)
            cells.append(accuracy_cell(run) if run else "")
        rows.append([measured, f"{first[measured]['count']:,}", *cells])
    means = [summarise(run["accuracy"] for run in list(runs[name].values())[1:]) for name in names]
    rows.append([f"mean without {next(iter(first))}", "", *(f"{mean.mean:.2%}" for mean in means)])
    head = [heading, "n", *(name.removeprefix(f"{kind}-") for name in names)]
    return markdown(head, rows) + "".join(f"\n- {source(name)}" for name in names) + "\n"


def accuracy_cell(run: dict[str, Any]) -> str:
    """Return the accuracy of a run with the exact 95 % interval of its error rate."""
    low, high = run["error_interval"]
    return f"{run['accuracy']:.2%} ({1 - high:.1%} to {1 - low:.1%})"
