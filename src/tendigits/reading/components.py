"""The connected pieces of ink on a page: digits, parts of digits, points.

Parts of a broken digit that stand on one another are one piece where there is one field.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

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
    _, found, statistics, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
    labels = np.asarray(found, np.int32)
    measured, middles = np.asarray(statistics, np.int32), np.asarray(centroids, np.float64)
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
    """Return for each piece, (N,), the first of those that it stands on, nearly touching.

    So stand the parts of a digit whose thin stroke a scanner broke. Lines of writing do not come so
    near to each other where there is one field; what is wider than high is no digit.

    Args:
        labels: (H, W) int32, the pieces, 0 on the ground.
        measured: (N, 5) int32, as OpenCV gives them, the ground first.
        stroke: The usual width of a stroke, in pixels.
        grain: Pixels of ink that a part has at least.
    """
    owner = np.arange(len(measured), dtype=np.int32)
    large = measured[:, cv2.CC_STAT_AREA] >= grain
    large[0] = False
    if large.sum() < 2:
        return owner
    window = np.ones([round(strokes * stroke) + 1 for strokes in MOST_BREAK], np.uint8)
    mask = np.take(large.astype(np.uint8), labels)
    _, stacks = cv2.connectedComponents(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, window))
    stack_of = np.zeros(len(measured), np.int64)
    stack_of[labels] = stacks
    stack_of[~large] = 0
    counts = np.bincount(stack_of)
    counts[0] = 0
    for stack in np.flatnonzero(counts > 1).tolist():
        parts = np.flatnonzero(stack_of == stack)
        _, _, wide, high, _ = union(measured[parts])
        if wide <= WIDEST * high:
            owner[parts] = parts[0]
    return owner


def join_pieces(
    labels: Labels, measured: Labels, middles: NDArray[np.float64], owner: Labels
) -> tuple[Labels, Labels, NDArray[np.float64]]:
    """Return labels, measures and middles of pieces of which some belong to others.

    Args:
        labels: (H, W) int32.
        measured: (N, 5) int32, as OpenCV gives them.
        middles: (N, 2) float64.
        owner: (N,) the piece that each belongs to, itself or one before it.
    """
    own = np.flatnonzero(owner == np.arange(len(owner)))
    if len(own) == len(owner):
        return labels, measured, middles
    joined, centres = measured[own].copy(), middles[own].copy()
    for place in np.unique(owner[owner != np.arange(len(owner))]).tolist():
        parts, number = np.flatnonzero(owner == place), int(np.searchsorted(own, place))
        joined[number] = union(measured[parts])
        areas = measured[parts, cv2.CC_STAT_AREA]
        centres[number] = np.average(middles[parts], axis=0, weights=areas)
    return np.searchsorted(own, owner).astype(np.int32)[labels], joined, centres


def union(measured: Labels) -> tuple[int, int, int, int, int]:
    """Return left, top, width, height and area of some pieces together, (N, 5)."""
    left, top = measured[:, :2].min(axis=0).tolist()
    right, bottom = (measured[:, :2] + measured[:, 2:4]).max(axis=0).tolist()
    return left, top, right - left, bottom - top, int(measured[:, cv2.CC_STAT_AREA].sum())
