"""Regular expressions over digits, held against Python's own."""

import re

import pytest

from rules import keeps
from tendigits.errors import SettingError
from tendigits.reading.expressions import parse
from tendigits.reading.patterns import Pattern
from tendigits.reading.postcode import POSTCODES

PATTERNS = (
    r"\d{3}",
    r"[1-9]\d{2}",
    r"0[1-9]\d|[1-4]\d{2}|5[0-2]\d",
    r"1*2",
    r"(12|3)+",
    r"4?5{2,3}",
    r"[^0-7]*7.",
    r"(1|12)(3|23)",
    r"12{2}|(34?){1,2}",
    r"9|99|",
    r"(1?2?)*3",
    r"(|1)(2*|3*)",
)


@pytest.mark.parametrize("text", PATTERNS)
def test_it_matches_what_python_matches(text: str) -> None:
    pattern, reference = Pattern(parse(text)), re.compile(text)
    strings = [""] + [f"{n:0{length}}" for length in (1, 2, 3) for n in range(10**length)]
    counts = [0, 0, 0, 0]
    for string in strings:
        assert keeps(pattern, string) == bool(reference.fullmatch(string)), string
        counts[len(string)] += bool(reference.fullmatch(string))
    found = [*pattern.counts[:4], 0, 0, 0, 0][:4]
    assert found == counts


def test_lengths_are_counted() -> None:
    pattern = Pattern(parse(r"[1-9]\d{3}|00"))
    assert pattern.lengths == frozenset({2, 4})


@pytest.mark.parametrize("text", POSTCODES.values(), ids=POSTCODES)
def test_every_postcode_has_one_length(text: str) -> None:
    pattern = Pattern(parse(text))
    (length,) = pattern.lengths or frozenset({0})
    assert pattern.counts[length] > 0.4 * 10**length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "(1",
        "1)",
        "[1",
        "[a]",
        "{2}",
        "1{3,2}",
        "1{999}",
        "²",
        "[]",
        "[^0-9]",
        "[5-3]",
        "1+?",
        "1*+",
        "1{2}{2}",
    ],
)
def test_what_it_cannot_use_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="regular expression"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 3_000, r"(\d{64}){64}", r"\d{64}" * 20, "1" * 201, "(" * 9 + ")" + "{64})" * 8 + "{64}"],
)
def test_what_would_take_for_ever_is_refused_at_once(text: str) -> None:
    with pytest.raises(SettingError):
        parse(text)


def test_only_repeats_within_repeats_are_multiplied() -> None:
    assert Pattern(parse(r"\d{5}" * 5)).lengths == frozenset({25})
    with pytest.raises(SettingError, match="too long with its repeats written out"):
        parse(r"((((\d{5}){5}){5}){5}){5}")


def test_a_part_that_is_repeated_too_often_is_named() -> None:
    with pytest.raises(SettingError, match="repeats a part 65 times: expected at most 64"):
        parse(r"\d{65}")


@pytest.mark.parametrize(
    "text",
    [
        "(.*1.{20}|.*2.{15})*",
        "(.*1.{5}|.*2.{6}|.*3.{7}){2}",  # few states, but each of hundreds of places
    ],
)
def test_what_can_be_read_in_too_many_ways_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="too many ways"):
        _ = Pattern(parse(text)).lengths
