"""Where `tendigits read --draw` draws: one file, or a folder with a file for each picture."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tendigits import atomic
from tendigits.cli.pictures import are_several
from tendigits.errors import SettingError

if TYPE_CHECKING:
    from tendigits.reading import Reader
    from tendigits.results import Page

MOST_OF_STEM = 240  # bytes: with a number and ".png" a name has no more than the 255 it may have


class Drawings:
    """The drawings of the pictures that are read.

    Args:
        places: The file to draw into for each picture, in the order in which they are read.
        explain: Draw where the ink mattered.
    """

    def __init__(self, places: Sequence[Path], *, explain: bool) -> None:
        self.places, self.explain = places, explain

    def draw(self, number: int, pixels: Any, page: "Page", reader: "Reader") -> None:
        """Draw the page that was read off a picture.

        Args:
            number: Of the picture, from 0.
            pixels: (H, W) or (H, W, 3) uint8.
            page: What was read.
            reader: What read it.
        """
        from tendigits.reading.drawing import draw_page, encode_png

        drawn = draw_page(pixels, page, reader.classify if self.explain else None)
        atomic.write_bytes(self.places[number], encode_png(drawn))


def open_drawings(
    out: Path, names: Sequence[str], paths: Sequence[Path], *, explain: bool
) -> Drawings:
    """Make sure, before a picture is read, that it can be drawn.

    Args:
        out: A PNG file for one picture; for several a folder, which is made.
        names: What was asked to be read.
        paths: The pictures among them.
        explain: Draw where the ink mattered.

    Raises:
        SettingError: One picture is to be drawn into something else than a PNG file, or a drawing
            would take the place of a picture that is read.
        WriteError: No file can be written there.
    """
    from tendigits.imaging.png import require_png

    if are_several(names, paths):
        places = _name_each(out, paths)
        _refuse_to_overwrite(out, places, names, paths)
        _make_folder(out)
    else:
        places = [out]
        require_png(out)
        _refuse_to_overwrite(out, places, names, paths)
        _try_file(out)
    return Drawings(places, explain=explain)


def _name_each(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Return a file for each picture; two pictures of one name get two."""
    taken: dict[str, None] = {}  # a dictionary keeps the order
    following: dict[str, int] = {}  # the number that the next picture of a name may get
    for path in paths:
        stem = _shortened(path.stem)
        name, number = stem, following.get(stem, 2)
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        following[stem] = number
        taken[name] = None
    return [folder / f"{name}.png" for name in taken]


def _shortened(stem: str) -> str:
    """Return a name that leaves room for a number and an ending."""
    whole = os.fsencode(stem)
    return stem if len(whole) <= MOST_OF_STEM else os.fsdecode(whole[:MOST_OF_STEM])


def _refuse_to_overwrite(
    out: Path, places: Iterable[Path], names: Iterable[str], paths: Iterable[Path]
) -> None:
    """Refuse to draw over a picture that is read, or into a folder that is read."""
    folders = [_real(name) for name in names if os.path.isdir(name)]
    inside = any(_real(out).is_relative_to(folder) for folder in folders)
    if inside or {*map(_real, places)} & {*map(_real, paths)}:
        raise SettingError(
            f"{out} cannot be drawn into: its pictures are read; name another file or folder"
        )


def _real(path: Path | str) -> Path:
    """Return the path without links; unlike `Path.resolve`, of what links to itself as well."""
    return Path(os.path.realpath(path))


def _make_folder(folder: Path) -> None:
    """Make a folder if it is not there, and see whether it takes a file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic.try_folder(folder)
    except OSError as error:
        advice = "name a folder that is there or can be made, and has room"
        raise atomic.WriteError(folder, error, advice) from error


def _try_file(path: Path) -> None:
    """See whether a file can be written."""
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(path.stat().st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        atomic.try_folder(path.parent)
    except OSError as error:
        raise atomic.WriteError(path, error) from error
