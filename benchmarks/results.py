"""Results files: every run's figures, the machine and the command; summaries come from them."""

import datetime
import json
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tendigits.atomic import write_json
from tendigits.environment import describe_environment

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Several measurements of one thing.

    Attributes:
        count: How many.
        mean: Their mean.
        deviation: Their standard deviation (n - 1), 0 for a single one.
        least: The smallest.
        most: The largest.
    """

    count: int
    mean: float
    deviation: float
    least: float
    most: float


def summarise(values: Iterable[float]) -> Summary:
    """Return count, mean, standard deviation and extremes of one value or more."""
    values = list(values)
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Summary(
        count=len(values),
        mean=math.fsum(values) / len(values),
        deviation=deviation,
        least=min(values),
        most=max(values),
    )


def results_path(name: str, folder: Path | None = None) -> Path:
    """Return the file that holds the results `name`, in `folder` or where all results are."""
    return (folder or RESULTS) / f"{name}.json"


def read_results(name: str, folder: Path | None = None) -> dict[str, Any] | None:
    """Return the results `name`, or None where nothing was measured yet."""
    path = results_path(name, folder)
    if not path.exists():
        return None
    results: dict[str, Any] = json.loads(path.read_bytes())
    return results


def read_runs(name: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """Return the runs in the results `name`, none where nothing was measured yet."""
    runs: list[dict[str, Any]] = (read_results(name, folder) or {"runs": []})["runs"]
    return runs


def write_results(
    name: str, command: str, runs: list[dict[str, Any]], folder: Path | None = None
) -> None:
    """Write the results `name`: the command that makes them, this machine, every run.

    Args:
        name: Of the file, without its ending.
        command: What anyone can type to measure the same.
        runs: A JSON object for each measurement.
        folder: Where the file goes, made where there is none; None for where all results are.
    """
    path = results_path(name, folder)
    path.parent.mkdir(exist_ok=True)
    content = {
        "command": command,
        "date": datetime.date.today().isoformat(),
        "environment": describe_environment(),
        "runs": runs,
    }
    write_json(path, content)
