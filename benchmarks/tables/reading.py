"""The table of real pictures, read whole."""

from benchmarks.results import read_runs
from benchmarks.tables.markdown import markdown, source_line, unmeasured


def reading_table() -> str:
    """Return how well real pictures are read, set by set."""
    runs = read_runs("reading")
    if not runs:
        return unmeasured("reading")
    rows = []
    for run in runs:
        sure = run["accepted_right"]
        rows.append(
            [
                f"`{run['set']}`",
                f"{run['count']:,}",
                f"{run['fields_right']:.1%}",
                f"{run['digits_right']:.1%}",
                f"{run['surest_half_right']:.1%}",
                f"{run['accepted']:.1%}",
                "" if sure is None else f"{sure:.1%}",
                f"{run['median_ms']:.1f}",
            ]
        )
    head = ["set", "pictures", "all digits right", "digits right", "right in the surest half"]
    head += ["accepted", "right among them", "milliseconds, median"]
    return markdown(head, rows) + source_line("reading")
