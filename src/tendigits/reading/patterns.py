"""Regular expressions over digits, as automata that a reading is held against digit by digit.

Glushkov, "The abstract theory of automata", 1961: each digit of an expression, its repeats written
out, is a place, and a state is the set of places where the last digit may stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tendigits.errors import SettingError
from tendigits.reading.expressions import (
    ALL_DIGITS,
    Both,
    Either,
    Expression,
    Many,
    OneOf,
)

MOST_WAYS = 10_000  # places of all states that a string may be in after some digits, to bound time
MOST_LENGTH = 64  # digits of an expression without a bound that are counted
BEFORE = 1  # the state before the first digit, which is at a place of its own


@dataclass(frozen=True)
class Ends:
    """Where strings that match a part of an expression may begin and end.

    Attributes:
        first: A bit for each place of a first digit.
        last: The same of a last digit.
        may_be_empty: Whether the string of no digits matches.
    """

    first: int
    last: int
    may_be_empty: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """The places of an expression, as they are met from left to right.

    Attributes:
        following: For each place, a bit for each that may come next; the first place is `BEFORE`.
        standing: For each digit, a bit for each place where it may stand.
    """

    following: list[int] = field(default_factory=lambda: [0])
    standing: list[int] = field(default_factory=lambda: [0] * len(ALL_DIGITS))

    def add(self, expression: Expression) -> Ends:
        """Take up the places of a part of an expression."""
        match expression:
            case OneOf(digits):
                place = 1 << len(self.following)
                self.following.append(0)
                for digit in digits:
                    self.standing[digit] |= place
                return Ends(place, place, may_be_empty=False)
            case Both(first, second):
                one, other = self.add(first), self.add(second)
                self.join(one.last, other.first)
                return Ends(
                    one.first | (other.first if one.may_be_empty else 0),
                    other.last | (one.last if other.may_be_empty else 0),
                    may_be_empty=one.may_be_empty and other.may_be_empty,
                )
            case Either(first, second):
                one, other = self.add(first), self.add(second)
                return Ends(
                    one.first | other.first,
                    one.last | other.last,
                    may_be_empty=one.may_be_empty or other.may_be_empty,
                )
            case Many(part):
                one = self.add(part)
                self.join(one.last, one.first)
                return Ends(one.first, one.last, may_be_empty=True)
        return Ends(0, 0, may_be_empty=True)

    def join(self, before: int, after: int) -> None:
        """Let some places come next after others."""
        for place in bits(before):
            self.following[place] |= after


def bits(number: int) -> Iterator[int]:
    """Yield which bits of a number are set, the lowest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number -= lowest


@dataclass(frozen=True)
class Pattern:
    r"""Rules that a regular expression over digits sets.

    >>> from tendigits.reading.expressions import parse
    >>> zips = Pattern(parse(r"\d{5}"))
    >>> sorted(zips.lengths)
    [5]
    """

    expression: Expression

    @cached_property
    def _automaton(self) -> tuple[Places, int]:
        """The places, and a bit for each where a string that matches may end."""
        places = Places()
        ends = places.add(self.expression)
        places.join(BEFORE, ends.first)
        return places, ends.last | (BEFORE if ends.may_be_empty else 0)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many strings of 0, 1, 2, ... digits match.

        Raises:
            SettingError: To count them would take long, as to read would.
        """
        states = {self.start(): 1}
        found = []
        for _ in range(MOST_LENGTH + 1):
            found.append(sum(n for state, n in states.items() if self.is_whole(state)))
            following: dict[int, int] = {}
            for state, ways in states.items():
                for new in self._after(state):
                    following[new] = following.get(new, 0) + ways
            following.pop(0, None)
            if sum(map(int.bit_count, following)) > MOST_WAYS:
                raise SettingError(
                    "the regular expression can be read in too many ways: expected a simpler one"
                )
            if not following:
                break
            states = following
        return tuple(found)

    def _after(self, state: int) -> list[int]:
        """Return the state after each digit; 0 where it may not come."""
        places, _ = self._automaton
        following = 0
        for place in bits(state):
            following |= places.following[place]
        return [following & standing for standing in places.standing]

    @property
    def lengths(self) -> frozenset[int] | None:
        """How many digits a string that matches may have."""
        return frozenset(length for length, ways in enumerate(self.counts) if ways and length)

    def start(self) -> int:
        """Return the state before the first digit."""
        return BEFORE

    def step(self, state: int, digit: int) -> int | None:
        """Return the state after another digit; None if it may not come."""
        return self._after(state)[digit] or None

    def is_whole(self, state: int) -> bool:
        """Say whether the digits so far match."""
        _, last = self._automaton
        return bool(state & last)
