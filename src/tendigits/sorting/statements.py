"""What the review queue asks of its tables, inside a transaction of `storage.Storage`."""

import json
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from tendigits.errors import LeaseError
from tendigits.results import Page
from tendigits.sorting.agreement import agreed, meaning
from tendigits.sorting.pieces import Answered, Leased
from tendigits.sorting.tables import answers, contents, pieces, skips

MOST_AT_ONCE = 200  # pieces that are held in memory while all are walked through


def no_such(piece: int) -> LeaseError:
    """Return the error for a piece that is not in the queue."""
    return LeaseError(f"there is no piece {piece}: ask for one")


def locked(connection: Connection, piece: int) -> Row[Any]:
    """Return a piece that nobody else changes until the transaction ends."""
    row = connection.execute(select(pieces).where(pieces.c.id == piece).with_for_update()).first()
    if row is None:
        raise no_such(piece)
    return row


def active(piece: int, who: str) -> tuple[Any, ...]:
    """Return the conditions for a person's answer to a piece that counts."""
    return answers.c.piece == piece, answers.c.who == who, answers.c.undone.is_(None)


def leased_by(who: str, now: float) -> Select[Any]:
    """Select the piece that a person has."""
    is_theirs = (pieces.c.leased_by == who, pieces.c.leased_until > now)
    return select(pieces.c.id).where(pieces.c.settled.is_(None), *is_theirs).limit(1)


def free_for(who: str, now: float) -> Select[Any]:
    """Select the first piece that nobody has and that a person has neither answered nor skipped."""
    skipped = select(skips.c.piece).where(skips.c.piece == pieces.c.id, skips.c.who == who)
    return _free(who, now).where(~skipped.exists()).order_by(pieces.c.id)


def skipped_by(who: str, now: float) -> Select[Any]:
    """Select the piece that nobody has and that a person has skipped, the longest ago."""
    is_theirs = (skips.c.piece == pieces.c.id) & (skips.c.who == who)
    return _free(who, now).join(skips, is_theirs).order_by(skips.c.skipped)


def _free(who: str, now: float) -> Select[Any]:
    """Select one of the pieces that nobody has and that a person has not answered."""
    said = select(answers.c.id).where(
        answers.c.piece == pieces.c.id, answers.c.who == who, answers.c.undone.is_(None)
    )
    is_free = or_(pieces.c.leased_by.is_(None), pieces.c.leased_until <= now)
    return select(pieces.c.id).where(pieces.c.settled.is_(None), is_free, ~said.exists()).limit(1)


def lend(connection: Connection, piece: int, who: str, now: float, seconds: float) -> Leased:
    """Lend a piece that is locked."""
    is_it = pieces.c.id == piece
    connection.execute(
        pieces.update().where(is_it).values(leased_by=who, leased_until=now + seconds)
    )
    wanted = select(pieces, contents.c.page).join(contents, contents.c.piece == pieces.c.id)
    row = connection.execute(wanted.where(is_it)).one()
    page = Page.from_dict(json.loads(row.page))
    return Leased(piece=piece, name=row.name, format=row.format, page=page, seconds=seconds)


def give_back(connection: Connection, who: str) -> None:
    """End whatever was lent to a person."""
    ended = {"leased_by": None, "leased_until": 0.0}
    connection.execute(pieces.update().where(pieces.c.leased_by == who).values(**ended))


def settle(connection: Connection, row: Row[Any], opinions: int) -> str | None:
    """Note how many people must agree on a piece, and what they say; None if they do not yet."""
    said = select(answers.c.text).where(answers.c.piece == row.id, answers.c.undone.is_(None))
    texts = connection.scalars(said.order_by(answers.c.id)).all()
    text = agreed(texts, row.format, opinions)
    noted = {"opinions": opinions, "settled": text}
    connection.execute(pieces.update().where(pieces.c.id == row.id).values(**noted))
    return text


def settled_after(connection: Connection, last: int) -> list[Answered]:
    """Return the next pieces that are settled."""
    wanted = select(pieces, contents.c.page).join(contents, contents.c.piece == pieces.c.id)
    wanted = wanted.where(pieces.c.id > last, pieces.c.settled.is_not(None))
    rows = connection.execute(wanted.order_by(pieces.c.id).limit(MOST_AT_ONCE)).all()
    formats = {row.id: row.format for row in rows}
    said = select(answers).where(answers.c.piece.in_(formats), answers.c.undone.is_(None))
    people: dict[tuple[int, str], list[str]] = {}
    for each in connection.execute(said.order_by(answers.c.id)):
        says = each.piece, meaning(each.text, formats[each.piece])
        people.setdefault(says, []).append(each.who)
    return [
        Answered(
            piece=row.id,
            name=row.name,
            format=row.format,
            page=Page.from_dict(json.loads(row.page)),
            text=row.settled,
            people=tuple(people.get((row.id, meaning(row.settled, row.format)), ())),
        )
        for row in rows
    ]
