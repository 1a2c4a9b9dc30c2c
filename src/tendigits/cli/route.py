"""`tendigits route`: sort mail."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tendigits.sorting.route import Progress
    from tendigits.sorting.summary import Totals

STOPPED = 130  # exit code after Ctrl-C


def route(
    folder: Annotated[
        Path, typer.Argument(help="Folder of pictures, a piece of mail each.", readable=False)
    ],
    plan: Annotated[
        Path,
        typer.Option(help="CSV file: the prefix of a code and its bin a line.", readable=False),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Folder to make the bins, the ledger and the summary in."),
    ],
    format: Annotated[
        str | None,
        typer.Option(help="What a code is: us-zip, de-plz, digits:5, luhn:16, regex:[1-9].., ..."),
    ] = None,
    valid: Annotated[
        Path | None,
        typer.Option(help="File with the codes that exist, one a line.", readable=False),
    ] = None,
    reject_above: Annotated[
        float | None,
        typer.Option(
            help="Chance of being wrong above which a person should look.", show_default="0.05"
        ),
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(
            help="Where doubtful pieces wait for a person: an SQLite file, or "
            "postgresql://user@host/name.",
            show_default="queue.sqlite in --out",
        ),
    ] = None,
    opinions: Annotated[
        int, typer.Option(help="How many people must say the same of a doubtful piece.")
    ] = 1,
    deliver: Annotated[
        str, typer.Option(help="copy, link or move each piece into its bin.")
    ] = "copy",
    model: Annotated[
        str | None, typer.Option(help="A model's name, or an ONNX file.", show_default="small")
    ] = None,
    readers: Annotated[
        int | None, typer.Option(help="Processes that read.", show_default="one a core")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was done as a line of JSON.")
    ] = False,
) -> None:
    """Sort mail: read the code on each piece, and put the piece into the bin of the plan.

    Doubtful pieces go to the review queue. Stopped at any moment and started again, it goes on, and
    each piece is sorted once.
    """
    from typing import cast

    from tendigits.environment import available_cores
    from tendigits.reading.classifier import DEFAULT
    from tendigits.reading.reader import REJECT_ABOVE
    from tendigits.sorting.delivery import How
    from tendigits.sorting.readers import Reading
    from tendigits.sorting.route import Sorting
    from tendigits.sorting.route import route as sort

    sorting = Sorting(
        folder=folder,
        plan=plan,
        out=out,
        reading=Reading(
            model=model or DEFAULT,
            format=format,
            valid=valid,
            reject_above=REJECT_ABOVE if reject_above is None else reject_above,
        ),
        queue=queue,
        opinions=opinions,
        how=cast(How, deliver),
        readers=available_cores() if readers is None else readers,
    )
    try:
        with _bar(folder, out, shown=not quiet and not as_json) as on_progress:
            progress, totals = sort(sorting, on_progress)
    except KeyboardInterrupt:
        print("tendigits: stopped: the same command goes on from here", file=sys.stderr)
        raise typer.Exit(STOPPED) from None
    if as_json:
        print(json.dumps(_as_json(progress, totals)))
    elif not quiet:
        _print(progress, totals, out)


@contextmanager
def _bar(folder: Path, out: Path, *, shown: bool) -> Iterator[Callable[["Progress"], None]]:
    """Show a bar where the terminal is free for one; yields what moves it."""
    if not shown or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from tendigits.sorting.intake import find_pictures

    columns = (TextColumn("Sorting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    total = sum(1 for _ in find_pictures(folder, out)) if folder.is_dir() else None
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda progress: bar.update(task, completed=progress.pieces + progress.known)


def _as_json(progress: "Progress", totals: "Totals") -> dict[str, object]:
    """Return what this run did, and what the ledger says in all."""
    this_run = {"pieces": progress.pieces, "known": progress.known, "gone": progress.gone}
    return {"this_run": this_run, **totals.to_dict()}


def _print(progress: "Progress", totals: "Totals", out: Path) -> None:
    """Print it for people."""
    from tendigits.sorting.summary import NAME, percent

    known = f", {progress.known:,} were sorted before" if progress.known else ""
    print(f"{progress.pieces:,} pieces sorted{known}")
    if progress.gone:
        print(f"{progress.gone:,} pieces had gone before they were delivered")
    in_all = totals.to_dict()
    for name in ("read", "review", "unrouted", "unreadable"):
        pieces = in_all[name]
        assert isinstance(pieces, int)
        print(f"{name:>10}  {pieces:>9,}  {percent(pieces, totals.pieces)}")
    print(f"Summary: {out / NAME}")
