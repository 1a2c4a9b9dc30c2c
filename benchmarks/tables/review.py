"""The table of services that were killed while people reviewed."""

from typing import Any

from benchmarks.results import read_runs
from benchmarks.tables.markdown import markdown, source_line, unmeasured

DATABASES = {"SQLite": "review_kills", "PostgreSQL": "review_kills_postgresql"}
ROWS = (
    "services killed (SIGKILL) while four clients reviewed; PostgreSQL's processes with them",
    "answers told stored",
    "of these lost",
    "answers under way at a kill",
    "databases whole after a kill (`PRAGMA integrity_check`, `pg_amcheck --heapallindexed`)",
)


def review_table() -> str:
    """Return what was lost by kills, in each database that was measured."""
    measured = {database: name for database, name in DATABASES.items() if read_runs(name)}
    if not measured:
        return unmeasured("review_kills")
    columns = [summed(read_runs(name)) for name in measured.values()]
    rows = [list(row) for row in zip(ROWS, *columns, strict=True)]
    sources = "".join(map(source_line, measured.values()))
    return markdown(["what", *measured], rows) + sources


def summed(runs: list[dict[str, Any]]) -> list[str]:
    """Return the figures of a database, one for each row."""
    whole = sum(run["integrity"] == "ok" for run in runs)
    return [
        str(len(runs)),
        f"{sum(run['told_stored'] for run in runs):,}",
        f"{max(run['lost'] for run in runs):,}",
        f"{sum(run['not_heard'] for run in runs):,}",
        f"{whole} of {len(runs)}",
    ]
