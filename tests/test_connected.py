"""Pieces of a mask: labels of 16 bits say what labels of 32 bits say, and are never too few."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.imaging import find_connected


def assert_as_opencv_says(mask: NDArray[np.uint8]) -> None:
    found = find_connected(mask)
    count, labels, measures, middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
    assert len(found.measures) == count
    # Each piece has the same pixels; which number it has is not said.
    pairs = {
        (int(one), int(other)) for one, other in zip(found.labels.flat, labels.flat, strict=True)
    }
    assert len(pairs) == count - bool(mask.all())  # the ground of which there is nothing
    for one, other in pairs:
        assert found.measures[one].tolist() == measures[other].tolist()
        assert found.middles[one] == pytest.approx(middles[other])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (37, 1), (48, 231), (120, 573)])
def test_pieces_are_those_of_opencv(shape: tuple[int, int], share: float) -> None:
    random = np.random.default_rng(0)
    assert_as_opencv_says((random.random(shape) < share).astype(np.uint8))


@pytest.mark.parametrize("height", [510, 511, 512, 514])
def test_no_piece_is_lost_where_16_bits_are_nearly_or_no_longer_enough(height: int) -> None:
    mask = np.zeros((height, 514), np.uint8)
    mask[::2, ::2] = 1  # as many pieces as there can be
    found = find_connected(mask)
    assert len(found.measures) == 1 + mask.sum()
    assert (found.measures[1:, cv2.CC_STAT_AREA] == 1).all()
    assert len(np.unique(found.labels)) == len(found.measures)


def test_where_keeps_the_chosen_pieces() -> None:
    mask = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1]], np.uint8)
    pieces = find_connected(mask)
    large = pieces.measures[:, cv2.CC_STAT_AREA] == 2
    assert pieces.where(large).tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert pieces.where(large).dtype == np.uint8
