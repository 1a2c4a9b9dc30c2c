"""Files that are either the old one or the new one, whole, whenever the power fails.

The recipe is the usual one: write a temporary file in the same folder, flush it to the disk, rename
it over the name, flush the folder. A reader never sees half a file; a writer that dies leaves, at
worst, a temporary file whose name begins with ``.`` and ends with ``.part``.
"""

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

# While one thread reads the umask it is 0: another that read it then would leave it so.
_UMASK_LOCK = threading.Lock()


class WriteError(OSError):
    """A file could not be written; the message says which, why and what to do, in one line."""

    def __init__(self, path: Path, error: OSError) -> None:
        reason = error.strerror or error
        message = (
            f"cannot write {path} ({reason}): name a file in a folder that exists and has room"
        )
        super().__init__(error.errno, message)

    def __str__(self) -> str:
        return str(self.strerror)


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Give a binary file that takes the name `path` when the block ends without an error.

    Args:
        path: The final name; its folder must exist.

    Yields:
        The open temporary file. If the block raises, the file is removed and `path` is untouched.

    Raises:
        WriteError: The file system refused, for example because it is full.
    """
    try:
        descriptor, temporary_name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".part", dir=path.parent
        )
        temporary = Path(temporary_name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise WriteError(path, error) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with atomic_writer(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all.

    A byte that was no UTF-8 in the name of a file becomes a question mark.
    """
    write_bytes(path, text.encode(errors="replace"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, whole or not at all; only finite numbers."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to the disk, where the system can do so (Windows cannot)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    with _UMASK_LOCK:
        mask = os.umask(0)
        os.umask(mask)
    return mask
