"""Lists of codes that exist, and check digits: rules that a reading is held against."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tendigits.errors import DataFormatError, DataNotFoundError
from tendigits.reading.search import Rules

SEPARATORS = str.maketrans("", "", " -./\t\r\"'")  # what people write within a code


@dataclass(frozen=True, kw_only=True)
class CodeList:
    """Rules that only codes of a list keep.

    The sorted list is its own trie: the codes that begin with some digits lie side by side, and
    two binary searches find where those with one digit more begin and end.

    Attributes:
        codes: Strings of digits, sorted, each once.
    """

    codes: Sequence[str]

    @cached_property
    def lengths(self) -> frozenset[int] | None:
        """How many digits there are in a code."""
        return frozenset(map(len, self.codes))

    def start(self) -> tuple[int, int, str]:
        """Return the state before the first digit: the codes' begin and end, and the digits."""
        return 0, len(self.codes), ""

    def step(self, state: Any, digit: int) -> tuple[int, int, str] | None:
        """Return the state after another digit; None if no code goes on so."""
        low, high, prefix = state
        prefix += str(digit)
        low = bisect_left(self.codes, prefix, low, high)
        high = bisect_left(self.codes, prefix + ":", low, high)  # ":" comes after "9"
        return (low, high, prefix) if low < high else None

    def is_whole(self, state: Any) -> bool:
        """Say whether the digits so far are a code."""
        low, _, prefix = state
        return bool(self.codes[low] == prefix)


def load_code_list(path: Path) -> CodeList:
    """Return the rules that only the codes in a file keep.

    Args:
        path: A text file with a code on each line, before the first comma or semicolon; empty
            lines, lines that begin with ``#``, and a first line without digits are left out.

    Raises:
        DataNotFoundError: There is no such file, or it cannot be read.
        DataFormatError: A line holds no code; the message has its number.
    """
    try:
        if not path.is_file():
            raise DataNotFoundError(f"{path}: there is no such file: expected a list of codes")
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise DataNotFoundError(
            f"{path}: cannot be read ({error.strerror}): expected a list of codes"
        ) from error
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path}: is no text in UTF-8: expected a code on a line") from error
    codes = []
    for number, line in enumerate(lines, 1):
        code = line.replace(";", ",").partition(",")[0].translate(SEPARATORS)
        if not code or code.startswith("#") or (number == 1 and not any(map(str.isdigit, code))):
            continue
        if not (code.isascii() and code.isdecimal()):
            raise DataFormatError(f"{path}: line {number} holds {code!r}: expected digits")
        codes.append(code)
    if not codes:
        raise DataFormatError(f"{path}: holds no code: expected one on a line")
    return CodeList(codes=sorted(set(codes)))


@dataclass(frozen=True, kw_only=True)
class CheckDigits:
    """Rules that numbers keep whose weighted digits add up to 0.

    Attributes:
        weights: Of the digits from the left; as many as the number has digits.
        modulus: What the sum is divided by.
        doubled: Where a weight is 2 and the product has two digits, these are added (Luhn).
    """

    weights: tuple[int, ...]
    modulus: int
    doubled: bool = False

    @property
    def lengths(self) -> frozenset[int] | None:
        """How many digits a number has."""
        return frozenset({len(self.weights)})

    def start(self) -> tuple[int, int]:
        """Return the state before the first digit: digits so far, and their sum."""
        return 0, 0

    def step(self, state: Any, digit: int) -> tuple[int, int] | None:
        """Return the state after another digit."""
        place, total = state
        if place == len(self.weights):
            return None
        product = self.weights[place] * digit
        if self.doubled and product > 9:
            product -= 9
        return place + 1, (total + product) % self.modulus

    def is_whole(self, state: Any) -> bool:
        """Say whether the number passes the check."""
        return bool(state == (len(self.weights), 0))


def luhn(length: int) -> CheckDigits:
    """Return the rules of card numbers and many others, of `length` digits (ISO/IEC 7812-1)."""
    weights = tuple(2 if (length - place) % 2 == 0 else 1 for place in range(length))
    return CheckDigits(weights=weights, modulus=10, doubled=True)


def isbn_10() -> CheckDigits:
    """Return the rules of book numbers of ten digits; those that end in X are not digits."""
    return CheckDigits(weights=tuple(range(10, 0, -1)), modulus=11)


def ean_13() -> CheckDigits:
    """Return the rules of article numbers of 13 digits, book numbers among them."""
    return CheckDigits(weights=(1, 3) * 6 + (1,), modulus=10)


@dataclass(frozen=True, kw_only=True)
class AllOf:
    """Rules that keep to several others.

    Attributes:
        parts: The others, at least one.
    """

    parts: tuple[Rules, ...]

    @property
    def lengths(self) -> frozenset[int] | None:
        """How many digits all of them allow."""
        known = [part.lengths for part in self.parts if part.lengths is not None]
        return frozenset.intersection(*known) if known else None

    def start(self) -> tuple[Any, ...]:
        """Return the state before the first digit."""
        return tuple(part.start() for part in self.parts)

    def step(self, state: Any, digit: int) -> tuple[Any, ...] | None:
        """Return the state after another digit; None if one of them forbids it."""
        new = tuple(part.step(one, digit) for part, one in zip(self.parts, state, strict=True))
        return None if None in new else new

    def is_whole(self, state: Any) -> bool:
        """Say whether the digits so far may be all."""
        return all(part.is_whole(one) for part, one in zip(self.parts, state, strict=True))
