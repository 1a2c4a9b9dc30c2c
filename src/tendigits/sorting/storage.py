"""Transactions of the review queue, and what goes wrong with them, told as our errors."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tendigits.errors import QueueError, StorageFullError
from tendigits.sorting.tables import READING, make_tables, open_engine

SQLITE_FULL = 13
SQLITE_IOERR = 10  # the lower byte of every trouble with a file
SQLITE_IOERR_WRITE = 778  # a quota or a limit of the process refused a write
POSTGRES_FULL = "53100"
LITTLE = 1 << 20  # bytes: with less free, trouble with a file is taken for a full disk


class Storage:
    """A database that holds a review queue.

    Args:
        place: ``postgresql://...``, or an SQLite file; see `tables.open_engine`.

    Raises:
        SettingError: The address is of another kind.
        ExtraMissingError: What speaks to PostgreSQL is not installed.
        QueueError: There is no such database, or it is none.
        StorageFullError: There is no room to make the tables.
    """

    def __init__(self, place: str | Path) -> None:
        self.engine: Engine = open_engine(place)
        self.is_postgresql = self.engine.dialect.name == "postgresql"
        try:
            with self.writing() as connection:
                make_tables(connection)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction; when the block has ended without an error, it is on the disk.

        Raises:
            StorageFullError: There is no room; nothing of the block was stored.
            QueueError: The database cannot be used; nothing of the block is known to be stored.
        """
        with self._told(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a transaction that changes nothing; raises `QueueError`."""
        with self._told(), self.engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    def now(self, connection: Connection) -> float:
        """Return the seconds since 1970 by the one clock that everybody at this queue shares."""
        if not self.is_postgresql:
            return time.time()
        moment = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
        assert moment is not None
        return float(moment)

    def only_one(self, connection: Connection, who: str) -> None:
        """Wait until nothing else is being done in a person's name; in SQLite it never is."""
        if self.is_postgresql:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(who))))

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what a database raises in the block into our errors."""
        try:
            yield
        except SQLAlchemyError as error:
            if self._is_full(error):
                raise StorageFullError(
                    "there is no room to store it, and nothing was stored: free some space and "
                    "try again"
                ) from error
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise QueueError(
                f"the review queue cannot be used ({reason}): see to its database"
            ) from error

    def _is_full(self, error: SQLAlchemyError) -> bool:
        """Say whether an error means that there is no room."""
        if not isinstance(error, DBAPIError):
            return False
        if isinstance(error.orig, sqlite3.Error):
            code = getattr(error.orig, "sqlite_errorcode", 0)
            if code & 0xFF == SQLITE_IOERR:
                return code == SQLITE_IOERR_WRITE or self._has_little_room()
            return code & 0xFF == SQLITE_FULL
        return getattr(error.orig, "sqlstate", None) == POSTGRES_FULL

    def _has_little_room(self) -> bool:
        """Say whether the disk with the SQLite file is as good as full."""
        folder = Path(str(self.engine.url.database)).parent
        return shutil.disk_usage(folder).free < LITTLE
