"""When people say the same of a piece: where its format knows one number, digits alone count."""

from collections.abc import Iterable
from functools import lru_cache

from tendigits.errors import SettingError, UnknownNameError
from tendigits.reading.codes import SEPARATORS
from tendigits.reading.joint import keeps_to
from tendigits.reading.postcode import find_rules
from tendigits.reading.search import Rules


def agreed(texts: Iterable[str], format: str | None, opinions: int) -> str | None:
    """Return what enough people say, as the first of them typed it; None if they do not agree yet.

    Args:
        texts: An answer of each person, in the order they came.
        format: What a field of the piece keeps to, by name; None for any digits.
        opinions: How many people must say the same.
    """
    alike: dict[str, list[str]] = {}
    for text in texts:
        same = alike.setdefault(meaning(text, format), [])
        same.append(text)
        if len(same) >= opinions:
            return same[0]
    return None


def meaning(text: str, format: str | None) -> str:
    """Return what an answer says: equal for two that differ only in how a number is grouped.

    What is a number by the format needs no dashes and blanks within; what is none is left alone,
    as are the blanks between numbers.

    >>> meaning("12345-6789", "us-zip4"), meaning("12345 6789", "us-zip4")
    ('123456789', '123456789')
    >>> meaning("94703 10001", "us-zip"), meaning("94703-10001", "us-zip"), meaning("1-2", None)
    ('94703 10001', '94703-10001', '1-2')
    """
    rules = _rules(format)
    words = text.split()
    numbers = [word.translate(SEPARATORS) for word in words]
    whole = "".join(numbers)
    if rules is None or not whole.isdecimal():
        return text
    are_fields = [keeps_to(rules, number) for number in numbers]
    if not all(are_fields) and keeps_to(rules, whole):
        return whole
    return " ".join(
        number if is_field else word
        for word, number, is_field in zip(words, numbers, are_fields, strict=True)
    )


@lru_cache(maxsize=64)
def _rules(format: str | None) -> Rules | None:
    """Return the rules of a format; None also where it is none of ours, as any program may add."""
    try:
        return find_rules(format)
    except (SettingError, UnknownNameError):
        return None
