"""European ones and sevens: still MNIST's form, with ink where a European puts it."""

import numpy as np
import pytest

from tendigits.data import Digits, DigitSet
from tendigits.data.european import make_european
from tendigits.data.overprint import make_overprint


@pytest.fixture(scope="module")
def digits(mnist: DigitSet) -> Digits:
    return mnist.train.take(slice(0, 1000))


def test_each_one_and_seven_is_written_anew_in_the_form_of_mnist(digits: Digits) -> None:
    made = make_european(digits, seed=0)
    assert made.labels.tolist() == [label for label in digits.labels.tolist() if label in (1, 7)]
    rows = (made.images >= 128).any(axis=2).sum(axis=1)
    columns = (made.images >= 128).any(axis=1).sum(axis=1)
    assert np.maximum(rows, columns).max() <= 20
    weights = made.images.astype(float).sum(axis=1) / made.images.sum(axis=(1, 2))[:, None]
    assert (weights @ np.arange(28)).mean() == pytest.approx(14, abs=0.5)


def test_a_seed_repeats_itself_and_another_differs(digits: Digits) -> None:
    first, second, other = (make_european(digits, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.images, second.images)
    assert not np.array_equal(first.images, other.images)


def test_a_bare_stem_gets_an_upstroke_to_its_left() -> None:
    stem = np.zeros((1, 28, 28), np.uint8)
    stem[0, 4:24, 13:15] = 255
    made = make_european(Digits(images=stem, labels=np.array([1], np.uint8)), seed=0)
    columns = np.flatnonzero((made.images[0, :12] >= 128).any(axis=0))  # the upper half: no foot
    assert np.ptp(columns) >= 4
    stem_column = int(np.argmax(made.images[0].astype(int).sum(axis=0)))
    assert columns[0] < stem_column


def test_a_set_without_ones_and_sevens_or_ink_makes_nothing() -> None:
    blank = Digits(images=np.zeros((3, 28, 28), np.uint8), labels=np.array([1, 7, 3], np.uint8))
    assert make_european(blank, seed=0).images.shape == (0, 28, 28)


def test_overprints_have_ink_and_repeat_themselves() -> None:
    first = make_overprint(80, seed=5)
    assert np.array_equal(first, make_overprint(80, seed=5))
    inked = (first > 0).mean(axis=(1, 2))
    assert np.median(inked) > 0.02
    assert inked.max() < 0.5  # a digit can still be seen
