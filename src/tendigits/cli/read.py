"""`tendigits read`: the digits on pictures."""

import csv
import glob
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tendigits.errors import DataError, DataNotFoundError, SettingError

if TYPE_CHECKING:
    from tendigits.reading import Reader
    from tendigits.results import Page

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
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
    valid: Annotated[
        Path | None,
        typer.Option(help="File with the codes that exist, one a line.", readable=False),
    ] = None,
    fields: Annotated[
        str, typer.Option(help="one: each picture is one field; lines: as many as there are.")
    ] = "lines",
    reject_above: Annotated[
        float | None,
        typer.Option(
            help="Chance of being wrong above which a person should look.", show_default="0.05"
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show in the drawing where the ink mattered.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="A model's name, or an ONNX file.", show_default="small")
    ] = None,
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
    several = len(paths) > 1 or any(Path(name).is_dir() for name in pictures)
    if draw:
        refuse_to_overwrite(draw, pictures, paths)
    drawing = Drawing(draw, several=several, explain=explain) if draw else None
    reader = _make_reader(model, fields, format, valid, reject_above)
    if as_csv:
        csv.writer(sys.stdout).writerow(CSV_HEAD)
    show = _print_json if as_json else _print_csv if as_csv else _print_text(several)
    failed = _read_all(reader, paths, show, drawing)
    if failed:
        raise typer.Exit(1)


def find_pictures(names: Iterable[str]) -> list[Path]:
    """Return the pictures that names, folders and patterns stand for, each folder by name.

    Raises:
        DataNotFoundError: A folder or a pattern stands for none.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(
                each
                for each in path.rglob("*")
                if each.suffix.lower() in ENDINGS and each.is_file()
            )
            if not inside:
                raise DataNotFoundError(
                    f"{path}: there is no picture in this folder: expected names that end in "
                    f"{', '.join(sorted(ENDINGS))}"
                )
            found += inside
        elif not path.exists() and glob.has_magic(name):
            matching = sorted(
                each for each in map(Path, glob.glob(name, recursive=True)) if not each.is_dir()
            )
            if not matching:
                raise DataNotFoundError(f"{name}: no file has such a name")
            found += matching
        else:
            found.append(path)  # if it is not there, reading it says so and goes on
    return found


def refuse_to_overwrite(out: Path, names: Iterable[str], paths: Iterable[Path]) -> None:
    """Refuse to draw over a picture that is read, or into a folder that is read.

    Args:
        out: Where drawings go.
        names: What was asked to be read.
        paths: The pictures among them.

    Raises:
        SettingError: It would.
    """
    place = out.resolve()
    folders = [Path(name).resolve() for name in names if Path(name).is_dir()]
    taken = {path.resolve() for path in paths}
    drawn = {place, *(place / f"{path.stem}.png" for path in taken)}
    if drawn & taken or any(place.is_relative_to(folder) for folder in folders):
        raise SettingError(
            f"{out} cannot be drawn into: its pictures are read; name another file or folder"
        )


class Drawing:
    """Where drawings go: one file, or a folder with a file for each picture.

    Args:
        out: The file, or the folder, which is made.
        several: There is more than one picture.
        explain: Draw where the ink mattered.

    Raises:
        SettingError: One picture is to be drawn into something else than a PNG file.
    """

    def __init__(self, out: Path, *, several: bool, explain: bool) -> None:
        if not several and out.suffix.lower() != ".png":
            raise SettingError(f"{out} cannot be drawn: expected a name that ends in .png")
        self.out, self.several, self.explain = out, several, explain
        self.names: set[str] = set()
        if several:
            out.mkdir(parents=True, exist_ok=True)

    def draw(self, path: Path, pixels: Any, page: "Page", reader: "Reader") -> None:
        """Draw the page that was read off a picture."""
        from tendigits import atomic
        from tendigits.reading.drawing import draw_page, encode_png

        drawn = draw_page(pixels, page, reader.classify if self.explain else None)
        atomic.write_bytes(self._place(path), encode_png(drawn))

    def _place(self, path: Path) -> Path:
        """Return the file to draw into; two pictures of one name get two."""
        if not self.several:
            return self.out
        name, number = path.stem, 2
        while name in self.names:
            name, number = f"{path.stem}-{number}", number + 1
        self.names.add(name)
        return self.out / f"{name}.png"


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


def _read_all(reader: "Reader", paths: list[Path], show: Print, drawing: Drawing | None) -> int:
    """Read one picture after the other and print what it says; returns how many failed."""
    from tendigits.imaging import decode

    failed = 0
    for path in _with_progress(paths):
        try:
            pixels = decode(path)
            page = reader.read_pixels(pixels)
        except DataError as error:
            failed += 1
            print(f"tendigits: {error}", file=sys.stderr)
            continue
        show(path, page)
        if drawing:
            drawing.draw(path, pixels, page, reader)
    return failed


def _with_progress(paths: list[Path]) -> Iterator[Path]:
    """Yield the paths, under a bar if there are many and the terminal is free for one."""
    if len(paths) < 2 or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from paths
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(paths, "Reading", console=Console(stderr=True), transient=True)


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
