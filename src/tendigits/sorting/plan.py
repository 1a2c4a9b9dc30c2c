"""The sort plan: which bin a code goes to, by the digits that it begins with.

A plan is a CSV file with a prefix and a bin on each line. The longest prefix that fits wins.

    prefix,bin
    9,west
    941,san-francisco
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tendigits.errors import DataNotFoundError, PlanError

HEAD = ["prefix", "bin"]
UNROUTED = "unrouted"  # of what is read, and is in no plan
REVIEW = "review"  # of what a person must read
UNREADABLE = "unreadable"  # of what is no picture
OWN_BINS = (UNROUTED, REVIEW, UNREADABLE)

PREFIX = re.compile(r"[0-9]{1,25}")
BIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")  # a folder, everywhere
# What Windows keeps for devices, whatever the ending.
DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
MOST_BYTES = 64 << 20  # of a plan; a line for each of a million codes has 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which bin a code goes to.

    Attributes:
        bins: By the prefix of the codes that go there.
        sha256: Of the file, in hexadecimal digits.
    """

    bins: dict[str, str]
    sha256: str

    def bin_of(self, code: str) -> str:
        """Return the bin of the longest prefix that `code` begins with, or `UNROUTED`.

        >>> plan = Plan(bins={"9": "west", "941": "city"}, sha256="")
        >>> plan.bin_of("94110"), plan.bin_of("94010"), plan.bin_of("10001")
        ('city', 'west', 'unrouted')
        """
        for length in range(len(code), 0, -1):
            if code[:length] in self.bins:
                return self.bins[code[:length]]
        return UNROUTED


def load_plan(path: Path) -> Plan:
    """Load a plan from a CSV file in UTF-8.

    Empty lines, lines that begin with ``#`` and a first line ``prefix,bin`` are left out.

    Args:
        path: The file.

    Returns:
        The plan.

    Raises:
        DataNotFoundError: There is no such file, or it cannot be read.
        PlanError: A line is no prefix and bin, or a prefix has a line already; the message has the
            number of the line. Or there is no line at all.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or error
        raise DataNotFoundError(f"{path}: cannot be read ({reason}): expected a plan") from error
    if len(content) > MOST_BYTES:
        raise PlanError(f"{path}: has more than {MOST_BYTES >> 20} MiB: expected a plan")
    try:
        bins = read_plan(content.decode("utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise PlanError(
            f"{path}, line {number}: is no text in UTF-8: expected prefix,bin"
        ) from error
    except PlanError as error:
        raise PlanError(f"{path}, {error}") from None
    return Plan(bins=bins, sha256=hashlib.sha256(content).hexdigest())


def read_plan(lines: Iterable[str]) -> dict[str, str]:
    """Return the bins of a plan by prefix.

    Args:
        lines: Of the plan, the first one is number 1.

    Returns:
        A bin for each prefix.

    Raises:
        PlanError: As `load_plan`.
    """
    bins: dict[str, str] = {}
    line_of: dict[str, int] = {}
    spelled: dict[str, tuple[str, int]] = {}
    for number, prefix, name in _entries(lines):
        if prefix in bins:
            raise PlanError(
                f"line {number}: the prefix {prefix} has a bin in line {line_of[prefix]} already: "
                "expected each prefix once"
            )
        known, before = spelled.setdefault(name.lower(), (name, number))
        if known != name:
            raise PlanError(
                f"line {number}: the bin {name!r} is {known!r} in line {before}: expected one "
                "spelling, since folders may not tell them apart"
            )
        bins[prefix], line_of[prefix] = name, number
    if not bins:
        raise PlanError("line 1: there is no prefix and bin in the plan: expected one or more")
    return bins


def _entries(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the prefix and the bin of each line that says something."""
    is_first = True
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = _cells(line, number)
        if is_first and [cell.lower() for cell in cells] == HEAD:
            is_first = False
            continue
        is_first = False
        if len(cells) != 2:
            raise PlanError(f"line {number}: has {len(cells)} cells: expected prefix,bin")
        prefix, name = cells
        if not PREFIX.fullmatch(prefix):
            raise PlanError(f"line {number}: {prefix!r} is no prefix: expected 1 to 25 digits")
        _check_bin(name, number)
        yield number, prefix, name


def _cells(line: str, number: int) -> list[str]:
    """Return the cells of a line, without blanks around them."""
    try:
        (cells,) = csv.reader(io.StringIO(line), strict=True)
    except (csv.Error, ValueError) as error:
        raise PlanError(
            f"line {number}: is no line of CSV ({error}): expected prefix,bin"
        ) from None
    return [cell.strip() for cell in cells]


def _check_bin(name: str, number: int) -> None:
    """Refuse a bin that could not be a folder on every system, or that is our own."""
    if not BIN.fullmatch(name) or DEVICE.fullmatch(name):
        raise PlanError(
            f"line {number}: {name!r} is no bin: expected 1 to 64 letters, digits, blanks, points "
            "and dashes, such as san-francisco"
        )
    if name.lower() in OWN_BINS:
        raise PlanError(
            f"line {number}: the bin {name!r} is tendigits' own, as are {', '.join(OWN_BINS)}: "
            "expected another name"
        )
