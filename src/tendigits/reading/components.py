"""The connected pieces of ink on a page: digits, parts of digits, points.

Parts of a broken digit that stand on one another are one piece where there is one field.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import find_connected
from tendigits.reading.rules import height_of_most

Mask = NDArray[np.uint8]
Labels = NDArray[np.int32]

MOST_BREAK = (3.0, 1.0)  # strokes down and across: parts of a digit are not farther apart
WIDEST = 1.3  # of its height: no broken digit is wider


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Connected pieces of ink.

    Attributes:
        labels: (H, W) int32, 0 on the ground.
        boxes: (N, 4) float64: left, top, width, height of piece 1 and on.
        areas: (N,) float64, pixels.
        height: Of a usual digit, in pixels.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    height: float

    @property
    def middles(self) -> NDArray[np.float64]:
        """(N, 2): x and y of the middle of each piece."""
        return self.boxes[:, :2] + self.boxes[:, 2:] / 2


def find_pieces(mask: Mask, stroke: float, *, weld: bool = False) -> Pieces:
    """Return the connected pieces of a (H, W) mask that are larger than grains.

    Args:
        mask: (H, W) uint8, 1 where there is ink.
        stroke: The usual width of a stroke, in pixels.
        weld: The parts of a broken digit that stand on one another are one piece.
    """
    labels, measured, middles = find_connected(mask)
    grain = max(2.0, 0.4 * stroke * stroke)
    if weld:
        owner = find_broken(labels, measured, stroke, grain)
        labels, measured, middles = join_pieces(labels, measured, middles, owner)
    height = height_of_most(measured, middles, stroke)
    kept = (measured[1:, cv2.CC_STAT_AREA] >= grain) & (height > 0)
    numbers = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)]).astype(np.int32)
    boxes = measured[1:][kept].astype(np.float64)
    return Pieces(
        labels=np.take(numbers, labels),
        boxes=boxes[:, :4],
        areas=boxes[:, cv2.CC_STAT_AREA],
        height=height,
    )


def find_broken(labels: Labels, measured: Labels, stroke: float, grain: float) -> Labels:
    """Return for each piece, (N,), which one it becomes a part of: itself, or the first of several.

    The parts of a digit whose thin stroke a scanner broke stand on one another, nearly touching.
    Lines of writing do not come so near to each other where there is one field; what is wider than
    high is no digit.

    Args:
        labels: (H, W) int32, the pieces, 0 on the ground.
        measured: (N, 5) int32, see `Connected`, the ground first.
        stroke: The usual width of a stroke, in pixels.
        grain: Pixels of ink that a part has at least.
    """
    alone = np.arange(len(measured), dtype=np.int32)
    large = measured[:, cv2.CC_STAT_AREA] >= grain
    large[0] = False
    if large.sum() < 2:
        return alone
    # Odd sides: with even ones a closing may lose what it began with.
    window = np.ones([round(strokes * stroke) | 1 for strokes in MOST_BREAK], np.uint8)
    mask = np.take(large.astype(np.uint8), labels)
    _, stacks = cv2.connectedComponents(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, window))
    stack_of = np.zeros(len(measured), np.int32)
    stack_of[labels] = stacks
    first = np.full(int(stack_of.max()) + 1, len(measured), np.int32)
    np.minimum.at(first, stack_of[large], alone[large])  # the ground is no part of a stack
    owner = np.where(large, first[stack_of], alone)
    whole, _ = unite(measured, owner)
    may_be_digit = whole[:, cv2.CC_STAT_WIDTH] <= WIDEST * whole[:, cv2.CC_STAT_HEIGHT]
    return np.where(may_be_digit[owner], owner, alone)


def unite(measured: Labels, owner: Labels) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the measures of pieces with their parts, (N, 5), and which are not parts of others."""
    whole = measured.copy()
    far = measured[:, :2] + measured[:, 2:4]
    np.minimum.at(whole[:, :2], owner, measured[:, :2])
    np.maximum.at(far, owner, far.copy())
    whole[:, 2:4] = far - whole[:, :2]
    areas = np.bincount(owner, weights=measured[:, cv2.CC_STAT_AREA], minlength=len(owner))
    whole[:, cv2.CC_STAT_AREA] = areas
    return whole, owner == np.arange(len(owner))


def join_pieces(
    labels: Labels, measured: Labels, middles: NDArray[np.float64], owner: Labels
) -> tuple[Labels, Labels, NDArray[np.float64]]:
    """Return labels, measures and middles of pieces of which some are parts of others.

    Args:
        labels: (H, W) int32.
        measured: (N, 5) int32, see `Connected`.
        middles: (N, 2) float64.
        owner: (N,) which piece each is a part of.
    """
    whole, kept = unite(measured, owner)
    if kept.all():
        return labels, measured, middles
    areas = measured[:, cv2.CC_STAT_AREA].astype(np.float64)
    sums = [np.bincount(owner, weights=areas * axis, minlength=len(owner)) for axis in middles.T]
    centres = np.stack(sums, axis=1)[kept] / whole[kept, cv2.CC_STAT_AREA, None]
    numbers = np.cumsum(kept, dtype=np.int32) - 1
    return np.take(numbers[owner], labels), whole[kept], centres
