"""`tendigits read`: the digits on pictures."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tendigits.cli.drawings import Drawings, open_drawings
from tendigits.cli.options import ReaderModel, RejectAbove, ValidCodes
from tendigits.cli.pictures import are_several, find_pictures, with_progress
from tendigits.errors import DataError, SettingError

if TYPE_CHECKING:
    from tendigits.reading import Reader
    from tendigits.results import Page

CSV_HEAD = ("file", "field", "text", "confidence", "accepted", "left", "top", "right", "bottom")

Print = Callable[[Path, "Page"], None]


def read(
    pictures: Annotated[
        list[str],
        typer.Argument(help="Pictures, folders of pictures, or patterns such as '*.png'."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each picture.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print a line of CSV for each field.")
    ] = False,
    draw: Annotated[
        Path | None,
        typer.Option(
            help="Draw what was read: a PNG file for one picture, a folder for several.",
            readable=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="What a field is: us-zip, de-plz, digits:5, luhn:16, regex:[1-9].., ..."),
    ] = None,
    valid: ValidCodes = None,
    fields: Annotated[
        str, typer.Option(help="one: each picture is one field; lines: as many as there are.")
    ] = "lines",
    reject_above: RejectAbove = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show in the drawing where the ink mattered.")
    ] = False,
    model: ReaderModel = None,
) -> None:
    """Read the digits on pictures.

    Prints each field with the chance that it is right, and ? for a digit that a person should look
    at, with its two best guesses. A picture that cannot be read is reported; the rest goes on.
    """
    if as_json and as_csv:
        raise SettingError("--json and --csv cannot both be printed: expected one of them")
    if explain and draw is None:
        raise SettingError("--explain shows something in the drawing: expected --draw too")
    paths = find_pictures(pictures)
    reader = _make_reader(model, fields, format, valid, reject_above)
    drawings = open_drawings(draw, pictures, paths, explain=explain) if draw else None
    show: Print
    if as_json:
        show = _print_json
    elif as_csv:
        csv.writer(sys.stdout).writerow(CSV_HEAD)
        show = _print_csv
    else:
        show = _print_text(are_several(pictures, paths))
    if _read_all(reader, paths, show, drawings):
        raise typer.Exit(1)


def _make_reader(
    model: str | None,
    fields: str,
    format: str | None,
    valid: Path | None,
    reject_above: float | None,
) -> "Reader":
    """Make the reader that the options ask for."""
    from typing import cast

    from tendigits.reading import Reader
    from tendigits.reading.classifier import DEFAULT
    from tendigits.reading.reader import REJECT_ABOVE, Fields

    return Reader(
        model or DEFAULT,
        fields=cast(Fields, fields),
        reject_above=REJECT_ABOVE if reject_above is None else reject_above,
        format=format,
        valid=valid,
    )


def _read_all(reader: "Reader", paths: list[Path], show: Print, drawings: Drawings | None) -> int:
    """Read one picture after the other and print what it says; returns how many failed."""
    from tendigits.cli import one_line
    from tendigits.imaging import decode

    failed = 0
    for number, path in enumerate(with_progress(paths)):
        try:
            pixels = decode(path)
            page = reader.read_pixels(pixels)
        except DataError as error:
            failed += 1
            print(f"tendigits: {one_line(error)}", file=sys.stderr)
            continue
        show(path, page)
        if drawings:
            drawings.draw(number, pixels, page, reader)
    return failed


def _print_text(several: bool) -> Print:
    """Return a function that prints a page for people, with the file's name if need be."""

    def show(path: Path, page: "Page") -> None:
        for line in str(page).splitlines() or ["no digits"]:
            typer.echo(f"{path}: {line}" if several else line)

    return show


def _print_json(path: Path, page: "Page") -> None:
    """Print a page as a line of JSON."""
    typer.echo(json.dumps({"file": str(path), **page.to_dict()}, allow_nan=False))


def _print_csv(path: Path, page: "Page") -> None:
    """Print the fields of a page as lines of CSV; a page without digits as one without text."""
    writer = csv.writer(sys.stdout)
    for number, field in enumerate(page.fields, 1):
        writer.writerow(
            (path, number, field.text, f"{field.confidence:.6f}", int(field.accepted), *field.box)
        )
    if not page.fields:
        writer.writerow((path, 0, "", "", 0, "", "", "", ""))
