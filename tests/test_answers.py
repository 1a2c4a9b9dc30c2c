"""Digits of an answer: how likely each is, and where it is cut out."""

import numpy as np
import pytest

from tendigits.reading.answers import digit_chances, letters_at


def test_a_digit_is_as_likely_as_all_texts_that_have_it_there() -> None:
    found = digit_chances("123", [("123", 0.6), ("173", 0.2), ("23", 0.1), ("1", 0.05)])
    assert found[0, 1] == pytest.approx(0.6 + 0.2 + 0.05)
    assert found[1, 2] == pytest.approx(0.6 + 0.1)
    assert found[1, 7] == pytest.approx(0.2)
    assert found[2, 3] == pytest.approx(0.6 + 0.2 + 0.1)
    assert (found.sum(axis=1) <= 1 + 1e-9).all()


def test_digits_are_cut_where_there_is_least_ink() -> None:
    mask = np.zeros((48, 100), np.uint8)
    mask[4:44, 10:30] = mask[8:40, 40:60] = 1
    mask[20:24, 30:37] = 1  # a stroke that reaches over
    mask[40:44, 33:36] = 1  # a point
    first, second = letters_at(np.array([20.0, 50.0]), "07", mask)
    assert first.box == (10, 4, 37, 44)
    assert second.box == (40, 8, 60, 40)
    assert [first.digit, second.digit] == [0, 7]
    assert first.image.shape == (28, 28)
    assert first.image.any()


def test_a_digit_without_ink_still_has_a_box() -> None:
    mask = np.zeros((48, 60), np.uint8)
    for columns in ([10.0, 10.5], [-5.0, 80.0]):
        letters = letters_at(np.array(columns), "11", mask)
        for letter in letters:
            left, top, right, bottom = letter.box
            assert left < right
            assert top < bottom
            assert not letter.image.any()
