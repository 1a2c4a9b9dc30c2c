"""The ledger of a sorting: which piece went to which bin, decided once, whatever is killed when.

SQLite is the truth (``ledger.sqlite3``, write-ahead log, every commit flushed to the disk);
``ledger.csv`` says the same to people, and is only ever appended to. A piece is decided in three
steps, always in this order:

1. Its row is committed: the piece, its bin, and that it is not there yet. Nothing decides it again.
2. It is copied into the bin that its row names, under a name that depends on nothing but the piece,
   whole or not at all, and flushed; a rejected one is put into the queue too, which takes it once.
3. It is committed that the piece is in its bin.

A kill before 1 leaves no trace: the piece is decided at the next start. A kill between 1 and 3
leaves a row without step 3: the next start does step 2 again from the row, not from a new reading,
so that neither another model nor another plan sends it to a second bin; what is there already is
replaced by itself. After 3 nothing is done again, so that bins can be emptied. Were the copy before
the row, a kill between them would leave a copy that no row knows of, and a later decision could
send the piece elsewhere: twice.

`ledger.csv` gets its lines after 1. At each start it is compared with SQLite, byte for byte, cut
where it differs (half a line, where the process was killed) and completed.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tendigits.results import Page
from tendigits.sorting.database import CSV, DATABASE, open_database
from tendigits.sorting.disk import told_when_full
from tendigits.sorting.mail import Piece

CUT = "ledger.csv.cut"  # what a start cut off, unless it was only the half of a line
HEAD = ("picture", "sha256", "code", "confidence", "bin", "model", "time")
COLUMNS = "picture, sha256, code, confidence, bin, model, time, page, format"  # of a Row


@dataclass(frozen=True, kw_only=True)
class Row:
    """A piece that was decided.

    Attributes:
        piece: Which.
        code: What was read, the best guess even where it is rejected; empty if nothing was.
        confidence: The chance that the code is right, in [0, 1]; 0 if nothing was read.
        bin: Where it goes.
        model: That read it.
        time: When it was decided, in UTC, such as ``2026-11-26T08:30:00Z``.
        page: All that was read off a rejected piece, for the queue; None once it is there.
        format: That the page was read by, by name; None for any digits, and where there is no page.
    """

    piece: Piece
    code: str
    confidence: float
    bin: str
    model: str
    time: str
    page: Page | None = None
    format: str | None = None

    def line(self) -> bytes:
        """Return its line in `ledger.csv`, with its end."""
        confidence = f"{self.confidence:.6f}"
        return csv_line(
            (*_names(self.piece), self.code, confidence, self.bin, self.model, self.time)
        )


class Ledger:
    """The ledger in a folder of sorted mail, of which one process at a time may have it open.

    Args:
        folder: Of sorted mail; the ledger is made there if there is none.

    Raises:
        StorageFullError: The disk is full.
        SortingError: The ledger is damaged, gone in part, or of a newer tendigits.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.csv = folder / CSV
        with told_when_full(folder / DATABASE):
            self.connection = open_database(folder)
        with told_when_full(self.csv):
            self._repair()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()

    def knows(self, piece: Piece) -> bool:
        """Say whether a piece was decided."""
        query = "SELECT 1 FROM pieces WHERE picture = ? AND sha256 = ?"
        return self.connection.execute(query, _key(piece)).fetchone() is not None

    def decide(self, rows: Sequence[Row]) -> None:
        """Commit rows of pieces that are not in their bins yet; then append them to the CSV file.

        Raises:
            StorageFullError: The disk is full: all rows are committed, or none is.
        """
        with told_when_full(self.folder / DATABASE), self.connection:
            self.connection.executemany(
                f"INSERT INTO pieces ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_values(row) for row in rows],
            )
        with told_when_full(self.csv), self.csv.open("ab") as file:
            file.write(b"".join(row.line() for row in rows))

    def waiting(self, *, after: int = 0, most: int = 100) -> list[tuple[int, Row]]:
        """Return rows of pieces that may not be in their bins, with their numbers, in order.

        Args:
            after: The number that is before the first one.
            most: How many at most.
        """
        found = self.connection.execute(
            f"SELECT {COLUMNS}, number FROM pieces "
            "WHERE placed = 0 AND number > ? ORDER BY number LIMIT ?",
            (after, most),
        )
        return [(values[-1], _row(values[:-1])) for values in found]

    def settle(self, pieces: Iterable[Piece], run: int | None, seconds: float) -> None:
        """Commit that pieces are in their bins.

        Args:
            pieces: Which.
            run: That decided them, as `start_run` numbered it; None for a run that was killed.
            seconds: That this run has taken so far.

        Raises:
            StorageFullError: The disk is full: they will be copied again, over themselves.
        """
        keys = [_key(piece) for piece in pieces]
        with told_when_full(self.folder / DATABASE), self.connection:
            self.connection.executemany(
                "UPDATE pieces SET placed = 1, page = NULL, format = NULL "
                "WHERE picture = ? AND sha256 = ?",
                keys,
            )
            self.connection.execute(
                "UPDATE runs SET pieces = pieces + ?, seconds = ? WHERE number = ?",
                (len(keys), seconds, run),
            )

    def start_run(self, start: str, settings: dict[str, Any]) -> int:
        """Note that a run starts, at a time in UTC and with settings; returns its number."""
        with told_when_full(self.folder / DATABASE), self.connection:
            run = self.connection.execute(
                "INSERT INTO runs (start, settings, pieces, seconds) VALUES (?, ?, 0, 0)",
                (start, json.dumps(settings)),
            ).lastrowid
        assert run is not None
        return run

    def count(self) -> dict[str, int]:
        """Return how many pieces were decided for each bin, by bin."""
        return dict(self.connection.execute("SELECT bin, COUNT(*) FROM pieces GROUP BY bin"))

    def measure(self) -> tuple[int, float]:
        """Return how many pieces all runs put into bins themselves, and in how many seconds."""
        query = "SELECT COALESCE(SUM(pieces), 0), COALESCE(SUM(seconds), 0) FROM runs"
        pieces, seconds = self.connection.execute(query).fetchone()
        return int(pieces), float(seconds)

    def _lines(self) -> Iterator[bytes]:
        """Yield what `ledger.csv` ought to hold, a line at a time."""
        yield csv_line(HEAD)
        for values in self.connection.execute(
            "SELECT picture, sha256, code, confidence, bin, model, time, NULL, NULL FROM pieces "
            "ORDER BY number"
        ):
            yield _row(values).line()

    def _repair(self) -> None:
        """Make `ledger.csv` say what SQLite says: cut it where it differs, append the rest."""
        self.csv.touch()
        with self.csv.open("r+b") as file:
            lines = self._lines()
            missing = b""
            for line in lines:
                place = file.tell()
                if file.read(len(line)) != line:
                    missing = line
                    break
            else:
                place = file.tell()
            file.seek(place)
            self._keep(file)
            file.seek(place)
            file.truncate()
            file.write(missing)
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())

    def _keep(self, file: io.BufferedRandom) -> None:
        """Keep the rest of the file beside it, if it is more than half a line: a person's work."""
        rest = file.read()
        if b"\n" in rest:
            with (self.folder / CUT).open("ab") as kept:
                kept.write(rest)


def csv_line(values: Iterable[str]) -> bytes:
    """Return a line of CSV, with its end, as UTF-8, with escapes for what is no text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _names(piece: Piece) -> tuple[str, str]:
    return piece.picture, piece.sha256


def _key(piece: Piece) -> tuple[str | bytes, str]:
    """Return what SQLite knows a piece by: bytes stand for a name that is no text."""
    try:
        piece.picture.encode()
    except UnicodeEncodeError:
        return os.fsencode(piece.picture), piece.sha256
    return piece.picture, piece.sha256


def _values(row: Row) -> tuple[str | bytes | float | None, ...]:
    """Return a row as SQLite keeps it."""
    page = None if row.page is None else json.dumps(row.page.to_dict())
    read = (row.code, row.confidence, row.bin, row.model, row.time, page, row.format)
    return (*_key(row.piece), *read)


def _row(values: Sequence[Any]) -> Row:
    """Return what `_values` was called on."""
    picture, sha256, code, confidence, bin, model, time, page, format = values
    return Row(
        piece=Piece(
            picture=os.fsdecode(picture) if isinstance(picture, bytes) else picture, sha256=sha256
        ),
        code=code,
        confidence=confidence,
        bin=bin,
        model=model,
        time=time,
        page=None if page is None else Page.from_dict(json.loads(page)),
        format=format,
    )
