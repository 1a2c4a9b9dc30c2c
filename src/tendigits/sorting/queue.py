"""The review queue: pieces that a person should look at, each lent to one person at a time.

What a method has returned is on the disk. A piece is settled once enough people say the same of it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from tendigits.errors import LeaseError, SettingError
from tendigits.results import Page
from tendigits.sorting.pieces import (
    Answered,
    Counts,
    Leased,
    Stored,
    Undone,
    checked_name,
    checked_text,
)
from tendigits.sorting.statements import (
    active,
    free_for,
    give_back,
    leased_by,
    lend,
    locked,
    no_such,
    settle,
    settled_after,
    skipped_by,
)
from tendigits.sorting.storage import Storage
from tendigits.sorting.tables import answers, contents, pieces, skips

LEASE_SECONDS = 120.0  # for one piece; whoever takes longer asks again, and has it still


class ReviewQueue:
    """Pieces for people to look at, in SQLite or PostgreSQL.

    Any number of threads, processes and, with PostgreSQL, machines may use one at once.

    Args:
        place: An SQLite file, made where it is missing, or ``sqlite:///file``, or
            ``postgresql://user@host/name``.
        opinions: How many people must say the same (see `agreement`) of a piece that this object
            adds or takes an answer to. Whoever asks for the most of a piece is heeded: it never
            needs fewer again.

    Raises:
        SettingError: The address is of another kind, or fewer than one should agree.
        ExtraMissingError: What speaks to PostgreSQL is not installed.
        QueueError: The database cannot be used. Every method may raise it.
        StorageFullError: There is no room. Every method that changes something may raise it, and
            has changed nothing then.
    """

    def __init__(self, place: str | Path, *, opinions: int = 1) -> None:
        if opinions < 1:
            raise SettingError(f"{opinions} people should agree: expected at least 1")
        self.opinions = opinions
        self.storage = Storage(place)

    def close(self) -> None:
        """Close the connections to the database."""
        self.storage.close()

    def add(self, name: str, picture: bytes, page: Page, format: str | None = None) -> None:
        """Add a piece; one that is there already, by name and picture, is left as it is.

        Args:
            name: Where it comes from, such as a file's name.
            picture: The bytes of its file.
            page: As the reader read it.
            format: What its fields keep to, by name; None for any digits.
        """
        clean = name.encode(errors="replace").decode().replace("\0", "?")
        key = hashlib.sha256(clean.encode() + b"\0" + picture).hexdigest()
        insert = postgresql.insert if self.storage.is_postgresql else sqlite.insert
        with self.storage.writing() as connection:
            row = {"key": key, "name": clean, "format": format, "opinions": self.opinions}
            statement = insert(pieces).values(added=self.storage.now(connection), **row)
            number = connection.scalar(
                statement.on_conflict_do_nothing(index_elements=["key"]).returning(pieces.c.id)
            )
            if number is not None:
                content = {"picture": picture, "page": json.dumps(page.to_dict())}
                connection.execute(contents.insert().values(piece=number, **content))

    def lease(self, who: str, seconds: float = LEASE_SECONDS) -> Leased | None:
        """Lend a piece to a person: the one that they have, or else one that nobody has.

        Args:
            who: The person; two people need two names.
            seconds: Until somebody else may have it.

        Returns:
            The piece; None if there is none for this person now.

        Raises:
            SettingError: The name is empty or too long.
        """
        who = checked_name(who)
        with self._person(who) as connection:
            now = self.storage.now(connection)
            for find in (leased_by, free_for, skipped_by):
                wanted = find(who, now).with_for_update(of=pieces, skip_locked=True)
                number = connection.scalar(wanted)
                if number is not None:
                    return lend(connection, number, who, now, seconds)
        return None

    def answer(self, piece: int, who: str, text: str) -> Stored:
        """Store what a person says is on a piece that they have.

        To say the same once more, for example because the first "stored" was lost on its way, is
        no error and changes nothing.

        Args:
            piece: Its number.
            who: The person who has it.
            text: The digits, fields apart by blanks; ``?`` if nobody can tell.

        Raises:
            LeaseError: The person does not have the piece, or no longer.
            SettingError: The text is none.
        """
        who, text = checked_name(who), checked_text(text)
        with self._person(who) as connection:
            row = locked(connection, piece)
            now = self.storage.now(connection)
            opinions = row.opinions
            said = connection.scalar(select(answers.c.text).where(*active(piece, who)))
            if said != text:
                if said is not None or row.leased_by != who or row.leased_until <= now:
                    raise LeaseError(
                        f"piece {piece} is not {who}'s to answer now: ask for a piece once more"
                    )
                values = {"piece": piece, "who": who, "text": text, "stored": now}
                connection.execute(answers.insert().values(**values))
                give_back(connection, who)
                opinions = max(opinions, self.opinions)
            settled = settle(connection, row, opinions)
        return Stored(piece=piece, text=text, settled=settled is not None)

    def skip(self, piece: int, who: str) -> None:
        """Give a piece back; the person sees it again when there is no other one for them.

        Raises:
            LeaseError: The person does not have the piece, or no longer.
        """
        who = checked_name(who)
        insert = postgresql.insert if self.storage.is_postgresql else sqlite.insert
        with self._person(who) as connection:
            row = locked(connection, piece)
            now = self.storage.now(connection)
            if row.leased_by != who or row.leased_until <= now:
                raise LeaseError(f"piece {piece} is not {who}'s to skip now")
            statement = insert(skips).values(piece=piece, who=who, skipped=now)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["piece", "who"], set_={"skipped": now}
                )
            )
            give_back(connection, who)

    def undo(self, who: str, seconds: float = LEASE_SECONDS) -> Undone:
        """Take a person's last answer back, and lend them its piece once more.

        Args:
            who: The person.
            seconds: Until somebody else may have the piece.

        Raises:
            LeaseError: The person has no answer left to take back.
        """
        who = checked_name(who)
        last = select(answers).where(answers.c.who == who, answers.c.undone.is_(None))
        with self._person(who) as connection:
            said = connection.execute(last.order_by(answers.c.id.desc()).limit(1)).first()
            if said is None:
                raise LeaseError(f"there is no answer of {who}'s to take back")
            row = locked(connection, said.piece)
            now = self.storage.now(connection)
            connection.execute(answers.update().where(answers.c.id == said.id).values(undone=now))
            settle(connection, row, row.opinions)
            is_free = row.leased_by in (None, who) or row.leased_until <= now
            if is_free:
                give_back(connection, who)
            leased = lend(connection, said.piece, who, now, seconds) if is_free else None
        return Undone(piece=said.piece, text=said.text, leased=leased)

    def counts(self) -> Counts:
        """Return how much there is to do."""
        with self.storage.reading() as connection:
            now = self.storage.now(connection)
            is_open = pieces.c.settled.is_(None)
            row = connection.execute(
                select(
                    func.count().filter(is_open),
                    func.count().filter(is_open, pieces.c.leased_until > now),
                    func.count().filter(~is_open),
                ).select_from(pieces)
            ).one()
        return Counts(open=row[0], leased=row[1], settled=row[2])

    def picture(self, piece: int) -> bytes:
        """Return the bytes of a piece's file; raises `LeaseError` if there is no such piece."""
        with self.storage.reading() as connection:
            wanted = select(contents.c.picture).where(contents.c.piece == piece)
            picture: bytes | None = connection.scalar(wanted)
        if picture is None:
            raise no_such(piece)
        return bytes(picture)

    def answers(self) -> Iterator[Answered]:
        """Yield the pieces that are settled, in the order they were added."""
        last = 0
        while True:
            with self.storage.reading() as connection:
                rows = settled_after(connection, last)
            if not rows:
                return
            yield from rows
            last = rows[-1].piece

    @contextmanager
    def _person(self, who: str) -> Iterator[Connection]:
        """Give a transaction in a person's name, one at a time."""
        with self.storage.writing() as connection:
            self.storage.only_one(connection, who)
            yield connection
