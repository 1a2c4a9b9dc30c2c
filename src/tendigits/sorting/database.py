"""The ledger's database: its tables, and how it is opened."""

import sqlite3
from pathlib import Path

from tendigits.errors import SortingError

DATABASE = "ledger.sqlite3"
LOG = f"{DATABASE}-wal"  # has what was committed last, after a kill
CSV = "ledger.csv"
VERSION = 2  # of the tables, in SQLite's user_version
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
    format TEXT,  -- that the page was read by; NULL for any digits, or without a page
    UNIQUE (picture, sha256)
);
CREATE INDEX waiting ON pieces (number) WHERE placed = 0;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, start TEXT NOT NULL, settings TEXT NOT NULL,
    pieces INTEGER NOT NULL, seconds REAL NOT NULL
);
"""
# Rows did not say their format then, but their run did, which is the last that had begun.
FROM_VERSION_1 = """
ALTER TABLE pieces ADD COLUMN format TEXT;
UPDATE pieces SET format = (
    SELECT json_extract(settings, '$.format') FROM runs
    WHERE start <= pieces.time ORDER BY number DESC LIMIT 1
) WHERE placed = 0 AND page IS NOT NULL;
"""
CHANGES = {0: SCHEMA, 1: FROM_VERSION_1}  # that make the tables of another version into ours


def open_database(folder: Path) -> sqlite3.Connection:
    """Open the ledger's database in a folder, made if there is none, and renewed if it is older.

    Raises:
        SortingError: It is of a newer tendigits; or it is gone where `ledger.csv` or its log is
            not, and nothing was touched.
        sqlite3.Error: It is damaged, or the disk is full.
    """
    path = folder / DATABASE
    if not _has_content(path):
        _refuse_orphans(folder, CSV, LOG)  # SQLite would make a new database, and delete the log
    connection = sqlite3.connect(path, timeout=10)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _refuse_orphans(folder, CSV)  # something looked for the one that is gone, and made this
        elif version not in (*CHANGES, VERSION):
            raise SortingError(
                f"{path}: is of version {version}: expected {VERSION}: use the "
                "tendigits that made it, or name another folder"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if version != VERSION:
            change = CHANGES[version]
            connection.executescript(f"BEGIN;{change}PRAGMA user_version = {VERSION};COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _has_content(path: Path) -> bool:
    """Say whether a file is there and has a byte at least."""
    return path.exists() and path.stat().st_size > 0


def _refuse_orphans(folder: Path, *names: str) -> None:
    """Refuse files without their database: all that they list would be sorted a second time."""
    for name in names:
        if _has_content(folder / name):
            raise SortingError(
                f"{folder / DATABASE}: is gone or empty, but {name} lists what was sorted: put it "
                "back as docs/sorting.md says, or name another folder"
            )
