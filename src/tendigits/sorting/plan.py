"""The plan of a sorting: which bin a piece goes to, by the beginning of its code.

A plan is a CSV file with a head; the longest prefix that a code begins with says its bin.

    prefix,bin
    9,west
    947,berkeley

>>> plan = Plan(bins={"9": "west", "947": "berkeley"})
>>> plan.find_bin("94703"), plan.find_bin("90210"), plan.find_bin("10001")
('berkeley', 'west', 'unrouted')
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tendigits.errors import DataFormatError, DataNotFoundError

HEAD = ["prefix", "bin"]
MOST_BYTES = 10_000_000  # of a plan: every ZIP code with a bin each has under 2 million

REVIEW = "review"  # a person reads it
UNREADABLE = "unreadable"  # no picture
UNROUTED = "unrouted"  # read, but the plan has no such code
OWN_BINS = (REVIEW, UNREADABLE, UNROUTED)

PREFIX = re.compile(r"[0-9]{1,25}")
BIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,63}")  # the name of a folder on every system
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # never on Windows


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where mail goes.

    Attributes:
        bins: The name of a bin for each prefix of a code, one digit or more.
    """

    bins: Mapping[str, str]

    def find_bin(self, code: str) -> str:
        """Return the bin of the longest prefix that a code begins with, or ``unrouted``."""
        for length in range(len(code), 0, -1):
            if code[:length] in self.bins:
                return self.bins[code[:length]]
        return UNROUTED

    def names(self) -> list[str]:
        """Return the names of its bins, each once, in the order of the plan."""
        return list(dict.fromkeys(self.bins.values()))


def load_plan(path: Path) -> Plan:
    """Load a plan from a CSV file.

    Args:
        path: UTF-8, with the head ``prefix,bin``. Lines that are empty or begin with ``#`` say
            nothing.

    Raises:
        DataNotFoundError: There is no such file, or it may not be read.
        DataFormatError: A line is not as described, a prefix comes twice, two bins differ only in
            upper and lower case, or there is no line; the message names the line.
    """
    lines = _read_lines(path)
    number, head = next(lines, (1, []))
    if head != HEAD:
        raise DataFormatError(f"{path}, line {number}: is no head: expected prefix,bin first")
    bins: dict[str, str] = {}
    places: dict[str, int] = {}
    spellings: dict[str, str] = {}
    for number, parts in lines:
        reason = _what_is_wrong(parts)
        if not reason and parts[0] in places:
            reason = f"the prefix {parts[0]} was on line {places[parts[0]]} already"
        if not reason and spellings.setdefault(parts[1].lower(), parts[1]) != parts[1]:
            reason = f"the bin {parts[1]!r} was {spellings[parts[1].lower()]!r} before"
        if reason:
            raise DataFormatError(f"{path}, line {number}: {reason}")
        bins[parts[0]] = parts[1]
        places[parts[0]] = number
    if not bins:
        raise DataFormatError(f"{path}: has no line but its head: expected a prefix and a bin")
    return Plan(bins=bins)


def _read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the parts of every line that says something."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataNotFoundError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > MOST_BYTES:
        raise DataFormatError(f"{path}: is too large: expected at most {MOST_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path}: is not UTF-8 text: expected a CSV file") from error
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            (parts,) = csv.reader([line], strict=True)
        except csv.Error as error:
            raise DataFormatError(f"{path}, line {number}: is no line of CSV ({error})") from error
        yield number, [part.strip() for part in parts]


def _what_is_wrong(parts: list[str]) -> str:
    """Return what is wrong with the parts of a line, nothing if nothing is."""
    if len(parts) != len(HEAD):
        return f"has {len(parts)} parts: expected two, a prefix and a bin"
    prefix, name = parts
    if not PREFIX.fullmatch(prefix):
        return f"the prefix is {prefix!r}: expected 1 to 25 digits"
    if not BIN.fullmatch(name) or DEVICE.fullmatch(name) or name.endswith(" "):
        return f"the bin is {name!r}: expected letters, digits, spaces, - and _, at most 64"
    if name.lower() in OWN_BINS:
        return f"the bin {name!r} is kept for pieces that the plan does not route: name another"
    return ""
