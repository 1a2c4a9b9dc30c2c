"""The pictures that names, folders and patterns of a command line stand for."""

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tendigits.errors import DataNotFoundError

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


def find_pictures(names: Iterable[str]) -> list[Path]:
    """Return the pictures that names, folders and patterns stand for, each folder by name.

    Raises:
        DataNotFoundError: A folder or a pattern stands for none.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found += _pictures_inside(path)
        elif not path.exists() and glob.has_magic(name):
            found += _files_named_like(name)
        else:
            found.append(path)  # if it is not there, reading it says so and goes on
    return found


def with_progress(paths: list[Path]) -> Iterator[Path]:
    """Yield the paths, under a bar if there are many and the terminal is free for one."""
    if len(paths) < 2 or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from paths
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(paths, "Reading", console=Console(stderr=True), transient=True)


def _pictures_inside(folder: Path) -> list[Path]:
    """Return the pictures in a folder and in those inside it."""
    inside = sorted(
        each for each in folder.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file()
    )
    if not inside:
        raise DataNotFoundError(
            f"{folder}: there is no picture in this folder: expected names that end in "
            f"{', '.join(sorted(ENDINGS))}"
        )
    return inside


def _files_named_like(pattern: str) -> list[Path]:
    """Return the files whose names fit a pattern."""
    matching = sorted(
        each for each in map(Path, glob.glob(pattern, recursive=True)) if not each.is_dir()
    )
    if not matching:
        raise DataNotFoundError(f"{pattern}: no file has such a name")
    return matching
