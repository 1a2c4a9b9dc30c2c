"""Straight upright ones, which both readers of a line take for the side of a frame too easily.

Among the lines that the networks learnt from were frames whose sides were as high as the writing,
and nothing but the label told them from a 1 (LOG, 2026-11-26). Frames are mostly higher.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import find_connected
from tendigits.reading.segment import LINE_HEIGHT

Mask = NDArray[np.uint8]

AS_DIGITS = (0.75 * LINE_HEIGHT, 1.3 * LINE_HEIGHT)  # pixels: how high a digit, and a bar, is
THICKEST = 0.25  # of its length: a bar is thinner
LEAST_FULL = 0.8  # of a rectangle of its length and thickness: half of a broken 0 has less ink
UPRIGHT = 0.17  # to the side for one upwards: a bar leans less
NO_DIGIT = float(np.log(0.02))  # one line in fifty that has such bars has one that is no digit


class HighInk(NamedTuple):
    """The connected pieces of ink on a line that are as high as digits.

    Attributes:
        pieces: How many there are.
        bars: How many of them are straight and upright, like a 1 and like the side of a frame.
    """

    pieces: int = 0
    bars: int = 0

    def leaves_out_bar(self, digits: int) -> bool:
        """Say whether a text of so many digits may take a bar for no digit."""
        return self.bars > 0 and digits < self.pieces


def find_high_ink(mask: Mask) -> HighInk:
    """Count the pieces of ink on a line, (H, W) uint8, that are as high as digits."""
    labels, measures, _ = find_connected(mask)
    least, most = AS_DIGITS
    heights = measures[:, cv2.CC_STAT_HEIGHT]
    high = 1 + np.flatnonzero((heights[1:] >= least) & (heights[1:] <= most))
    narrow = measures[high, cv2.CC_STAT_WIDTH] <= (THICKEST + UPRIGHT) * heights[high]
    bars = 0
    for piece in high[narrow].tolist():
        left, top, width, height, _ = measures[piece].tolist()
        window = labels[top : top + height, left : left + width] == piece
        bars += is_bar(window.astype(np.uint8))
    return HighInk(pieces=len(high), bars=bars)


def is_bar(piece: Mask) -> bool:
    """Say whether a piece of ink, (H, W) uint8 and 1 where it is, is a straight upright stroke.

    Its second moments are those of a rectangle: a side is the square root of twelve variances.
    """
    moments = cv2.moments(piece, binaryImage=True)
    down, across, both = (moments[name] / moments["m00"] for name in ("mu02", "mu20", "mu11"))
    thickness = np.sqrt(12 * max(0.0, across - both**2 / down))
    length = np.sqrt(12 * down)
    return bool(
        thickness <= THICKEST * length
        and abs(both) <= UPRIGHT * down
        and moments["m00"] >= LEAST_FULL * max(1.0, thickness) * length
    )
