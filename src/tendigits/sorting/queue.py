"""The review queue: pieces that a person should look at, each lent to one person at a time.

What a method has returned is on the disk. A piece is settled once enough people say the same of it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from tendigits.errors import LeaseError, SettingError
from tendigits.results import REJECTED, Page
from tendigits.sorting.storage import Storage
from tendigits.sorting.tables import answers, contents, pieces, skips

LEASE_SECONDS = 120.0  # for one piece; whoever takes longer asks again, and has it still
LONGEST_NAME = 80  # characters of a person's name
LONGEST_TEXT = 200  # characters of an answer
MOST_AT_ONCE = 200  # pieces that are held in memory while all are walked through


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A piece, lent to one person.

    Attributes:
        piece: Its number.
        name: Where it came from, such as a file's name.
        format: What its fields keep to, by name; None for any digits.
        page: As the reader read it.
        seconds: That the person has for it.
    """

    piece: int
    name: str
    format: str | None
    page: Page
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An answer that is on the disk.

    Attributes:
        piece: The number of its piece.
        text: As it was stored.
        settled: Enough people say so; else somebody else sees the piece too.
    """

    piece: int
    text: str
    settled: bool


@dataclass(frozen=True, kw_only=True)
class Undone:
    """An answer that was taken back.

    Attributes:
        piece: The number of its piece.
        text: What it was.
        leased: The piece, lent to the person once more; None while somebody else has it.
    """

    piece: int
    text: str
    leased: Leased | None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much there is to do.

    Attributes:
        open: Pieces that are not settled.
        leased: Of these, those that somebody looks at now.
        settled: Pieces on which enough people agree.
    """

    open: int
    leased: int
    settled: int


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A piece that is settled.

    Attributes:
        piece: Its number.
        name: Where it came from.
        format: What its fields keep to, by name; None for any digits.
        page: As the reader read it.
        text: What is on it; ``?`` if nobody can tell.
        people: Who said so.
    """

    piece: int
    name: str
    format: str | None
    page: Page
    text: str
    people: tuple[str, ...]


class ReviewQueue:
    """Pieces for people to look at, in SQLite or PostgreSQL.

    Any number of threads, processes and, with PostgreSQL, machines may use one at once.

    Args:
        place: An SQLite file, made where it is missing, or ``postgresql://user@host/name``.
        opinions: How many people must say the same of a piece that is added by this object.

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
        who = _checked_name(who)
        with self.storage.writing() as connection:
            now = self.storage.now(connection)
            for candidates in (_leased_by(who, now), _free_for(who, now)):
                number = connection.scalar(candidates.with_for_update(of=pieces, skip_locked=True))
                if number is not None:
                    return _lend(connection, number, who, now, seconds)
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
        who, text = _checked_name(who), checked_text(text)
        with self.storage.writing() as connection:
            row = _locked(connection, piece)
            now = self.storage.now(connection)
            said = connection.scalar(select(answers.c.text).where(*_active(piece, who)))
            if said != text:
                if said is not None or row.leased_by != who or row.leased_until <= now:
                    raise LeaseError(
                        f"piece {piece} is not {who}'s to answer now: ask for a piece once more"
                    )
                values = {"piece": piece, "who": who, "text": text, "stored": now}
                connection.execute(answers.insert().values(**values))
                _give_back(connection, who)
            settled = _settle(connection, piece, row.opinions)
        return Stored(piece=piece, text=text, settled=settled is not None)

    def skip(self, piece: int, who: str) -> None:
        """Give a piece back; the person sees it again when there is no other one for them.

        Raises:
            LeaseError: The person does not have the piece, or no longer.
        """
        who = _checked_name(who)
        insert = postgresql.insert if self.storage.is_postgresql else sqlite.insert
        with self.storage.writing() as connection:
            row = _locked(connection, piece)
            now = self.storage.now(connection)
            if row.leased_by != who or row.leased_until <= now:
                raise LeaseError(f"piece {piece} is not {who}'s to skip now")
            statement = insert(skips).values(piece=piece, who=who, skipped=now)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["piece", "who"], set_={"skipped": now}
                )
            )
            _give_back(connection, who)

    def undo(self, who: str, seconds: float = LEASE_SECONDS) -> Undone:
        """Take a person's last answer back, and lend them its piece once more.

        Args:
            who: The person.
            seconds: Until somebody else may have the piece.

        Raises:
            LeaseError: The person has no answer left to take back.
        """
        who = _checked_name(who)
        last = select(answers).where(answers.c.who == who, answers.c.undone.is_(None))
        with self.storage.writing() as connection:
            said = connection.execute(last.order_by(answers.c.id.desc()).limit(1)).first()
            if said is None:
                raise LeaseError(f"there is no answer of {who}'s to take back")
            row = _locked(connection, said.piece)
            now = self.storage.now(connection)
            connection.execute(answers.update().where(answers.c.id == said.id).values(undone=now))
            _settle(connection, said.piece, row.opinions)
            is_free = row.leased_by in (None, who) or row.leased_until <= now
            if is_free:
                _give_back(connection, who)
            leased = _lend(connection, said.piece, who, now, seconds) if is_free else None
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
            raise _no_such(piece)
        return bytes(picture)

    def answers(self) -> Iterator[Answered]:
        """Yield the pieces that are settled, in the order they were added."""
        last = 0
        while rows := self._settled_after(last):
            yield from rows
            last = rows[-1].piece

    def _settled_after(self, last: int) -> list[Answered]:
        """Return the next pieces that are settled."""
        wanted = select(pieces, contents.c.page).join(contents, contents.c.piece == pieces.c.id)
        wanted = wanted.where(pieces.c.id > last, pieces.c.settled.is_not(None))
        with self.storage.reading() as connection:
            rows = connection.execute(wanted.order_by(pieces.c.id).limit(MOST_AT_ONCE)).all()
            numbers = [row.id for row in rows]
            said = select(answers).where(answers.c.piece.in_(numbers), answers.c.undone.is_(None))
            people: dict[tuple[int, str], list[str]] = {}
            for each in connection.execute(said.order_by(answers.c.id)):
                people.setdefault((each.piece, each.text), []).append(each.who)
        return [
            Answered(
                piece=row.id,
                name=row.name,
                format=row.format,
                page=Page.from_dict(json.loads(row.page)),
                text=row.settled,
                people=tuple(people.get((row.id, row.settled), ())),
            )
            for row in rows
        ]


def checked_text(text: str) -> str:
    """Return an answer with single blanks between its fields; raises `SettingError` for none.

    >>> checked_text(" 94703   1234 "), checked_text("94703-1234"), checked_text("?")
    ('94703 1234', '94703-1234', '?')
    """
    clean = " ".join(text.split())
    digits = clean.replace(" ", "").replace("-", "")
    if clean != REJECTED and not (digits.isascii() and digits.isdigit()):
        raise SettingError(
            "this is no answer: expected digits, blanks between fields, or ? if nobody can tell"
        )
    if len(clean) > LONGEST_TEXT:
        raise SettingError(f"the answer has {len(clean)} characters: expected {LONGEST_TEXT}")
    return clean


def _checked_name(who: str) -> str:
    """Return a person's name without blanks around it; raises `SettingError` for none."""
    clean = " ".join(who.split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise SettingError(
            f"this is no name of a person: expected 1 to {LONGEST_NAME} printable characters"
        )
    return clean


def _no_such(piece: int) -> LeaseError:
    return LeaseError(f"there is no piece {piece}: ask for one")


def _locked(connection: Connection, piece: int) -> Row[Any]:
    """Return a piece that nobody else changes until the transaction ends."""
    row = connection.execute(select(pieces).where(pieces.c.id == piece).with_for_update()).first()
    if row is None:
        raise _no_such(piece)
    return row


def _active(piece: int, who: str) -> tuple[Any, ...]:
    """Return the conditions for a person's answer to a piece that counts."""
    return answers.c.piece == piece, answers.c.who == who, answers.c.undone.is_(None)


def _leased_by(who: str, now: float) -> Select[tuple[int]]:
    """Select the piece that a person has."""
    is_theirs = (pieces.c.leased_by == who, pieces.c.leased_until > now)
    return select(pieces.c.id).where(pieces.c.settled.is_(None), *is_theirs).limit(1)


def _free_for(who: str, now: float) -> Select[tuple[int]]:
    """Select the next piece that nobody has, that a person has not answered; skipped ones last."""
    said = select(answers.c.id).where(
        answers.c.piece == pieces.c.id, answers.c.who == who, answers.c.undone.is_(None)
    )
    skipped = select(skips.c.skipped).where(skips.c.piece == pieces.c.id, skips.c.who == who)
    is_free = or_(pieces.c.leased_by.is_(None), pieces.c.leased_until <= now)
    free = select(pieces.c.id).where(pieces.c.settled.is_(None), is_free, ~said.exists())
    return free.order_by(func.coalesce(skipped.scalar_subquery(), 0), pieces.c.id).limit(1)


def _lend(connection: Connection, piece: int, who: str, now: float, seconds: float) -> Leased:
    """Lend a piece that is locked."""
    is_it = pieces.c.id == piece
    connection.execute(
        pieces.update().where(is_it).values(leased_by=who, leased_until=now + seconds)
    )
    wanted = select(pieces, contents.c.page).join(contents, contents.c.piece == pieces.c.id)
    row = connection.execute(wanted.where(is_it)).one()
    page = Page.from_dict(json.loads(row.page))
    return Leased(piece=piece, name=row.name, format=row.format, page=page, seconds=seconds)


def _give_back(connection: Connection, who: str) -> None:
    """End whatever was lent to a person."""
    ended = {"leased_by": None, "leased_until": 0.0}
    connection.execute(pieces.update().where(pieces.c.leased_by == who).values(**ended))


def _settle(connection: Connection, piece: int, opinions: int) -> str | None:
    """Note what enough people say of a piece, and return it; None if they do not agree yet."""
    said = select(answers.c.text).where(answers.c.piece == piece, answers.c.undone.is_(None))
    agreed = said.group_by(answers.c.text).having(func.count() >= opinions).limit(1)
    text = connection.scalar(agreed)
    connection.execute(pieces.update().where(pieces.c.id == piece).values(settled=text))
    return text
