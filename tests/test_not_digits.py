import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data import DigitSet
from tendigits.data.letters import HAND_ALPHABET, PRINTED_ALPHABET
from tendigits.data.not_digits import TESTING_KINDS, TRAINING_KINDS, make_not_digits
from tendigits.data.strokes import draw_strokes, parse_figure
from tendigits.errors import DataFormatError, SettingError, UnknownNameError

KINDS = (*TRAINING_KINDS, *TESTING_KINDS)


def make(mnist: DigitSet, count: int, seed: int, *kinds: str) -> NDArray[np.uint8]:
    digits = mnist.train.take(slice(20_000))
    return make_not_digits(digits.images, digits.labels, count, seed, kinds or TRAINING_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_in_mnist_form_and_no_picture_is_like_another(
    mnist: DigitSet, kind: str
) -> None:
    made = make(mnist, 200, 7, kind)
    assert made.shape == (200, 28, 28)
    assert made.dtype == np.uint8
    different = len(np.unique(made.reshape(200, -1), axis=0))
    assert different > (100 if kind == "blank" else 190)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pictures_and_another_seed_others(mnist: DigitSet, kind: str) -> None:
    first, again, other = (make(mnist, 40, seed, kind) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_kinds_come_in_turn(mnist: DigitSet) -> None:
    made = make(mnist, 60, 0, "blank", "letters", "turned")
    fullness = (made > 128).mean(axis=(1, 2)).reshape(20, 3)
    assert (fullness[:, 1:] > 0.02).all()
    assert (fullness[:, 0] == 0).any()


def test_training_and_testing_share_no_kind() -> None:
    assert not set(TRAINING_KINDS) & set(TESTING_KINDS)


@pytest.mark.parametrize("kind", ["letters", "printed_letters", "scribbles", "halves"])
def test_what_is_cut_out_fills_the_box_and_is_centred_as_mnist_is(
    mnist: DigitSet, kind: str
) -> None:
    def longest_side(image: NDArray[np.uint8]) -> int:
        rows, columns = np.nonzero(image >= 64)
        return int(max(np.ptp(rows), np.ptp(columns))) + 1

    def distance(image: NDArray[np.uint8]) -> float:
        rows, columns = np.indices((28, 28)) * (image / image.sum(dtype=float))
        return float(np.hypot(rows.sum() - 14, columns.sum() - 14))

    made = make(mnist, 200, 1, kind)
    sides = [longest_side(image) for image in made]
    assert min(sides) >= 17
    assert max(sides) <= 21
    # Where the mass is far from the middle of the ink, the box would leave the picture.
    assert np.median([distance(image) for image in made]) < 1


def test_pens_are_as_wide_as_mnists(mnist: DigitSet) -> None:
    def ink(images: NDArray[np.uint8]) -> float:
        return float(images.mean() / 255)

    assert ink(make(mnist, 500, 2, "letters")) == pytest.approx(ink(mnist.train.images), rel=0.5)


def test_small_marks_are_small_and_large_ones_fill_the_box(mnist: DigitSet) -> None:
    sides = np.array(
        [np.ptp(np.nonzero(image >= 64)[1]) + 1 for image in make(mnist, 300, 5, "marks")]
    )
    assert (sides <= 10).mean() == pytest.approx(0.5, abs=0.15)
    assert (sides >= 15).mean() > 0.25


def test_a_stroke_is_drawn_where_geometry_says() -> None:
    bar = draw_strokes(parse_figure("00 60"), 2.0)
    rows, columns = np.nonzero(bar >= 128)
    assert np.ptp(columns) + 1 == 20
    assert np.ptp(rows) + 1 == 2
    corner = draw_strokes(parse_figure("00 06; 06 66"), 2.0) >= 128
    left, bottom = np.nonzero(corner)[1].min(), np.nonzero(corner)[0].max()
    assert corner[bottom - 19 : bottom + 1, left].mean() > 0.9
    assert corner[bottom, left : left + 20].mean() > 0.9


def test_a_curve_runs_through_its_points() -> None:
    (curve,) = parse_figure("00 25 41 73")
    for point in ([0, 0], [2, 5], [4, 1], [7, 3]):
        assert np.abs(curve - point).sum(axis=1).min() < 1e-9


def test_no_letter_is_a_digit_in_disguise() -> None:
    for alphabet in (HAND_ALPHABET, PRINTED_ALPHABET):
        assert not set("OoQDCIJilZzSsGbBgqy") & set(alphabet)


def test_no_pictures_are_made_of_digits_that_are_not_there(mnist: DigitSet) -> None:
    ones = mnist.train.take(np.flatnonzero(mnist.train.labels == 1))
    with pytest.raises(DataFormatError, match="there is no picture of a"):
        make_not_digits(ones.images, ones.labels, 100, 0, ["turned"])
    assert len(make_not_digits(ones.images, ones.labels, 3, 0, ["letters", "noise"])) == 3


def test_unknown_kinds_and_counts_are_refused(mnist: DigitSet) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'scribbles'"):
        make(mnist, 1, 0, "scribble")
    with pytest.raises(SettingError, match="-1 pictures"):
        make(mnist, -1, 0)
    with pytest.raises(SettingError, match="of 0 kinds"):
        make_not_digits(mnist.train.images, mnist.train.labels, 1, 0, [])
    assert make(mnist, 0, 0).shape == (0, 28, 28)
