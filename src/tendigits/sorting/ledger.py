"""The ledger: what was decided on each piece, once, in SQLite, to which lines are only added.

A decision is on the disk before anything is done with its piece, and that it was delivered is noted
afterwards. Whoever is stopped between the two finds the piece among `undelivered` and delivers it
again, to the same bin: nothing is decided twice.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tendigits.errors import LedgerError
from tendigits.sorting.decisions import Decision, Run
from tendigits.sorting.full_disk import told_full

NAME = "ledger.sqlite"
BUSY_SECONDS = 2  # that somebody may look into the ledger when a run begins
FORM = 1  # of the tables; another number is another version of tendigits

# Times are seconds since 1970, a confidence is the chance that the code is right.
TABLES = {
    "runs": """
        id INTEGER PRIMARY KEY,
        started REAL NOT NULL,
        model TEXT NOT NULL,
        format TEXT,
        plan TEXT NOT NULL,  -- sha256 of the file
        reject_above REAL NOT NULL
    """,
    "decisions": """
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        picture ANY NOT NULL,  -- its path in the folder: text, or bytes where it is no UTF-8
        sha256 TEXT NOT NULL,
        code TEXT NOT NULL,  -- empty where nothing was read
        confidence REAL NOT NULL,
        bin TEXT NOT NULL,
        time REAL NOT NULL,
        UNIQUE (picture, sha256)
    """,
    "deliveries": """
        decision INTEGER PRIMARY KEY REFERENCES decisions,
        time REAL NOT NULL
    """,
}
COLUMNS = ("picture", "sha256", "code", "confidence", "bin", "time", "model", "number")
KEPT = """
CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


class Ledger:
    """The ledger in a folder; one program at a time may have it open.

    Args:
        folder: Where it is, or is made.

    Raises:
        LedgerError: Another program has it open, or it is none. Every method may raise it.
        StorageFullError: There is no room. Every method that writes may raise it, and has written
            nothing then.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._run = 0
        self._model = ""
        with self._told():
            self._database = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            with self._told():
                self._prepare()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Let go of the ledger."""
        self._database.close()

    def begin(self, run: Run) -> None:
        """Note a start; the decisions that follow belong to it."""
        row = (run.started, run.model, run.format, run.plan, run.reject_above)
        with self._writing() as database:
            cursor = database.execute(
                "INSERT INTO runs (started, model, format, plan, reject_above) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )
        self._run, self._model = cursor.lastrowid or 0, run.model

    def is_decided(self, picture: str, sha256: str) -> bool:
        """Say whether a piece, by its path and content, has been decided."""
        with self._told():
            found = self._database.execute(
                "SELECT 1 FROM decisions WHERE picture = ? AND sha256 = ?", (_kept(picture), sha256)
            ).fetchone()
        return found is not None

    def decide(
        self, decisions: Iterable[Decision], delivered: Sequence[int] = ()
    ) -> list[Decision]:
        """Note decisions, and that earlier ones were carried out: all of it, or nothing.

        Args:
            decisions: On pieces that are not decided.
            delivered: The numbers of decisions whose pieces are where they belong.

        Returns:
            The decisions with their numbers.
        """
        with self._writing() as database:
            noted = [replace(one, number=self._add(one)) for one in decisions]
            database.executemany(
                "INSERT INTO deliveries VALUES (?, ?)",
                [(number, time.time()) for number in delivered],
            )
        return noted

    def _add(self, decision: Decision) -> int:
        """Add a decision within a transaction, and return its number."""
        cursor = self._database.execute(
            "INSERT INTO decisions (run, picture, sha256, code, confidence, bin, time) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self._run,
                _kept(decision.picture),
                decision.sha256,
                decision.code,
                decision.confidence,
                decision.bin,
                decision.time,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def undelivered(self) -> list[Decision]:
        """Return the decisions that are not known to be carried out: at most a few batches."""
        return list(
            self._decisions(
                "WHERE decisions.id NOT IN (SELECT decision FROM deliveries) ORDER BY decisions.id"
            )
        )

    def decisions(self, after: int = 0) -> Iterator[Decision]:
        """Yield the decisions with a number above `after`, in order."""
        return self._decisions("WHERE decisions.id > ? ORDER BY decisions.id", (after,))

    def bins(self) -> dict[str, int]:
        """Return how many pieces were decided into each bin, by bin."""
        with self._told():
            return dict(
                self._database.execute("SELECT bin, count(*) FROM decisions GROUP BY 1 ORDER BY 1")
            )

    def runs(self) -> list[Run]:
        """Return all starts that decided something, in order."""
        with self._told():
            rows = self._database.execute(
                "SELECT started, model, format, plan, reject_above, count(*), max(time) - started "
                "FROM runs JOIN decisions ON run = runs.id GROUP BY runs.id ORDER BY runs.id"
            ).fetchall()
        names = ("started", "model", "format", "plan", "reject_above", "pieces", "seconds")
        return [Run(**dict(zip(names, row, strict=True))) for row in rows]

    def confidences(self, parts: int) -> list[int]:
        """Return how many codes have each confidence, in equal parts of [0, 1]."""
        counts = [0] * parts
        with self._told():
            rows = self._database.execute(
                "SELECT min(CAST(confidence * ? AS INTEGER), ? - 1), count(*) FROM decisions "
                "WHERE code <> '' GROUP BY 1",
                (parts, parts),
            )
            for part, count in rows:
                counts[part] = count
        return counts

    def _decisions(self, condition: str, values: tuple[int, ...] = ()) -> Iterator[Decision]:
        with self._told():
            rows = self._database.execute(
                f"SELECT {', '.join(COLUMNS[:-1])}, decisions.id "
                f"FROM decisions JOIN runs ON run = runs.id {condition}",
                values,
            )
            for picture, *rest in rows:
                yield Decision(**dict(zip(COLUMNS, (os.fsdecode(picture), *rest), strict=True)))

    def _prepare(self) -> None:
        """Take the ledger for this program alone, and make the tables where there are none."""
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            self._database.execute(f"PRAGMA {pragma}").fetchall()
        self._database.execute("PRAGMA foreign_keys = ON")
        self._database.execute("BEGIN EXCLUSIVE")
        (form,) = self._database.execute("PRAGMA user_version").fetchone()
        if form == 0:
            for statement in _statements():
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {FORM}")
        elif form != FORM:
            raise LedgerError(
                f"{self.path}: is a ledger of form {form}: this tendigits keeps form {FORM}"
            )
        self._database.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give a transaction; when the block has ended without an error, it is on the disk."""
        with self._told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite raises in the block into our errors."""
        try:
            with told_full(self.path.parent):
                yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (
                sqlite3.SQLITE_BUSY,
                sqlite3.SQLITE_LOCKED,
            ):
                raise LedgerError(
                    f"{self.path}: another tendigits sorts into this folder: let it end first"
                ) from error
            raise LedgerError(
                f"{self.path}: cannot be used ({error}): expected the ledger of a sorting"
            ) from error


def _statements() -> Iterator[str]:
    """Yield what makes the tables, and keeps what is in them from being changed."""
    for table, columns in TABLES.items():
        yield f"CREATE TABLE {table} ({columns}) STRICT"
        for verb in ("UPDATE", "DELETE"):
            yield KEPT.format(table=table, verb=verb)


def _kept(picture: str) -> str | bytes:
    """Return a path as SQLite can keep it: as text, or as bytes where it is no UTF-8."""
    try:
        picture.encode()
    except UnicodeEncodeError:
        return os.fsencode(picture)
    return picture
