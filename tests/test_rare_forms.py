"""Rare forms of twos, fours and nines: still MNIST's form, written as many hands do."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data import Digits, DigitSet
from tendigits.data.rare_forms import enlarge, make_rare, reduce


@pytest.fixture(scope="module")
def digits(mnist: DigitSet) -> Digits:
    return mnist.train.take(slice(0, 1000))


def count_holes(image: NDArray[np.uint8]) -> int:
    """Return how many parts of the ground are shut in by ink."""
    ground = np.pad(image < 100, 1, constant_values=True).astype(np.uint8)
    return int(cv2.connectedComponents(ground, connectivity=4)[0]) - 2


def test_most_twos_fours_and_nines_are_written_anew_in_the_form_of_mnist(digits: Digits) -> None:
    made = make_rare(digits, seed=0)
    counts = digits.class_counts()
    assert set(made.labels.tolist()) == {2, 4, 9}
    for label, least in ((2, 0.6), (4, 0.4), (9, 0.5)):
        assert least * counts[label] < (made.labels == label).sum() <= counts[label]
    rows = (made.images >= 128).any(axis=2).sum(axis=1)
    columns = (made.images >= 128).any(axis=1).sum(axis=1)
    assert np.maximum(rows, columns).max() <= 20


def test_the_bow_of_a_nine_is_open_afterwards_unless_it_is_a_p(digits: Digits) -> None:
    nines = digits.take(np.flatnonzero(digits.labels == 9))
    has_bow = [count_holes(image) > 0 for image in nines.images]
    assert np.mean(has_bow) > 0.7
    made = make_rare(nines, seed=0).images
    assert np.mean([count_holes(image) > 0 for image in made]) < 0.5


def test_some_nines_are_turned_into_a_p(digits: Digits) -> None:
    nine = digits.take(np.flatnonzero(digits.labels == 9)[[0] * 40])
    turned = reduce(enlarge(nine.images[0])[:, ::-1])
    share = np.mean([np.array_equal(image, turned) for image in make_rare(nine, seed=0).images])
    assert 0.1 < share < 0.6


def test_a_two_gets_more_ink_inside_its_bow(digits: Digits) -> None:
    two = np.zeros((1, 28, 28), np.uint8)
    cv2.ellipse(two[0], (14, 10), (6, 6), 0, 180, 380, 255, 2)
    cv2.line(two[0], (19, 12), (8, 22), 255, 2)
    cv2.line(two[0], (8, 22), (20, 22), 255, 2)
    made = make_rare(Digits(images=two, labels=np.array([2], np.uint8)), seed=0).images[0]
    assert (made >= 128).sum() > (two[0] >= 128).sum()


def test_the_stem_of_a_four_begins_lower_afterwards() -> None:
    four = np.zeros((1, 28, 28), np.uint8)
    four[0, 4:15, 8:10] = four[0, 13:15, 8:20] = four[0, 4:24, 16:18] = 255
    made = make_rare(Digits(images=four, labels=np.array([4], np.uint8)), seed=0).images[0]
    assert (made[:, 18:] >= 128).sum() < (four[0, :, 16:18] >= 128).sum()
    rows = np.flatnonzero((made >= 128).any(axis=1))
    upper, lower = np.array_split(made[rows[0] : rows[-1] + 1] >= 128, 2)
    assert upper.sum() < lower.sum() + four[0, 4:15, 8:10].astype(bool).sum()


def test_a_seed_repeats_itself_and_another_differs(digits: Digits) -> None:
    first, second, other = (make_rare(digits, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.images, second.images)
    assert not np.array_equal(first.images, other.images)


def test_what_has_no_arm_or_no_ink_is_left_out(digits: Digits) -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 13:15] = 255
    images = np.stack([bar, bar, np.zeros_like(bar), np.zeros_like(bar), np.zeros_like(bar)])
    nothing = Digits(images=images, labels=np.array([4, 4, 4, 9, 2], np.uint8))
    assert make_rare(nothing, seed=0).images.shape == (0, 28, 28)
    assert len(make_rare(digits.take(np.flatnonzero(digits.labels == 3)), seed=0)) == 0
