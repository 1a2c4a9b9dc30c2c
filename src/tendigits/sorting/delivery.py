"""Pieces to their bins: whole or not at all, and as often as need be with the same end."""

import contextlib
import glob
import hashlib
import os
from pathlib import Path
from typing import Literal

from tendigits.atomic import atomic_writer, sync_folder
from tendigits.sorting.decisions import Decision
from tendigits.sorting.full_disk import told_full

How = Literal["copy", "link", "move"]
CHUNK = 1 << 20  # bytes that are held at a time
LONGEST_STEM = 200  # bytes that are kept of a name to which a sha256's begin is added


class ChangedError(Exception):
    """A picture is not the one that was decided on any more."""


class Delivery:
    """Puts pieces into the folders of their bins.

    Args:
        folder: Where the pieces are.
        out: Where the bins are made.
        how: ``copy``; ``link`` for a hard link; or ``move``.
    """

    def __init__(self, folder: Path, out: Path, how: How = "copy") -> None:
        self.folder, self.out, self.how = folder, out, how

    def places_of(self, decision: Decision) -> tuple[Path, Path]:
        """Return where a piece belongs: in its bin by its own path, or by one that is never taken.

        A scanner may use a name again for another picture, which takes the second place.
        """
        place = self.out / decision.bin / decision.picture
        stem = os.fsencode(place.stem)[:LONGEST_STEM].decode("utf-8", "replace")
        return place, place.with_name(f"{stem}-{decision.sha256[:16]}{place.suffix}")

    def deliver(self, decision: Decision) -> bool:
        """Put a piece where it belongs; if it is there already, do nothing.

        Returns:
            It is there. False if there is no such piece any more, here or there.

        Raises:
            StorageFullError: There is no room; the piece is where it was.
            OSError: It cannot be written.
        """
        places, source = self.places_of(decision), self.folder / decision.picture
        if any(_holds(place, decision.sha256) for place in places):
            if self.how == "move" and _holds(source, decision.sha256):
                source.unlink()
            return True
        place = places[1] if places[0].exists() else places[0]
        try:
            with told_full(self.out):
                _make_folder(place.parent)
                self._put(source, place, decision.sha256)
        except (FileNotFoundError, ChangedError):
            return False
        return True

    def sweep(self, decision: Decision) -> None:
        """Remove the begins of copies that a killed run has left of a piece."""
        for place in self.places_of(decision):
            for part in place.parent.glob(f".{glob.escape(place.name)}.*.part"):
                part.unlink(missing_ok=True)

    def read(self, decision: Decision) -> bytes:
        """Return the content of a piece that is where it belongs."""
        places = self.places_of(decision)
        return next(each for each in places if _holds(each, decision.sha256)).read_bytes()

    def _put(self, source: Path, place: Path, sha256: str) -> None:
        """Put a file in its place, by the way that was asked for where the file system has it."""
        if self.how == "copy" or not _is_beside(source, self.out):
            _copy(source, place, sha256)
            if self.how == "move":
                source.unlink()
                sync_folder(source.parent)
            return
        if not _holds(source, sha256):
            raise ChangedError
        if self.how == "link":
            os.link(source, place)
        else:
            source.replace(place)
            sync_folder(source.parent)
        sync_folder(place.parent)


def _copy(source: Path, place: Path, sha256: str) -> None:
    """Copy a file, if its content is what was decided on."""
    digest = hashlib.sha256()
    with source.open("rb") as file, atomic_writer(place) as target:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
        if digest.hexdigest() != sha256:
            raise ChangedError


def _holds(path: Path, sha256: str) -> bool:
    """Say whether a file is there with a content."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _is_beside(source: Path, out: Path) -> bool:
    """Say whether two places are on one file system."""
    return source.stat().st_dev == out.stat().st_dev


def _make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, and let their names be on the disk."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            each.mkdir()
        sync_folder(each.parent)
