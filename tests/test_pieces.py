"""Lines are cut into pieces as by a look at every pixel, and to their end or not at all."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper
from tendigits.reading import Reader
from tendigits.reading.pieces import MOST_ATOMS, cut, find_atoms
from tendigits.reading.seams import APART, GRAIN, SeenSeams
from tendigits.reading.segment import LINE_HEIGHT, Mask


def bars(count: int) -> Mask:
    """Return a line of upright strokes."""
    mask = np.zeros((LINE_HEIGHT, 10 * count), np.uint8)
    for left in range(3, 10 * count, 10):
        mask[4:44, left : left + 4] = 1
    return mask


def test_a_line_is_cut_to_its_end_or_not_at_all() -> None:
    assert len(find_atoms(bars(MOST_ATOMS))) == MOST_ATOMS
    texture = find_atoms(bars(MOST_ATOMS + 1))
    assert len(texture) == 0
    assert not texture.labels.any()


def test_digits_cut_apart_are_read_to_the_end_of_a_long_line(few_digits: DigitSet) -> None:
    (line,) = make_lines(
        few_digits.test, 1, seed=1, least=75, most=75, hand=Hand(gap=0.3), paper=Paper()
    )
    (field,) = Reader(fields="one", line_network=None, threads=1).read(line.picture).fields
    assert len(field.text) == 75
    assert np.mean([one == other for one, other in zip(field.text, line.text, strict=True)]) > 0.9


def test_a_line_in_too_many_pieces_is_left_to_the_line_network(reader: Reader) -> None:
    text = "0123456789" * 14
    picture = np.full((40, 2400), 255, np.uint8)
    cv2.putText(picture, text, (5, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.75, 0, 2)
    (line,) = reader.find_lines(picture)
    assert len(find_atoms(line.mask)) == 0
    assert reader.read(picture).text == text


@pytest.mark.parametrize("format", [None, "us-zip", "digits:1-25"])
@pytest.mark.parametrize("line_network", ["shipped", None])
def test_a_scribble_as_wide_as_a_page_is_not_accepted(
    format: str | None, line_network: str | None
) -> None:
    columns = np.arange(5, 2395)
    rows = np.round(30 + 9 * np.sin(columns / 3)).astype(int)
    picture = np.full((60, 2400), 255, np.uint8)
    cv2.polylines(picture, [np.stack([columns, rows], axis=1, dtype=np.int32)], False, 0, 2)
    reader = Reader(format=format, line_network=line_network, threads=1)
    (line,) = reader.find_lines(picture)
    assert len(find_atoms(line.mask)) == 0
    assert not reader.read(picture).accepted


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_ink_is_cut_as_pixel_by_pixel(seed: int) -> None:
    random = np.random.default_rng(seed)
    piece = random.random((12, 40)) < 0.5
    seams = [(float(cost), np.cumsum(random.integers(-3, 4, 12)) + 5 * cost) for cost in range(9)]
    rest, expected, costs = piece, np.zeros(piece.shape, np.int64), []
    for cost, seam in seams:
        right = rest & (np.arange(40) >= seam[:, None])
        if right.sum() >= GRAIN and rest.sum() - right.sum() >= GRAIN:
            expected[right] += 1
            costs.append(cost)
            rest = right
    passed, crossed = cut(piece, seams)
    assert crossed == costs
    np.testing.assert_array_equal(passed[piece], expected[piece])


def test_seams_that_are_next_to_each_other_are_one() -> None:
    random = np.random.default_rng(0)
    seen, kept = SeenSeams(12), np.empty((0, 12), np.int64)
    for _ in range(400):
        seam = np.cumsum(random.integers(-2, 3, 12)) + random.integers(300)
        is_new = bool((np.abs(kept - seam).mean(axis=1) >= APART).all())
        assert seen.add(seam) == is_new
        kept = np.vstack([kept, seam]) if is_new else kept
    assert 20 < len(kept) < 200
