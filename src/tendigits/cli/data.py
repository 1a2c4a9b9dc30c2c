"""`tendigits data`: the sets that there are, and what is in them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tendigits.errors import DataNotFoundError, SettingError

if TYPE_CHECKING:
    from tendigits.data import DigitSet, KnownSet


def data(
    name: Annotated[
        str | None, typer.Argument(help="A set's name, or a folder of your own data.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Draw a contact sheet of the set into this PNG file.", readable=False),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the set and print its folder, for --data.")
    ] = False,
    card: Annotated[
        bool, typer.Option("--card", help="Print who made the set, how, and its terms.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder of all downloaded sets.",
            show_default="TENDIGITS_CACHE or ~/.cache/tendigits",
            readable=False,
        ),
    ] = None,
) -> None:
    """List the sets; or describe, download, count or draw one of them, or a folder of your own."""
    if name is None:
        if sheet or fetch or card:
            raise SettingError("--sheet, --fetch and --card need a name: tendigits data NAME ...")
        _print_list(cache)
        return
    if sheet:
        from tendigits.imaging.png import require_png

        require_png(sheet)
    known = _find(name)
    if known is None and (fetch or card):
        raise SettingError(f"{name} is a path: --fetch and --card need the name of a set")
    if known and card:
        typer.echo(known.card().rstrip())
    if known and fetch:
        _fetch(known, cache)
    if sheet or not (card or fetch):
        digit_set = _load(known, cache) if known else _load_folder(name)
        if sheet:
            _save_sheet(digit_set, sheet)
        else:
            _print_counts(digit_set)


def _find(name: str) -> "KnownSet | None":
    """Return the set with this name; None for a path, which a set's name comes before."""
    from tendigits.data.catalogue import KNOWN_SETS, find_known_set

    path = Path(name)
    is_path = len(path.parts) > 1 or path.exists()
    if is_path and name not in [known.name for known in KNOWN_SETS]:
        return None
    return find_known_set(name)


def _load(known: "KnownSet", cache: Path | None) -> "DigitSet":
    """Load a known set, but never begin a long download that was not asked for."""
    if not known.is_here(cache):
        raise DataNotFoundError(
            f"{known.name} is not on this machine: `tendigits data {known.name} --fetch` brings it"
        )
    return known.load(cache)


def _load_folder(name: str) -> "DigitSet":
    """Load a folder of the user's own."""
    from tendigits.data import load_folder

    return load_folder(Path(name))


def _fetch(known: "KnownSet", cache: Path | None) -> None:
    """Download a set under a progress bar and print its folder, and only that, for a script."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    if known.source is None:
        raise SettingError(
            f"{known.name} is inside the package: it needs neither --fetch nor --data"
        )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(file_name: str, received: int, total: int | None) -> None:
            if file_name not in tasks:
                tasks[file_name] = bars.add_task(file_name)
            bars.update(tasks[file_name], completed=received, total=total)

        known.load(cache, progress=show)
    typer.echo(known.source.folder(cache))


def _save_sheet(digit_set: "DigitSet", path: Path) -> None:
    """Write a contact sheet as a PNG file."""
    from tendigits.data import draw_contact_sheet
    from tendigits.imaging.png import save_png

    save_png(draw_contact_sheet(digit_set), path)
    typer.echo(path)


def _print_list(cache: Path | None) -> None:
    """Print a table of the sets that have a name."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tendigits.data.catalogue import KNOWN_SETS

    table = Table("set", box=None, header_style="bold", pad_edge=False)
    for heading in ("train", "test"):
        table.add_column(heading, justify="right")
    table.add_column("licence")
    table.add_column("where", overflow="fold")
    for known in KNOWN_SETS:
        counts = (f"{known.train_count:,}", f"{known.test_count:,}")
        table.add_row(known.name, *counts, known.licence, Text(_where(known, cache)))
    Console().print(table)
    typer.echo(
        "\n`tendigits data NAME --fetch` downloads a set; --card prints its story and terms."
    )


def _where(known: "KnownSet", cache: Path | None) -> str:
    """Say where a set is."""
    if known.source is None:
        return "inside the package"
    if known.is_here(cache):
        return str(known.source.folder(cache))
    return "not on this machine"


def _print_counts(digit_set: "DigitSet") -> None:
    """Print a table of how many pictures each class has."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    title = Text(digit_set.name)
    table = Table("class", box=None, header_style="bold", pad_edge=False, title=title)
    for heading in ("train", "test"):
        table.add_column(heading, justify="right")
    parts = (digit_set.train, digit_set.test)
    for name, *counts in zip(
        digit_set.classes, *(part.class_counts() for part in parts), strict=True
    ):
        table.add_row(name, *(f"{count:,}" for count in counts))
    table.add_row("all", *(f"{len(part):,}" for part in parts), style="bold")
    Console().print(table)
    if digit_set.divided_here:
        typer.echo("The folder has no test part: about a sixth of each class was set aside as one.")
