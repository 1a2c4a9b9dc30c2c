"""The table of what is neither an accuracy nor a race: starts, kills, installs, lessons."""

from collections.abc import Callable

from benchmarks.results import read_runs
from benchmarks.tables.markdown import column, markdown, source

Row = list[str]


def costs_table() -> str:
    """Return the figures of all results that are there."""
    rows = [
        [*row, source(name)]
        for name, rows_of in MAKERS.items()
        if read_runs(name)
        for row in rows_of()
    ]
    return markdown(["what", "measured", "how"], rows)


def epoch_rows() -> list[Row]:
    """Return how an epoch compares with the tutorial's loop."""
    ratio = column("epoch", "ratio")
    return [
        [
            "seconds of an `article-cnn` epoch, ÷ those of a plain torch `DataLoader` loop",
            f"{ratio.mean:.2f} (sd {ratio.deviation:.2f}, n = {ratio.count})",
        ]
    ]


def kill_rows() -> list[Row]:
    """Return how many killed trainings came to the same end."""
    kills = read_runs("kills")
    same = sum(run["same_weights"] for run in kills)
    inside = sum(run["inside_a_save"] for run in kills)
    return [
        [
            "trainings that ended with the same weights after a SIGKILL at a random instant, "
            f"{inside} of them inside a save",
            f"{same} of {len(kills)}",
        ]
    ]


def progress_rows() -> list[Row]:
    """Return what the progress bar costs."""
    share = column("progress", "share")
    return [
        [
            "share of `fast`'s training seconds that drawing its bar on a terminal takes",
            f"{share.mean:.2%} (most {share.most:.2%}, n = {share.count})",
        ]
    ]


def startup_rows() -> list[Row]:
    """Return how soon the command answers."""
    return [
        [f"seconds of `tendigits {option}`", spread("startup", option, 2)]
        for option in ("--help", "--version")
    ]


def install_rows() -> list[Row]:
    """Return what the base install weighs, and how soon it reads."""
    size = column("install", "mebibytes")
    return [
        ["MiB that the base install takes in a new environment", f"{size.mean:.0f}"],
        [
            "seconds of `import tendigits; tendigits.read(...)`, a new process each time",
            spread("install", "read_seconds", 2),
        ],
    ]


def teaching_rows() -> list[Row]:
    """Return what a lesson takes, and what it is worth."""
    lessons = read_runs("teaching")
    kept = sum(lesson["kept"] for lesson in lessons)
    before, after = (sum(lesson["kept_errors"][i] for lesson in lessons) for i in (0, 1))
    return [
        [
            "seconds of `tendigits teach` with 50 corrections, a whole process",
            spread("teaching", "seconds", 1),
        ],
        [
            "of corrections that it did not see, wrong before and after",
            f"{before} and {after} of {kept}",
        ],
    ]


def spread(name: str, field: str, places: int) -> str:
    """Return the mean, the most and the count of a field, with some decimal places."""
    seconds = column(name, field)
    return f"{seconds.mean:.{places}f} (most {seconds.most:.{places}f}, n = {seconds.count})"


MAKERS: dict[str, Callable[[], list[Row]]] = {
    "epoch": epoch_rows,
    "kills": kill_rows,
    "progress": progress_rows,
    "startup": startup_rows,
    "install": install_rows,
    "teaching": teaching_rows,
}
