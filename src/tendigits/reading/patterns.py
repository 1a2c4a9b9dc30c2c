"""Regular expressions over digits, as automata that a reading is held against digit by digit.

Brzozowski, "Derivatives of regular expressions", 1964: what is left of an expression after a digit
is an expression again. Those that turn up are the states.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from tendigits.errors import SettingError

ALL_DIGITS = frozenset(range(10))
MOST_REPEATS = 64  # of a part of an expression; a field has 25 digits at most
MOST_REPEATED = 1_000  # the numbers of all repeats of an expression, multiplied
MOST_CHARACTERS = 200  # of an expression
MOST_STATES = 2_000  # that a string may be in after some digits
MOST_LENGTH = 64  # digits of an expression without a bound that are counted


@dataclass(frozen=True)
class Nothing:
    """No string at all."""


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

    ways: frozenset["Expression"]


@dataclass(frozen=True)
class Many:
    """An expression, any number of times."""

    part: "Expression"


Expression = Nothing | Empty | OneOf | Both | Either | Many


def both(first: Expression, second: Expression) -> Expression:
    """Return one expression, then another, in the simplest form."""
    if isinstance(first, Nothing) or isinstance(second, Nothing):
        return Nothing()
    if isinstance(first, Empty):
        return second
    if isinstance(second, Empty):
        return first
    return Both(first, second)


def either(*ways: Expression) -> Expression:
    """Return an expression that matches what any of `ways` matches, in the simplest form."""
    flat: set[Expression] = set()
    for way in ways:
        flat |= way.ways if isinstance(way, Either) else {way}
    flat.discard(Nothing())
    if not flat:
        return Nothing()
    return flat.pop() if len(flat) == 1 else Either(frozenset(flat))


def matches_nothing_more(expression: Expression) -> bool:
    """Say whether the empty string matches."""
    match expression:
        case Empty() | Many():
            return True
        case Both(first, second):
            return matches_nothing_more(first) and matches_nothing_more(second)
        case Either(ways):
            return any(map(matches_nothing_more, ways))
    return False


@lru_cache(maxsize=10_000)
def after(expression: Expression, digit: int) -> Expression:
    """Return what may follow a digit."""
    match expression:
        case OneOf(digits):
            return Empty() if digit in digits else Nothing()
        case Both(first, second):
            rest = both(after(first, digit), second)
            return either(rest, after(second, digit)) if matches_nothing_more(first) else rest
        case Either(ways):
            return either(*(after(way, digit) for way in ways))
        case Many(part):
            return both(after(part, digit), expression)
    return Nothing()


@dataclass(frozen=True)
class Pattern:
    r"""Rules that a regular expression over digits sets.

    >>> zips = Pattern(parse(r"\d{5}"))
    >>> sorted(zips.lengths)
    [5]
    """

    expression: Expression

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many strings of 0, 1, 2, ... digits match."""
        states = {self.expression: 1}
        found = []
        for _ in range(MOST_LENGTH + 1):
            found.append(sum(n for state, n in states.items() if matches_nothing_more(state)))
            following: dict[Expression, int] = {}
            for state, ways in states.items():
                for digit in ALL_DIGITS:
                    new = after(state, digit)
                    if not isinstance(new, Nothing):
                        following[new] = following.get(new, 0) + ways
            states = following
            if len(states) > MOST_STATES:
                raise SettingError("the regular expression can be read in too many ways")
            if not states:
                break
        return tuple(found)

    @property
    def lengths(self) -> frozenset[int] | None:
        """How many digits a string that matches may have."""
        return frozenset(length for length, ways in enumerate(self.counts) if ways and length)

    def start(self) -> Expression:
        """Return the state before the first digit."""
        return self.expression

    def step(self, state: Expression, digit: int) -> Expression | None:
        """Return the state after another digit; None if it may not come."""
        new = after(state, digit)
        return None if isinstance(new, Nothing) else new

    def is_whole(self, state: Expression) -> bool:
        """Say whether the digits so far match."""
        return matches_nothing_more(state)


def parse(text: str) -> Expression:
    r"""Parse a regular expression: digits, ``\d``, ``.``, ``[0-35]``, groups, ``|``, repeats.

    Raises:
        SettingError: It has something else, is not whole, or is too long.
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
    if isinstance(expression, Nothing | Empty):
        raise SettingError("the regular expression is empty: expected digits in it")
    return expression


class _Parser:
    """Parses a regular expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.repeats = 1  # all of them, multiplied

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
        ways = [self.sequence()]
        while self.take("|"):
            ways.append(self.sequence())
        return either(*ways)

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
        part = self.single()
        while self.next() and self.next() in "?*+{":
            least, most = self.bounds()
            self.repeats *= max(1, least, most or 0)
            if self.repeats > MOST_REPEATED:
                raise self.error()
            whole: Expression = Many(part) if most is None else Empty()
            for _ in range(0 if most is None else most - least):
                whole = either(Empty(), both(part, whole))
            for _ in range(least):
                whole = both(part, whole)
            part = whole
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
        if start == self.place or int(self.text[start : self.place]) > MOST_REPEATS:
            raise self.error()
        return int(self.text[start : self.place])

    def single(self) -> Expression:
        """Parse a digit, a set of digits or a group."""
        character = self.next()
        if character.isascii() and character.isdecimal():
            self.place += 1
            return OneOf(frozenset({int(character)}))
        if self.take("."):
            return OneOf(ALL_DIGITS)
        if self.text.startswith("\\d", self.place):
            self.place += 2
            return OneOf(ALL_DIGITS)
        if self.take("("):
            inner = self.alternatives()
            if self.take(")"):
                return inner
        elif self.take("["):
            return OneOf(self.members())
        raise self.error()

    def members(self) -> frozenset[int]:
        """Parse what stands in brackets."""
        inverted = self.take("^")
        digits: set[int] = set()
        while not self.take("]"):
            low = self.digit()
            high = self.digit() if self.take("-") else low
            digits |= set(range(low, high + 1))
        return ALL_DIGITS - digits if inverted else frozenset(digits)

    def digit(self) -> int:
        """Parse one digit."""
        character = self.next()
        if not (character.isascii() and character.isdecimal()):
            raise self.error()
        self.place += 1
        return int(character)
