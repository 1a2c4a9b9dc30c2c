"""Pieces as they come: the pictures in a folder, one after the other, without a list of all."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tendigits.errors import DataNotFoundError

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
MOST_BYTES = 64 << 20  # of a file that is read; a decoder's limit of pixels has less


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A picture of a piece of mail.

    Attributes:
        picture: Its path in the folder, with ``/`` between names.
        path: Where it is.
        sha256: Of its content, in hexadecimal digits.
        content: The bytes of its file; None where there are too many of them.
    """

    picture: str
    path: Path
    sha256: str
    content: bytes | None


def find_pictures(folder: Path, out: Path) -> Iterator[tuple[str, Path]]:
    """Yield the pictures in a folder and its sub-folders, in no order.

    Args:
        folder: Where to look. Names that begin with a point, and what is no ordinary file, are
            left out.
        out: A folder that is left out, wherever it is.

    Yields:
        The path in `folder`, with ``/`` between names, and the whole path.

    Raises:
        DataNotFoundError: A folder cannot be read.
    """
    skipped = out.resolve()
    waiting = [(folder, "")]
    while waiting:
        place, prefix = waiting.pop()
        if place.resolve() == skipped:
            continue
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    name = f"{prefix}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((place / entry.name, f"{name}/"))
                    elif entry.name.lower().endswith(ENDINGS) and entry.is_file():
                        yield name, place / entry.name
        except OSError as error:
            raise DataNotFoundError(
                f"{place}: cannot be read ({error.strerror or error}): expected pictures"
            ) from error


def take(picture: str, path: Path) -> Piece | None:
    """Read a picture's file; None where it has gone, or may not be read.

    Args:
        picture: Its path in the folder.
        path: Where it is.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
            digest = hashlib.sha256(content)
            if len(content) <= MOST_BYTES:
                return Piece(picture=picture, path=path, sha256=digest.hexdigest(), content=content)
            while more := file.read(1 << 20):
                digest.update(more)
    except OSError:
        return None
    return Piece(picture=picture, path=path, sha256=digest.hexdigest(), content=None)
