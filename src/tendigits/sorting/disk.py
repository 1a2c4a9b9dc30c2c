"""The folder that a sorting writes: one process at a time, and a full disk told in one line."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tendigits.errors import SortingError, StorageFullError, is_disk_full
from tendigits.locks import take_lock

LOCK = ".lock"
LITTLE = 1 << 20  # bytes: with less free, trouble with a file is taken for a full disk
ADVICE = "make room and start again; no piece is lost, and none is sorted twice"


def is_full(error: BaseException) -> bool:
    """Say whether an error of the system or of SQLite means that there is no room."""
    if isinstance(error, OSError):
        return is_disk_full(error)
    return isinstance(error, sqlite3.Error) and (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or "disk is full" in str(error)
    )


def _is_cramped(error: BaseException, place: Path) -> bool:
    """Say whether SQLite had trouble with a file where there is hardly room for any.

    It tells of a full disk so when the file is that of its log's index.
    """
    code = getattr(error, "sqlite_errorcode", None) or 0
    if not isinstance(error, sqlite3.Error) or code & 0xFF != sqlite3.SQLITE_IOERR:
        return False
    return shutil.disk_usage(place.parent).free < LITTLE


@contextlib.contextmanager
def told_when_full(place: Path) -> Iterator[None]:
    """Tell in one line where the block finds the disk full.

    Args:
        place: The file or folder that the block writes.

    Raises:
        StorageFullError: The disk is full.
        SortingError: SQLite refused for another reason.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error) or _is_cramped(error, place):
            raise StorageFullError(f"{place}: the disk is full: {ADVICE}") from error
        if isinstance(error, sqlite3.Error):
            raise SortingError(f"{place}: cannot be used ({error}): see docs/sorting.md") from error
        raise


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other processes from sorting into a folder during the block.

    The system releases the lock when the process dies, however it dies. Where a file system has no
    locks, nothing is kept from anything.

    Args:
        folder: Where sorted mail goes; it exists.

    Raises:
        SortingError: Another process sorts into it.
    """
    with (folder / LOCK).open("ab") as file:
        if not take_lock(file):
            raise SortingError(
                f"{folder}: another process sorts into it: wait for its end, or name another folder"
            )
        yield
