"""`ledger.csv`: the ledger for people, a line for each decision, which follows SQLite.

The file is what the ledger says, byte for byte, so far as it goes. Whoever is killed leaves it
without its end, or with half a line, and the next run completes it.
"""

import csv
import datetime
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from tendigits.atomic import sync_folder
from tendigits.sorting.decisions import Decision
from tendigits.sorting.full_disk import told_full
from tendigits.sorting.ledger import Ledger

NAME = "ledger.csv"
HEAD = ("number", "picture", "sha256", "code", "confidence", "bin", "model", "time")


class LedgerCsv:
    """The file, open at its end.

    Args:
        folder: Where it is, or is made.
        ledger: What it is made to agree with. A file that somebody has changed is kept beside it,
            as ``ledger-before-TIME.csv``, and written anew.

    Raises:
        StorageFullError: There is no room. The next run completes the file.
        OSError: It cannot be written.
    """

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.path = folder / NAME
        with told_full(folder):
            self._file = _open_at_end(self.path, ledger)

    def add(self, decisions: Iterable[Decision]) -> None:
        """Add a line for each decision; they survive the end of this program, however it comes."""
        with told_full(self.path.parent):
            for decision in decisions:
                self._file.write(_line(decision))
            self._file.flush()

    def close(self) -> None:
        """Let the file be on the disk, and close it."""
        with told_full(self.path.parent), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())


def _open_at_end(path: Path, ledger: Ledger) -> BinaryIO:
    """Open the file after its last line that agrees, and add what is missing."""
    file = _open(path)
    try:
        lines = _lines(ledger)
        missing, agrees = _compare(file, lines)
        if not agrees:
            file.close()
            stamp = datetime.datetime.now().strftime("%Y%m%dT%H%M%S")
            path.rename(path.with_name(f"ledger-before-{stamp}.csv"))
            file = _open(path)
            missing, lines = b"", _lines(ledger)
        file.write(missing)
        file.writelines(lines)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def _open(path: Path) -> BinaryIO:
    """Open a file to read and write; made where there is none."""
    if not path.exists():
        path.touch()
        sync_folder(path.parent)
    return path.open("r+b")


def _compare(file: BinaryIO, lines: Iterator[bytes]) -> tuple[bytes, bool]:
    """Read a file as far as it agrees with what it should hold, and cut off half a line.

    Args:
        file: At its begin.
        lines: That it should hold; those that it holds are taken from them.

    Returns:
        The line at which it ended, empty if none is open; and whether it agrees.
    """
    place = 0
    for line in lines:
        found = file.read(len(line))
        if found != line:
            if not line.startswith(found):
                return b"", False
            file.seek(place)
            file.truncate()
            return line, True
        place += len(line)
    return b"", not file.read(1)


def _lines(ledger: Ledger) -> Iterator[bytes]:
    """Yield what the file should hold."""
    yield _as_csv(HEAD)
    yield from map(_line, ledger.decisions())


def _line(decision: Decision) -> bytes:
    """Return the line of a decision; the time is in UTC."""
    moment = datetime.datetime.fromtimestamp(decision.time, datetime.UTC)
    return _as_csv(
        (
            decision.number,
            decision.picture,
            decision.sha256,
            decision.code,
            f"{decision.confidence:.6f}",
            decision.bin,
            decision.model,
            moment.isoformat(timespec="milliseconds"),
        )
    )


def _as_csv(cells: Iterable[object]) -> bytes:
    """Return a line of CSV; a byte of a name that is no UTF-8 becomes a question mark."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode(errors="replace")
