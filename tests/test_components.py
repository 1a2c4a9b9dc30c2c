"""Parts of a broken digit are one piece; lines of writing, rules and neighbours are not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.reading.components import find_pieces
from tendigits.reading.ground import find_ink
from tendigits.reading.segment import LINE_HEIGHT, find_lines

STROKE = 6.0
Mask = NDArray[np.uint8]


def two_bars(gap: int, across: int = 0, wide: int = 30) -> Mask:
    """Return two pieces, each 20 pixels high, one above the other."""
    mask = np.zeros((120, 160), np.uint8)
    mask[20:40, 40:70] = 1
    mask[40 + gap : 60 + gap, 40 + across : 40 + across + wide] = 1
    return mask


@pytest.mark.parametrize(
    ("gap", "across", "wide", "count"),
    [
        (4, 0, 30, 1),
        (15, 0, 30, 1),
        (25, 0, 30, 2),  # too far below
        (4, 40, 30, 2),  # beside it rather than below
        (4, -30, 110, 2),  # a printed line, or several digits joined
    ],
)
def test_parts_that_stand_on_one_another_are_welded(
    gap: int, across: int, wide: int, count: int
) -> None:
    mask = two_bars(gap, across, wide)
    assert len(find_pieces(mask, STROKE).boxes) == 2
    welded = find_pieces(mask, STROKE, weld=True)
    assert len(welded.boxes) == count
    assert welded.areas.sum() == mask.sum()
    assert set(np.unique(welded.labels)) == set(range(count + 1))
    if count == 1:
        assert welded.boxes.tolist() == [[40, 20, 30, 40 + gap]]
        assert welded.height == 40 + gap


@pytest.mark.parametrize("stroke", [1.0, 2.0, 2.5, 2.9, 3.3, 4.0, 5.0])
def test_welding_loses_no_ink(stroke: float) -> None:
    random = np.random.default_rng(round(10 * stroke))
    grains = (random.random((280, 180)) < 0.002).astype(np.uint8)
    slanted = np.eye(15, dtype=np.uint8)[::-1].copy()
    mask = np.asarray(cv2.dilate(grains, slanted), np.uint8)
    apart, welded = find_pieces(mask, stroke), find_pieces(mask, stroke, weld=True)
    assert welded.areas.sum() == apart.areas.sum()
    assert len(welded.areas) == welded.labels.max()
    found = np.bincount(welded.labels.ravel(), minlength=len(welded.areas) + 1)[1:]
    np.testing.assert_array_equal(found, welded.areas)


def test_parts_in_the_corner_of_a_page_are_not_lost() -> None:
    mask = np.zeros((100, 90), np.uint8)
    mask[54:74, 56:86] = mask[78:98, 56:86] = 1
    welded = find_pieces(mask, STROKE, weld=True)
    assert welded.areas.tolist() == [mask.sum()]


@pytest.mark.parametrize("cut", [0.3, 0.35, 0.5, 0.65])
def test_a_broken_digit_is_found_whole(mnist: DigitSet, cut: float) -> None:
    whole = 0
    for place in range(20):
        ink, ((left, top, right, bottom),) = write(
            mnist.test.take(slice(place, place + 1)),
            Hand(height=60, size_spread=0.0),
            np.random.default_rng(0),
        )
        row = round(top + cut * (bottom - top))
        ink[row : row + 5] = 0
        (line,) = find_lines(
            find_ink(put_on_paper(ink, Paper(), np.random.default_rng(1))), one=True
        )
        box = line.box_in_picture(0, 0, *line.mask.shape[::-1])
        whole += np.abs(np.subtract(box, (left, top, right, bottom))).max() <= 6
        assert line.mask.shape[0] < 2 * LINE_HEIGHT
    assert whole >= 18
