"""Markdown from results: tables, and the line that says where their figures come from."""

from collections.abc import Iterable
from typing import Any

from benchmarks.results import Summary, read_results, read_runs, summarise


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def source(name: str) -> str:
    """Return the line that says where the figures of `name` come from."""
    results = read_results(name)
    if results is None:
        raise FileNotFoundError(f"benchmarks/results/{name}.json: run scripts/bench first")
    environment: dict[str, Any] = results["environment"]
    found = {run.get("processor", environment["processor"]) for run in results["runs"]}
    return (
        f"`{results['command']}`, {results['date']}, {' and '.join(sorted(found))}, "
        f"{environment['cores']} cores, torch {environment['packages']['torch']}"
    )


def source_line(name: str) -> str:
    """Return `source` as a paragraph."""
    return f"\n{source(name)}\n"


def unmeasured(name: str) -> str:
    """Return what stands in the place of a table before its figures are there."""
    return f"Not measured yet: `scripts/bench {name}`.\n"


def source_list(names: Iterable[str]) -> str:
    """Return `source` of several results, as a list."""
    return "".join(f"\n- {source(name)}" for name in names) + "\n"


def column(name: str, field: str) -> Summary:
    """Return the summary of a field over the runs of `name`."""
    return summarise(run[field] for run in read_runs(name))


def of_name(runs: list[dict[str, Any]], name: str, field: str) -> Summary:
    """Return the summary of a field over those of `runs` that have the `name`."""
    return summarise(run[field] for run in runs if run["name"] == name)


def deviation(accuracy: Summary) -> str:
    """Return the standard deviation of accuracies; one alone has none."""
    return f"{accuracy.deviation:.2%}" if accuracy.count > 1 else "one seed"


def with_spread(seconds: Summary) -> str:
    """Return a mean with its standard deviation, where there is more than one."""
    if seconds.count == 1:
        return round_off(seconds.mean)
    return f"{round_off(seconds.mean)} ± {float(f'{seconds.deviation:.2g}'):,g}"


def round_off(value: float) -> str:
    """Return a number with three figures, or all before its point."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
