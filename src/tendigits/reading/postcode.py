r"""Formats of postcodes and other numbers, by name.

>>> find_rules("us-zip").lengths
frozenset({5})
>>> find_rules(r"regex:[1-9]\d{3}").lengths
frozenset({4})
"""

import re
from collections.abc import Callable
from pathlib import Path

from tendigits.errors import SettingError, UnknownNameError
from tendigits.reading.codes import AllOf, ean_13, isbn_10, load_code_list, luhn
from tendigits.reading.expressions import parse
from tendigits.reading.patterns import MOST_LENGTH, Pattern
from tendigits.reading.search import Rules

MOST_DIGITS = 25  # in a field

# What a code of each country looks like, by the Universal Postal Union's addressing systems.
POSTCODES = {
    "at-plz": r"[1-9]\d{3}",
    "au-postcode": r"\d{4}",
    "be-cp": r"[1-9]\d{3}",
    "ch-plz": r"[1-9]\d{3}",
    "cn-postcode": r"\d{6}",
    "de-plz": r"0[1-9]\d{3}|[1-9]\d{4}",
    "dk-postnr": r"\d{4}",
    "es-cp": r"0[1-9]\d{3}|[1-4]\d{4}|5[0-2]\d{3}",
    "fr-cp": r"0[1-9]\d{3}|[1-8]\d{4}|9[0-8]\d{3}",
    "in-pin": r"[1-9]\d{5}",
    "it-cap": r"\d{5}",
    "jp-postcode": r"\d{7}",
    "nl": r"[1-9]\d{3}",  # the digits; two letters follow
    "no-postnr": r"\d{4}",
    "se-postnr": r"[1-9]\d{4}",
    "us-zip": r"\d{5}",
    "us-zip4": r"\d{9}",
}
NUMBERS: dict[str, Callable[[], Rules]] = {"isbn-10": isbn_10, "ean-13": ean_13}


def find_rules(name: str | Rules | None, *, valid: Path | None = None) -> Rules | None:
    """Return the rules of a format, and of a list of codes.

    Args:
        name: Of a postcode, such as ``us-zip``; ``digits:5`` or ``digits:4-6``; ``luhn:16``,
            ``isbn-10`` or ``ean-13``; ``regex:`` and a regular expression over digits; rules
            of your own; None for any digits.
        valid: A file with the codes that exist, one a line; see `codes.load_code_list`.

    Returns:
        The rules; None if both are None.

    Raises:
        UnknownNameError: There is no such format.
        SettingError: The format is not well written, or no code of the list is as long as it asks.
        DataError: The list cannot be read.
    """
    parts: list[Rules] = []
    if name is not None:
        parts.append(_find_format(name) if isinstance(name, str) else name)
    if valid is not None:
        parts.append(load_code_list(valid))
    if len(parts) < 2:
        return parts[0] if parts else None
    rules = AllOf(parts=tuple(parts))
    if not rules.lengths:
        raise SettingError(f"no code in {valid} has as many digits as --format {name} asks for")
    return rules


def _find_format(name: str) -> Rules:
    """Return the rules of a format by its name."""
    if name in POSTCODES:
        return Pattern(parse(POSTCODES[name]))
    if name in NUMBERS:
        return NUMBERS[name]()
    kind, _, rest = name.partition(":")
    if kind == "regex":
        pattern = Pattern(parse(rest))
        if not pattern.lengths:
            raise SettingError(
                f"the format {name!r} cannot be used: no number of 1 to {MOST_LENGTH} digits is one"
            )
        return pattern
    if kind in ("digits", "luhn"):
        least, most = _read_lengths(name, rest)
        if kind == "digits":
            return Pattern(parse(rf"\d{{{least},{most}}}"))
        if least == most > 1:
            return luhn(least)
        raise SettingError(f"the format {name!r} cannot be used: expected one length, as luhn:16")
    known = [*POSTCODES, *NUMBERS, "digits:5", "digits:4-6", "luhn:16", "regex:..."]
    raise UnknownNameError("format", name, known)


def _read_lengths(name: str, text: str) -> tuple[int, int]:
    """Return the least and the most digits that ``5`` or ``4-6`` names."""
    found = re.fullmatch(r"([0-9]{1,2})(?:-([0-9]{1,2}))?", text)
    least = int(found[1]) if found else 0
    most = int(found[2] or least) if found else 0
    if not 1 <= least <= most <= MOST_DIGITS:
        raise SettingError(
            f"the format {name!r} cannot be used: expected a number of digits from 1 to "
            f"{MOST_DIGITS}, as digits:5 or digits:4-6"
        )
    return least, most
