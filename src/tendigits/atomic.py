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

SUFFIX = ".part"
MOST_OF_NAME = 40  # characters of it in the temporary one, which may be no longer than 255 bytes


class WriteError(OSError):
    """A file could not be written; the message says which, why and what to do, in one line.

    Args:
        path: The file, or the folder that it was to be written into.
        error: What the system said.
        advice: What to do.
    """

    def __init__(
        self,
        path: Path,
        error: OSError,
        advice: str = "name a file in a folder that exists and has room",
    ) -> None:
        super().__init__(error.errno, f"cannot write {path} ({error.strerror or error}): {advice}")

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
            prefix=_beginning(path), suffix=SUFFIX, dir=path.parent
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


def remove_parts(path: Path) -> None:
    """Remove the temporary files for `path` of writers that were killed; none may be at work.

    Args:
        path: The file that they were to become; it and its folder need not be there.
    """
    for part in path.parent.glob(f".*{SUFFIX}"):
        if part.name.startswith(_beginning(path)):
            part.unlink(missing_ok=True)


def try_folder(folder: Path) -> None:
    """Make a file in `folder` and take it away again.

    Raises:
        OSError: The folder is not there, or does not take one.
    """
    with tempfile.NamedTemporaryFile(prefix=".", suffix=SUFFIX, dir=folder):
        pass


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to the disk, where the system can do so (Windows cannot)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beginning(path: Path) -> str:
    """Return how the names of temporary files for `path` begin."""
    return f".{path.name[:MOST_OF_NAME]}."


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    with _UMASK_LOCK:
        mask = os.umask(0)
        os.umask(mask)
    return mask
