"""`tendigits route`: a folder of mail, sorted into bins."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tendigits.cli.options import ReaderModel, RejectAbove, ValidCodes, require_queue

if TYPE_CHECKING:
    from tendigits.sorting.queue import ReviewQueue
    from tendigits.sorting.route import Outcome, Report

STOPPED = 130  # exit code after Ctrl-C


def route(
    folder: Annotated[
        Path, typer.Argument(help="Folder of pictures, one a piece of mail.", readable=False)
    ],
    plan: Annotated[
        Path, typer.Option(help="CSV file: the prefixes of codes, and their bins.", readable=False)
    ],
    out: Annotated[
        Path, typer.Option(help="Folder that gets the bins and the ledger.", readable=False)
    ],
    format: Annotated[
        str | None, typer.Option(help="What a code is: us-zip, de-plz, digits:5, ...")
    ] = None,
    valid: ValidCodes = None,
    reject_above: RejectAbove = None,
    model: ReaderModel = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that read.", min=1, show_default="one a core"),
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(
            help="Where people review: doubtful pieces go there too; an SQLite file or "
            "postgresql://...",
            show_default=False,
        ),
    ] = None,
    opinions: Annotated[
        int,
        typer.Option(help="How many people must say the same of a piece in --queue.", min=1),
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing unless something is wrong.")
    ] = False,
) -> None:
    """Sort a folder of mail into bins, by the codes that are read off its pictures.

    Doubtful pieces go to the bin "review", what is no picture to "unreadable", a code that the
    plan does not have to "unrouted". The folder itself is left as it is. Stopped or killed, the
    same command goes on: each piece goes to one bin, once.
    """
    from tendigits.environment import available_cores
    from tendigits.reading.classifier import DEFAULT
    from tendigits.reading.reader import REJECT_ABOVE
    from tendigits.sorting.plan import load_plan
    from tendigits.sorting.readings import ReaderSettings
    from tendigits.sorting.route import route as sort

    require_queue(opinions, queue)
    settings = ReaderSettings(
        model=model or DEFAULT,
        format=format,
        valid=valid,
        reject_above=REJECT_ABOVE if reject_above is None else reject_above,
    )
    bins = load_plan(plan)
    cores = workers or available_cores()
    with _stopping(), _bar(folder, quiet=quiet) as report, _open(queue, opinions) as review:
        outcome = sort(folder, out, bins, settings, workers=cores, queue=review, report=report)
    if as_json:
        print(json.dumps(_as_dict(outcome)))
    elif not quiet:
        _print(outcome, out)
    _complain(outcome)
    if outcome.lost or outcome.shut:
        raise typer.Exit(1)


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """Let Ctrl-C end the block with a line that says how to go on, and with exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        print("tendigits: stopped; the same command goes on", file=sys.stderr)
        raise typer.Exit(STOPPED) from None


@contextlib.contextmanager
def _open(url: str | None, opinions: int) -> Iterator["ReviewQueue | None"]:
    """Open the review queue for the block; None where there is none."""
    if url is None:
        yield None
        return
    from tendigits.sorting.queue import ReviewQueue

    with contextlib.closing(ReviewQueue(url, opinions=opinions)) as queue:
        yield queue


@contextlib.contextmanager
def _bar(folder: Path, *, quiet: bool) -> Iterator["Report"]:
    """Show a bar where there is a terminal for one; gives what moves it."""
    if quiet or not sys.stderr.isatty():
        yield lambda outcome: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from tendigits.sorting.mail import find_pictures

    total = sum(1 for _ in find_pictures(folder))
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Sorting", total=total)
        yield lambda outcome: progress.update(task, completed=outcome.routed + outcome.known)


def _as_dict(outcome: "Outcome") -> dict[str, object]:
    """Return what a run did, and what the ledger says of all, as JSON knows it."""
    return {
        "routed": outcome.routed,
        "known": outcome.known,
        "lost": list(outcome.lost),
        "shut": list(outcome.shut),
        "seconds": round(outcome.seconds, 3),
        **outcome.summary.to_dict(),
    }


def _print(outcome: "Outcome", out: Path) -> None:
    """Print it for people."""
    from tendigits.sorting.summary import SUMMARY, percent

    summary = outcome.summary
    typer.echo(f"{outcome.routed:,} pieces sorted, {outcome.known:,} were sorted before")
    typer.echo(
        f"of {summary.pieces:,} in all, {percent(summary.read, summary.pieces)} read, "
        f"{percent(summary.rejected, summary.pieces)} for a person"
    )
    typer.echo(f"{out / SUMMARY}")


def _complain(outcome: "Outcome") -> None:
    """Print what is wrong."""
    for picture in outcome.lost:
        print(f"tendigits: {picture}: is gone or was changed while it was sorted", file=sys.stderr)
    for picture in outcome.shut:
        print(f"tendigits: {picture}: may not be read, and was not sorted", file=sys.stderr)
