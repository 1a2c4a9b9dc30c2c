"""Regular expressions over digits, parsed."""

from dataclasses import dataclass

from tendigits.errors import SettingError

ALL_DIGITS = frozenset(range(10))
MOST_REPEATS = 64  # of a part of an expression; a field has 25 digits at most
MOST_WRITTEN = 1_000  # digits of an expression with its repeats written out
MOST_CHARACTERS = 200  # of an expression
QUANTIFIERS = "?*+{"  # begin how often something comes


@dataclass(frozen=True)
class Empty:
    """The string of no digits."""


@dataclass(frozen=True)
class OneOf:
    """One digit of a set."""

    digits: frozenset[int]


@dataclass(frozen=True)
class Both:
    """One expression, then another."""

    first: "Expression"
    second: "Expression"


@dataclass(frozen=True)
class Either:
    """One expression, or another."""

    first: "Expression"
    second: "Expression"


@dataclass(frozen=True)
class Many:
    """An expression, any number of times."""

    part: "Expression"


Expression = Empty | OneOf | Both | Either | Many


def both(first: Expression, second: Expression) -> Expression:
    """Return one expression, then another, in the simplest form."""
    if isinstance(first, Empty):
        return second
    return first if isinstance(second, Empty) else Both(first, second)


def repeat(part: Expression, least: int, most: int | None) -> Expression:
    """Return an expression so many times; any number where `most` is None."""
    whole: Expression = Many(part) if most is None else Empty()
    for _ in range(0 if most is None else most - least):
        whole = Either(Empty(), both(part, whole))
    for _ in range(least):
        whole = both(part, whole)
    return whole


def parse(text: str) -> Expression:
    r"""Parse a regular expression: digits, ``\d``, ``.``, ``[0-35]``, groups, ``|``, repeats.

    Raises:
        SettingError: It has something else, is not whole, is too long or repeats too much.
    """
    if len(text) > MOST_CHARACTERS:
        raise SettingError(
            f"the regular expression has {len(text):,} characters: expected at most "
            f"{MOST_CHARACTERS}"
        )
    parser = _Parser(text)
    expression = parser.alternatives()
    if parser.place < len(text):
        raise parser.error()
    if isinstance(expression, Empty):
        raise SettingError("the regular expression is empty: expected digits in it")
    return expression


class _Parser:
    """Parses a regular expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.written = 0  # digits so far, with repeats written out

    def error(self) -> SettingError:
        """Return what is wrong where the parser stands."""
        return SettingError(
            f"the regular expression {self.text!r} cannot be used from position {self.place}: "
            r"expected digits, \d, ., [...], (...), |, ?, *, + and {m,n}"
        )

    def next(self) -> str:
        """Return the next character; an empty string at the end."""
        return self.text[self.place : self.place + 1]

    def take(self, character: str) -> bool:
        """Step over a character if it is the next one."""
        found = self.next() == character
        self.place += found
        return found

    def alternatives(self) -> Expression:
        """Parse expressions with ``|`` between them."""
        whole = self.sequence()
        while self.take("|"):
            whole = Either(whole, self.sequence())
        return whole

    def sequence(self) -> Expression:
        """Parse expressions one after the other."""
        parts: list[Expression] = []
        while self.next() and self.next() not in "|)":
            parts.append(self.repeated())
        whole: Expression = Empty()
        for part in reversed(parts):
            whole = both(part, whole)
        return whole

    def repeated(self) -> Expression:
        """Parse one thing and how often it comes."""
        before = self.written
        part = self.single()
        if self.next() and self.next() in QUANTIFIERS:
            least, most = self.bounds()
            once = max(1, self.written - before)
            self.written = before + once * max(1, least + 1 if most is None else most)
            if self.written > MOST_WRITTEN:
                raise SettingError(
                    f"the regular expression {self.text!r} is too long with its repeats written "
                    f"out: expected at most {MOST_WRITTEN:,} digits"
                )
            part = repeat(part, least, most)
            if self.next() and self.next() in QUANTIFIERS:  # lazy, possessive or twice: not here
                raise self.error()
        return part

    def bounds(self) -> tuple[int, int | None]:
        """Parse how often something comes: least and most."""
        for character, known in (("?", (0, 1)), ("*", (0, None)), ("+", (1, None))):
            if self.take(character):
                return known
        self.take("{")
        least = self.number()
        most: int | None = least
        if self.take(","):
            most = None if self.next() == "}" else self.number()
        if not self.take("}") or (most is not None and most < least):
            raise self.error()
        return least, most

    def number(self) -> int:
        """Parse a number of repeats."""
        start = self.place
        while self.next().isdecimal() and self.next().isascii():
            self.place += 1
        if start == self.place:
            raise self.error()
        count = int(self.text[start : self.place])
        if count > MOST_REPEATS:
            raise SettingError(
                f"the regular expression {self.text!r} repeats a part {count:,} times: expected at "
                f"most {MOST_REPEATS}"
            )
        return count

    def single(self) -> Expression:
        """Parse a digit, a set of digits or a group."""
        if self.take("("):
            inner = self.alternatives()
            if self.take(")"):
                return inner
            raise self.error()
        self.written += 1
        if self.take("."):
            return OneOf(ALL_DIGITS)
        if self.text.startswith("\\d", self.place):
            self.place += 2
            return OneOf(ALL_DIGITS)
        return OneOf(self.members() if self.take("[") else frozenset({self.digit()}))

    def members(self) -> frozenset[int]:
        """Parse what stands in brackets."""
        inverted = self.take("^")
        digits: set[int] = set()
        while not self.take("]"):
            low = self.digit()
            high = self.digit() if self.take("-") else low
            if high < low:
                raise self.error()
            digits |= set(range(low, high + 1))
        members = ALL_DIGITS - digits if inverted else frozenset(digits)
        if not members:
            raise SettingError(
                f"the regular expression {self.text!r} has brackets that no digit is in: expected "
                "one or more, as [0-35]"
            )
        return members

    def digit(self) -> int:
        """Parse one digit."""
        character = self.next()
        if not (character.isascii() and character.isdecimal()):
            raise self.error()
        self.place += 1
        return int(character)
