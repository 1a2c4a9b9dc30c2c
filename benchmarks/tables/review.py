"""The table of services that were killed while people reviewed."""

from benchmarks.results import read_runs
from benchmarks.tables.markdown import markdown, source_line, unmeasured


def review_table() -> str:
    """Return what was lost by kills."""
    runs = read_runs("review_kills")
    if not runs:
        return unmeasured("review_kills")
    told = sum(run["told_stored"] for run in runs)
    unheard = sum(run["not_heard"] for run in runs)
    whole = sum(run["integrity"] == "ok" for run in runs)
    rows = [
        ["services killed (SIGKILL) while four clients reviewed", str(len(runs))],
        ["answers told stored", f"{told:,}"],
        ["of these lost", f"{max(run['lost'] for run in runs):,}"],
        ["answers under way at a kill", f"{unheard:,}"],
        ["files whole after a kill (`PRAGMA integrity_check`)", f"{whole} of {len(runs)}"],
    ]
    return markdown(["what", "count"], rows) + source_line("review_kills")
