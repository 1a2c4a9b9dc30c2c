"""The table of a day of mail, sorted."""

from benchmarks.results import read_runs
from benchmarks.tables.markdown import markdown, source_line, unmeasured


def sorting_table() -> str:
    """Return how fast and how well mail is sorted, and whether kills change anything."""
    runs = read_runs("sorting")
    if not runs:
        return unmeasured("sorting")
    head = ["pieces", "pieces a second", "code right", "for a person", "accepted and wrong"]
    head += ["kills", "each piece once"]
    rows = [
        [
            f"{run['pieces']:,}",
            f"{run['pieces_a_second']:.0f}",
            f"{run['accepted_right']:.1%}",
            f"{run['rejected']:.1%}",
            f"{run['accepted_wrong']:.2%}",
            f"{run['kills']}",
            "yes" if run["each_once"] else "no",
        ]
        for run in runs
    ]
    return markdown(head, rows) + source_line("sorting")
