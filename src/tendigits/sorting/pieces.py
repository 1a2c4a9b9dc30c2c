"""A piece of the review queue, as it is lent, answered, taken back and settled."""

from dataclasses import dataclass

from tendigits.errors import SettingError
from tendigits.results import REJECTED, Page

LONGEST_NAME = 80  # characters of a person's name
LONGEST_TEXT = 200  # characters of an answer


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


def checked_name(who: str) -> str:
    """Return a person's name without blanks around it; raises `SettingError` for none."""
    clean = " ".join(who.split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise SettingError(
            f"this is no name of a person: expected 1 to {LONGEST_NAME} printable characters"
        )
    return clean
