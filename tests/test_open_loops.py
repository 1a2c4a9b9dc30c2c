"""Open fours and nines: still MNIST's form, with a gap where many hands leave one."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data import Digits, DigitSet
from tendigits.data.open_loops import make_open


@pytest.fixture(scope="module")
def digits(mnist: DigitSet) -> Digits:
    return mnist.train.take(slice(0, 1000))


def count_holes(image: NDArray[np.uint8]) -> int:
    """Return how many parts of the ground are shut in by ink."""
    ground = np.pad(image < 100, 1, constant_values=True).astype(np.uint8)
    return int(cv2.connectedComponents(ground, connectivity=4)[0]) - 2


def test_most_fours_and_nines_are_written_openly_in_the_form_of_mnist(digits: Digits) -> None:
    made = make_open(digits, seed=0)
    counts = digits.class_counts()
    assert set(made.labels.tolist()) == {4, 9}
    for label, least in ((4, 0.4), (9, 0.5)):
        assert least * counts[label] < (made.labels == label).sum() <= counts[label]
    rows = (made.images >= 128).any(axis=2).sum(axis=1)
    columns = (made.images >= 128).any(axis=1).sum(axis=1)
    assert np.maximum(rows, columns).max() <= 20


def test_the_bow_of_a_nine_is_open_afterwards(digits: Digits) -> None:
    nines = digits.take(np.flatnonzero(digits.labels == 9))
    before = np.mean([count_holes(image) > 0 for image in nines.images])
    after = np.mean([count_holes(image) > 0 for image in make_open(nines, seed=0).images])
    assert before > 0.7
    assert after < 0.1


def test_the_stem_of_a_four_begins_lower_afterwards() -> None:
    four = np.zeros((1, 28, 28), np.uint8)
    four[0, 4:15, 8:10] = four[0, 13:15, 8:20] = four[0, 4:24, 16:18] = 255
    made = make_open(Digits(images=four, labels=np.array([4], np.uint8)), seed=0).images[0]
    assert (made[:, 18:] >= 128).sum() < (four[0, :, 16:18] >= 128).sum()
    rows = np.flatnonzero((made >= 128).any(axis=1))
    upper, lower = np.array_split(made[rows[0] : rows[-1] + 1] >= 128, 2)
    assert upper.sum() < lower.sum() + four[0, 4:15, 8:10].astype(bool).sum()


def test_a_seed_repeats_itself_and_another_differs(digits: Digits) -> None:
    first, second, other = (make_open(digits, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.images, second.images)
    assert not np.array_equal(first.images, other.images)


def test_what_has_no_arm_no_bow_or_no_ink_is_left_out(digits: Digits) -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 13:15] = 255
    images = np.stack([bar, bar, np.zeros_like(bar), np.zeros_like(bar)])
    nothing = Digits(images=images, labels=np.array([4, 9, 4, 9], np.uint8))
    assert make_open(nothing, seed=0).images.shape == (0, 28, 28)
    assert len(make_open(digits.take(np.flatnonzero(digits.labels == 3)), seed=0)) == 0
