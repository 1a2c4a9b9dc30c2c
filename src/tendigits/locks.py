"""Locks that end with the process, however it ends."""

import sys
from typing import BinaryIO


def take_lock(file: BinaryIO) -> bool:
    """Take the lock on `file` that ends with the process; False where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # this file system has no locks
    return True
