"""The tables of the review queue, in SQLite or PostgreSQL, and how both are told to keep them.

Times are seconds since 1970. An answer that was taken back keeps its row.
"""

from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tendigits.errors import SettingError, explain_missing

BUSY_SECONDS = 30  # that a transaction waits for another one's end; each takes milliseconds
MAKING = 0x7E4D1615  # any number: who holds PostgreSQL's lock of this name may make the tables
READING = "tendigits_reading"  # the option of a connection that writes nothing

metadata = MetaData()

pieces = Table(
    "review_pieces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # sha256 of the name and the picture
    Column("name", Text, nullable=False),
    Column("format", Text),
    Column("opinions", Integer, nullable=False),  # people who must agree
    Column("added", Float, nullable=False),
    Column("settled", Text),  # what was agreed on; NULL while the piece is open
    Column("leased_by", Text),
    Column("leased_until", Float, nullable=False, default=0.0),
)
Index(
    "review_pieces_open",
    pieces.c.id,
    postgresql_where=pieces.c.settled.is_(None),
    sqlite_where=pieces.c.settled.is_(None),
)
Index("review_pieces_lent", pieces.c.leased_by)

# Apart, so that looking for an open piece does not walk over pictures.
contents = Table(
    "review_contents",
    metadata,
    Column("piece", ForeignKey(pieces.c.id), primary_key=True),
    Column("picture", LargeBinary, nullable=False),
    Column("page", Text, nullable=False),  # JSON
)

answers = Table(
    "review_answers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("piece", ForeignKey(pieces.c.id), nullable=False),
    Column("who", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("stored", Float, nullable=False),
    Column("undone", Float),  # NULL while it counts
)
Index("review_answers_last", answers.c.who, answers.c.id)
Index(
    "review_answers_once",
    answers.c.piece,
    answers.c.who,
    unique=True,
    postgresql_where=answers.c.undone.is_(None),
    sqlite_where=answers.c.undone.is_(None),
)

skips = Table(
    "review_skips",
    metadata,
    Column("piece", ForeignKey(pieces.c.id), primary_key=True),
    Column("who", Text, primary_key=True),
    Column("skipped", Float, nullable=False),
)


def open_engine(place: str | Path) -> Engine:
    """Return the engine of a queue; the tables are not looked at yet.

    Args:
        place: ``postgresql://user@host/name``, or an SQLite file, whose folder is made where it is
            missing, also as ``sqlite:///file``.

    Raises:
        SettingError: The address is of another kind.
        ExtraMissingError: What speaks to PostgreSQL is not installed.
        OSError: The folder cannot be made.
    """
    path = sqlite_file(place)
    if path is None:
        return _open_postgresql(str(place))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not as text, in which a ? or a % of the file's name would mean something else.
    address = URL.create("sqlite", database=str(path.absolute()))
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sqlite_file(place: str | Path) -> Path | None:
    """Return the SQLite file of a queue; None for an address of another kind.

    >>> str(sqlite_file("sqlite:///queue.sqlite")), sqlite_file("postgresql://anna@host/mail")
    ('queue.sqlite', None)
    """
    name = str(place).removeprefix("sqlite:///")
    return None if not name or "://" in name else Path(name)


def make_tables(connection: Connection) -> None:
    """Make the tables that are not there, with only one program at a time doing so."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MAKING})
    metadata.create_all(connection)


def _open_postgresql(url: str) -> Engine:
    """Return the engine of a queue in PostgreSQL."""
    try:
        address = make_url(url)
        if address.get_backend_name() not in ("postgresql", "postgres"):
            raise ArgumentError
        engine = create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # a server that was started again is found by the next request
            connect_args={"connect_timeout": BUSY_SECONDS},
        )
    except ModuleNotFoundError as error:
        raise explain_missing(error) from error
    except (SQLAlchemyError, ValueError):
        raise SettingError(  # without the address, which may hold a password
            "this is no address of a queue: expected postgresql://user@host/name, or a file"
        ) from None
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: object, _: object) -> None:
    """Keep what is committed, whenever the power fails; leave transactions to `_begin_sqlite`."""
    import sqlite3

    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the lock for writing before anything is read, so that what is read stays true."""
    reading = connection.get_execution_options().get(READING)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare_postgresql(connection: object, _: object) -> None:
    """Let a commit wait for the disk, even where the server's settings say otherwise."""
    import psycopg

    assert isinstance(connection, psycopg.Connection)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    connection.commit()
