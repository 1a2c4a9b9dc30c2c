"""The table of sorted mail."""

from benchmarks.results import read_runs
from benchmarks.tables.markdown import markdown, source_line, unmeasured


def sorting_table() -> str:
    """Return how mail was sorted, all of it and kind by kind."""
    runs = read_runs("sorting")
    if not runs:
        return unmeasured("sorting")
    (run,) = runs
    rows = [
        [
            name,
            f"{shares['read_right']:.1%}",
            f"{shares['accepted_right']:.1%}",
            f"{shares['rejected']:.1%}",
            f"{shares['accepted_wrong']:.2%}",
        ]
        for name, shares in (("all", run), *run["kinds"].items())
    ]
    head = ["pieces", "code read right", "sorted right", "rejected, for a person", "sorted wrong"]
    killed = run["killed"]
    return (
        markdown(head, rows)
        + f"\n{run['pieces_a_second']:.1f} pieces a second, the command's start included; at most "
        f"{run['peak_memory_mb']:.0f} MB in a process. After {killed['kills']} SIGKILLs at random "
        f"instants and a last run, {killed['once']:,} of {killed['pieces']:,} pieces were in the "
        "ledger and in a bin exactly once.\n" + source_line("sorting")
    )
