"""A full disk, as files and SQLite tell of it, turned into our error."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tendigits.errors import StorageFullError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LITTLE = 1 << 20  # bytes: with less free, SQLite's trouble with a file is taken for a full disk


@contextmanager
def told_full(folder: Path) -> Iterator[None]:
    """Raise `StorageFullError` for what in the block failed because there was no room.

    Args:
        folder: Where the block writes.

    Raises:
        StorageFullError: There was no room; other errors stay as they are.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not _is_full(error, folder):
            raise
        raise StorageFullError(
            f"{folder}: there is no room, and nothing is lost: free some space and start again"
        ) from error


def _is_full(error: OSError | sqlite3.Error, folder: Path) -> bool:
    """Say whether an error means that there is no room."""
    if isinstance(error, OSError):
        return error.errno in FULL
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_IOERR:  # a quota, or a limit of the process, comes so
        return code == sqlite3.SQLITE_IOERR_WRITE or shutil.disk_usage(folder).free < LITTLE
    return code & 0xFF == sqlite3.SQLITE_FULL
