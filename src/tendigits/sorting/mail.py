"""Pieces of mail: files in a folder, what tells them apart, and their copies in the bins."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tendigits.atomic import atomic_writer
from tendigits.errors import DataNotFoundError

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
BLOCK = 1 << 20  # bytes: of a file that are in memory at a time
MOST_STEM = 180  # bytes: a file system's 255, less what makes the name of a copy unique
MARK = 16  # hexadecimal digits that make it unique: 64 bits


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of mail. Two files are two pieces; a file whose content changed is another piece.

    Attributes:
        picture: Its path in the folder, with ``/``.
        sha256: Of its content.
    """

    picture: str
    sha256: str

    def copy_name(self) -> str:
        """Return the name of its copy in any bin, which no other piece has.

        >>> Piece(picture="tray 4/0001.png", sha256="0" * 64).copy_name()
        '0001-7742c6b92a3ee2d7.png'
        """
        whole = f"{self.picture}\0{self.sha256}".encode("utf-8", "surrogateescape")
        mark = hashlib.sha256(whole).hexdigest()[:MARK]
        stem, ending = os.path.splitext(self.picture.rpartition("/")[2])
        short = stem.encode("utf-8", "surrogateescape")[:MOST_STEM].decode("utf-8", "ignore")
        return f"{short}-{mark}{ending.lower()}"


class ChangedError(Exception):
    """A picture is gone, or is no longer the one that was read."""


def find_pictures(folder: Path) -> Iterator[str]:
    """Yield the paths of pictures in a folder and its sub-folders, with ``/``, as the system lists.

    Hidden files and links are left out, and so is every file whose name does not end as a
    picture's does. Memory does not grow with the number of files in a folder.

    Raises:
        DataNotFoundError: The folder, or one inside, is not there or may not be read.
    """
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{inside}{entry.name}/")
                    elif is_picture(entry.name) and entry.is_file(follow_symlinks=False):
                        yield inside + entry.name
        except OSError as error:
            raise DataNotFoundError(
                f"{folder / inside}: cannot be read ({error.strerror or error}): expected a "
                "folder of pictures"
            ) from error


def is_picture(name: str) -> bool:
    """Say whether a file's name ends as a picture's does."""
    return os.path.splitext(name)[1].lower() in ENDINGS


def identify(folder: Path, picture: str) -> Piece:
    """Return the piece that a picture in a folder is.

    Raises:
        OSError: It cannot be read.
    """
    with (folder / picture).open("rb") as file:
        return Piece(picture=picture, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def copy(piece: Piece, folder: Path, bin: Path) -> Path:
    """Copy a piece into a bin, whole or not at all, and flush it to the disk.

    Args:
        piece: Of `folder`.
        folder: Where its picture is.
        bin: A folder that is there.

    Returns:
        The copy. Copying again changes nothing.

    Raises:
        ChangedError: The picture is gone or has changed; nothing is copied.
        OSError: The copy could not be written.
    """
    target = bin / piece.copy_name()
    try:
        source = (folder / piece.picture).open("rb")
    except OSError as error:
        raise ChangedError(piece.picture) from error
    with source, atomic_writer(target) as out:
        if _copy_bytes(source, out) != piece.sha256:
            raise ChangedError(piece.picture)
    return target


def _copy_bytes(source: BinaryIO, out: BinaryIO) -> str:
    """Copy an open file to another, a block at a time; returns the sha256 of what was copied."""
    digest = hashlib.sha256()
    while block := source.read(BLOCK):
        digest.update(block)
        out.write(block)
    return digest.hexdigest()
