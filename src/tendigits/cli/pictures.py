"""The pictures that names, folders and patterns of a command line stand for."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tendigits.errors import DataNotFoundError

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


def find_pictures(names: Iterable[str]) -> list[Path]:
    """Return the pictures that names, folders and patterns stand for, each folder by name.

    Raises:
        DataNotFoundError: A folder or a pattern stands for none, or a folder may not be read.
    """
    found: list[Path] = []
    for name in names:
        if os.path.isdir(name):  # unlike Path's, it takes a name that is too long for one
            found += _pictures_inside(Path(name))
        elif not os.path.exists(name) and glob.has_magic(name):
            found += _files_named_like(name)
        else:
            found.append(Path(name))  # if it is not there, reading it says so and goes on
    return found


def are_several(names: Iterable[str], paths: Sequence[Path]) -> bool:
    """Say whether there is more than one picture, or may be, as in a folder.

    Args:
        names: What was asked for.
        paths: The pictures that it stands for.
    """
    return len(paths) > 1 or any(os.path.isdir(name) for name in names)


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
    from tendigits.data.pictures import files_inside  # with OpenCV, which takes a while to load

    try:
        inside = [path for path in files_inside(folder) if path.suffix.lower() in ENDINGS]
    except OSError as error:
        reason = f"{error.filename} ({error.strerror})"
        raise DataNotFoundError(f"{folder}: cannot be read whole: {reason}") from error
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
