"""What was read is a value: printable, comparable, and the same after a way through JSON."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tendigits.errors import DataFormatError
from tendigits.results import Alternative, Digit, Field, Page, surround

CHANCES = st.floats(0, 1)
SIDES = st.integers(0, 10_000)
BOXES = st.tuples(SIDES, SIDES, SIDES, SIDES)
ALTERNATIVES = st.lists(
    st.builds(Alternative, text=st.text("0123456789"), confidence=CHANCES), max_size=3
).map(tuple)
DIGITS = st.builds(
    Digit,
    text=st.sampled_from("0123456789"),
    confidence=CHANCES,
    accepted=st.booleans(),
    box=BOXES,
    alternatives=ALTERNATIVES,
    seen=st.sampled_from([b"", bytes(range(256)) * 3 + bytes(16)]),
)
FIELDS = st.builds(
    Field,
    text=st.text("0123456789"),
    confidence=CHANCES,
    accepted=st.booleans(),
    box=BOXES,
    digits=st.lists(DIGITS, max_size=3).map(tuple),
    alternatives=ALTERNATIVES,
    unconstrained=st.none() | st.text("0123456789"),
)
PAGES = st.builds(Page, fields=st.lists(FIELDS, max_size=3).map(tuple), width=SIDES, height=SIDES)


@settings(deadline=None)
@given(PAGES)
def test_a_page_comes_back_from_json(page: Page) -> None:
    assert Page.from_dict(json.loads(json.dumps(page.to_dict(), allow_nan=False))) == page


def digit(text: str, confidence: float, *others: tuple[str, float], accepted: bool) -> Digit:
    alternatives = tuple(Alternative(text=other, confidence=chance) for other, chance in others)
    return Digit(
        text=text,
        confidence=confidence,
        accepted=accepted,
        box=(1, 2, 3, 4),
        alternatives=alternatives,
    )


def field(*digits: Digit, **options: Any) -> Field:
    given: dict[str, Any] = {
        "text": "".join(digit.text for digit in digits),
        "confidence": 0.5,
        "accepted": False,
        "box": (1, 2, 3, 4),
        "digits": digits,
    }
    return Field(**(given | options))


def test_a_doubtful_digit_is_shown_with_its_two_best_guesses() -> None:
    sure = digit("4", 0.99, accepted=True)
    doubtful = digit("7", 0.61, ("1", 0.38), ("9", 0.01), accepted=False)
    assert str(doubtful) == "? (7 or 1, 61 to 38)"
    shown = str(field(sure, doubtful, confidence=0.6))
    assert shown == "4?  60.0%, doubtful: second digit is 7 or 1, 61 to 38"


def test_a_field_may_be_doubtful_though_its_digits_are_not() -> None:
    sure = digit("4", 0.99, accepted=True)
    other = Alternative(text="41", confidence=0.3)
    assert str(field(sure, alternatives=(other,))) == "4  50.0%, doubtful: 4 or 41"
    assert "no reading is likely" in str(field(sure))


def test_what_the_format_changed_is_said() -> None:
    changed = field(digit("4", 0.99, accepted=True), accepted=True, unconstrained="9")
    assert str(changed) == "4  50.0% (without the format: 9)"


def test_an_empty_page_has_no_text_and_needs_a_person() -> None:
    page = Page(fields=(), width=10, height=10)
    assert (str(page), page.text, page.accepted) == ("", "", False)


def test_the_picture_that_the_network_saw_is_kept() -> None:
    image = np.arange(784).reshape(28, 28).astype(np.uint8)
    seen = Digit(text="1", confidence=1, accepted=True, box=(0, 0, 1, 1), seen=image.tobytes())
    kept = seen.image()
    assert kept is not None
    np.testing.assert_array_equal(kept, image)
    assert digit("4", 0.99, accepted=True).image() is None


@pytest.mark.parametrize(
    "broken", [{}, {"fields": 3, "width": 1, "height": 1}, {"fields": [{}], "width": 1}, []]
)
def test_what_is_no_page_is_refused(broken: Any) -> None:
    with pytest.raises(DataFormatError, match="as to_dict"):
        Page.from_dict(broken)


@pytest.mark.parametrize(
    "broken",
    [
        {"text": "x"},
        {"text": 7},
        {"confidence": float("nan")},
        {"confidence": 1.5},
        {"accepted": "false"},
        {"box": [0, 0, 1, float("inf")]},
        {"seen": "AAAA"},
    ],
)
def test_what_is_no_digit_is_refused(broken: dict[str, Any]) -> None:
    saved = digit("7", 0.5, accepted=True).to_dict()
    assert Digit.from_dict(saved).text == "7"
    with pytest.raises(DataFormatError, match="this is not a digit as to_dict"):
        Digit.from_dict(saved | broken)


def test_a_box_surrounds_boxes() -> None:
    assert surround([(3, 4, 5, 6), (1, 5, 4, 9)]) == (1, 4, 5, 9)
