"""The ledger's database: its tables, and how it is opened."""

import sqlite3
from pathlib import Path

from tendigits.errors import SortingError

DATABASE = "ledger.sqlite3"
CSV = "ledger.csv"
VERSION = 1  # of the tables, in SQLite's user_version
SCHEMA = """
CREATE TABLE pieces (
    number INTEGER PRIMARY KEY,
    picture NOT NULL,  -- text; bytes where the name is no text
    sha256 TEXT NOT NULL,
    code TEXT NOT NULL,
    confidence REAL NOT NULL,
    bin TEXT NOT NULL,
    model TEXT NOT NULL,
    time TEXT NOT NULL,
    placed INTEGER NOT NULL DEFAULT 0,
    page TEXT,  -- what the queue is told, until it was
    UNIQUE (picture, sha256)
);
CREATE INDEX waiting ON pieces (number) WHERE placed = 0;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, start TEXT NOT NULL, settings TEXT NOT NULL,
    pieces INTEGER NOT NULL, seconds REAL NOT NULL
);
"""


def open_database(folder: Path) -> sqlite3.Connection:
    """Open the ledger's database in a folder, made if there is none.

    Raises:
        SortingError: It is of a newer tendigits, or is gone where `ledger.csv` is not.
        sqlite3.Error: It is damaged, or the disk is full.
    """
    connection = sqlite3.connect(folder / DATABASE, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _refuse_orphan(folder)
            connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
        elif version != VERSION:
            raise SortingError(
                f"{folder / DATABASE}: is of version {version}: expected {VERSION}: use the "
                "tendigits that made it, or name another folder"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_orphan(folder: Path) -> None:
    """Refuse a CSV file without its database: all that it lists would be sorted a second time."""
    if (folder / CSV).exists() and (folder / CSV).stat().st_size:
        raise SortingError(
            f"{folder / DATABASE}: is gone, but {CSV} lists what was sorted: put it back from a "
            "copy, or name another folder"
        )
