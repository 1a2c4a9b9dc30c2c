"""Ink on a page -> its lines of writing, each level, upright and in one standard size.

Pieces of ink that stand side by side are neighbours; the median of their directions is the skew of
the page, and pieces on one level are a line.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.reading.components import Pieces, find_pieces
from tendigits.reading.ground import Ground, chain, measure_stroke, turn
from tendigits.reading.rules import remove_rules, weighted_median
from tendigits.results import Box

Ink = NDArray[np.float32]
Mask = NDArray[np.uint8]

LINE_HEIGHT = 48  # pixels: of a usual digit on a line in standard size
LEAST_PEN = 0.085  # of a digit's height: thinner strokes are widened; MNIST's have 0.1 to 0.15
LEVEL = 8.0  # degrees: a page that is skewed by less is read as it is
LEAST_FALL = 1.0  # heights: less from the first to the last digit is how a hand wanders
BESIDE = 0.4  # of the lower line's height: lines that share more of the height are one
BESIDE_IN_ONE = 0.1  # the same where there is only one line to be found
LEAST_BESIDE = 0.3  # of the most ink: a line with less is not what a picture of one field is of
EDGE = 2  # pixels: ink this near to the edge of a page goes on outside
ENOUGH = 4  # pieces on one level: then most of them are whole, and say how high a digit is
FIELD_GAP = 6.0  # heights: pieces of a line that are farther apart are two fields
MOST_WIDTH = 125 * LINE_HEIGHT  # pixels of a line in standard size: more than 80 digits
MOST_HEIGHT = 6 * LINE_HEIGHT
MOST_PLACES = (
    1_000  # pieces that a page's skew is found by, the largest: they are compared in pairs
)
MOST_LINES = 80  # on a page; more is a texture


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A line of ink in standard size.

    Attributes:
        mask: (H, W) uint8, 1 where there is ink; a usual digit is 48 pixels high.
        ink: (H, W) float32, 0 to 1: how dark the same place is, printed lines and grains included,
            but not what belongs to other lines.
        matrix: (2, 3) float64, takes a point (x, y) of the mask to the upright picture.
    """

    mask: Mask
    ink: Ink
    matrix: NDArray[np.float64]

    def box_in_picture(self, left: int, top: int, right: int, bottom: int) -> Box:
        """Return the box in the picture that holds a box of the mask."""
        corners = np.array([(left, top), (right, top), (left, bottom), (right, bottom)], float)
        placed = corners @ self.matrix[:, :2].T + self.matrix[:, 2]
        low, high = np.floor(placed.min(axis=0)), np.ceil(placed.max(axis=0))
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def find_lines(ground: Ground, *, one: bool = False) -> list[Line]:
    """Return the lines of writing of a page, top to bottom.

    Args:
        ground: The page's ink.
        one: There is one field: the line that has the most ink, and what overlaps with it; where
            the edge of the picture cuts that, the next one that is whole and has enough.

    Returns:
        The lines; none on a blank page.
    """
    level, pieces, groups = find_groups(ground, beside=BESIDE_IN_ONE if one else BESIDE)
    few = len(groups) != 1 or (len(groups[0]) < ENOUGH and len(pieces.boxes) > 1)
    if one and few:  # some may be parts of a broken digit
        level, pieces, groups = find_groups(ground, beside=BESIDE_IN_ONE, weld=True)
    groups = [group for group in groups if could_be_a_line(pieces, group)]
    if one:
        groups = rank_by_ink(groups, pieces)
    elif groups:
        groups = [part for group in groups for part in split_at_gaps(group, pieces)]
    lines = [cut_line(level, pieces, group) for group in groups[:MOST_LINES]]
    lines = [line for line in lines if line.mask.any()]  # a hair on a high page shrinks to nothing
    return without_cut(lines, ground)[:1] if one else lines


def find_groups(
    ground: Ground, *, beside: float, weld: bool = False
) -> tuple[Ground, Pieces, list[NDArray[np.int64]]]:
    """Return a page, level, its pieces, and the numbers of the pieces of each line.

    Args:
        ground: The page's ink.
        beside: See `group_into_lines`.
        weld: See `find_pieces`.
    """
    pieces = find_pieces(remove_rules(ground.mask, ground.stroke), ground.stroke, weld=weld)
    if not len(pieces.boxes):
        return ground, pieces, []
    skew = skew_of(pieces)
    fall = abs(skew) * float(np.ptp(pieces.middles[:, 0])) / pieces.height
    if abs(np.degrees(np.arctan(skew))) > LEVEL and fall > LEAST_FALL:
        ground, skew = turn(ground, skew), 0.0
        pieces = find_pieces(remove_rules(ground.mask, ground.stroke), ground.stroke, weld=weld)
        if not len(pieces.boxes):
            return ground, pieces, []
    return ground, pieces, group_into_lines(pieces, skew, beside=beside)


def rank_by_ink(groups: list[NDArray[np.int64]], pieces: Pieces) -> list[NDArray[np.int64]]:
    """Return the lines that a picture of one field may be of, that with the most ink first."""
    ink = [float(pieces.areas[group].sum()) for group in groups]
    order = sorted(range(len(groups)), key=lambda number: -ink[number])
    return [groups[number] for number in order if ink[number] >= LEAST_BESIDE * max(ink)]


def without_cut(lines: list[Line], ground: Ground) -> list[Line]:
    """Return the lines of a page that its edges do not cut; all, if they cut each."""
    return [line for line in lines if not is_cut(line, ground)] or lines


def is_cut(line: Line, ground: Ground) -> bool:
    """Say whether the upper or the lower edge of a page cuts a line of it."""
    rows, columns = np.nonzero(line.mask)
    if not len(rows):
        return False
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    _, top, _, bottom = line.box_in_picture(*box)
    first, last = ground.rows
    return top <= first + EDGE or bottom >= last - EDGE


def could_be_a_line(pieces: Pieces, group: NDArray[np.int64]) -> bool:
    """Say whether the pieces of a line would still be one in standard size, and not a page of dots.

    Args:
        pieces: Of the page.
        group: Their numbers, from 0, at least one.
    """
    boxes = pieces.boxes[group]
    size = (boxes[:, :2] + boxes[:, 2:]).max(axis=0) - boxes[:, :2].min(axis=0)
    scale = LINE_HEIGHT / weighted_median(boxes[:, 3], pieces.areas[group])
    return bool(scale * size[0] <= MOST_WIDTH and scale * size[1] <= MOST_HEIGHT)


def skew_of(pieces: Pieces) -> float:
    """Return how much the lines fall for one to the right: 0.27 at 15 degrees."""
    high = np.flatnonzero(pieces.boxes[:, 3] >= 0.5 * pieces.height)
    largest = high[np.argsort(-pieces.areas[high], kind="stable")[:MOST_PLACES]]
    places = pieces.middles[np.sort(largest)]
    if len(places) < 2:
        return 0.0
    across, down = (places[None, :, axis] - places[:, None, axis] for axis in (0, 1))
    far = np.hypot(across, down)
    far[(across < 0.25 * pieces.height) | (np.abs(down) > 0.9 * across)] = np.inf
    nearest = far.argmin(axis=1)
    rows = np.arange(len(places))
    found = far[rows, nearest] < 3 * pieces.height
    if not found.any():
        return 0.0
    falls = down[rows, nearest][found] / across[rows, nearest][found]
    return weighted_median(falls, across[rows, nearest][found])


def group_into_lines(pieces: Pieces, skew: float, *, beside: float) -> list[NDArray[np.int64]]:
    """Return the numbers of the pieces, from 0, of each line, the lines top to bottom.

    High pieces make the lines; low ones, such as points and broken strokes, join the nearest.

    Args:
        pieces: Of the page.
        skew: How much the lines fall for one to the right.
        beside: Lines that share more than this of the lower one's height are one.
    """
    levels = pieces.middles[:, 1] - skew * pieces.middles[:, 0]
    heights = pieces.boxes[:, 3]
    high = heights >= 0.5 * min(pieces.height, float(heights.max()))  # there is one at least
    order = np.flatnonzero(high)[np.argsort(levels[high])]
    breaks = np.flatnonzero(np.diff(levels[order]) > 0.5 * pieces.height) + 1
    lines = join_overlapping(np.split(order, breaks), levels, pieces.boxes[:, 3], beside)
    means = np.array([np.average(levels[line], weights=pieces.areas[line]) for line in lines])
    low = np.flatnonzero(~high)
    far = np.abs(levels[low, None] - means[None, :])
    near = far.argmin(axis=1)
    close = far[np.arange(len(low)), near] < 0.85 * pieces.height
    return [
        np.concatenate([line, low[close & (near == number)]]) for number, line in enumerate(lines)
    ]


def join_overlapping(
    lines: list[NDArray[np.int64]],
    levels: NDArray[np.float64],
    heights: NDArray[np.float64],
    beside: float,
) -> list[NDArray[np.int64]]:
    """Join lines, sorted from top to bottom, of which one lies beside the other."""
    joined = [lines[0]]
    for line in lines[1:]:
        above, below = (
            (
                np.median(levels[part] - heights[part] / 2),
                np.median(levels[part] + heights[part] / 2),
            )
            for part in (joined[-1], line)
        )
        shared = min(above[1], below[1]) - max(above[0], below[0])
        if shared > beside * min(above[1] - above[0], below[1] - below[0]):
            joined[-1] = np.concatenate([joined[-1], line])
        else:
            joined.append(line)
    return joined


def split_at_gaps(group: NDArray[np.int64], pieces: Pieces) -> Iterator[NDArray[np.int64]]:
    """Yield the parts of a line that wide gaps divide, left to right."""
    group = group[np.argsort(pieces.boxes[group, 0])]
    lefts = pieces.boxes[group, 0]
    ends = np.maximum.accumulate(lefts + pieces.boxes[group, 2])
    breaks = np.flatnonzero(lefts[1:] - ends[:-1] > FIELD_GAP * pieces.height) + 1
    for part in np.split(group, breaks):
        if (pieces.boxes[part, 3] >= 0.5 * pieces.height).any():
            yield part


def cut_line(ground: Ground, pieces: Pieces, group: NDArray[np.int64]) -> Line:
    """Cut the pieces of a line out of the page and bring them to standard size."""
    boxes = pieces.boxes[group]
    left, top = boxes[:, :2].min(axis=0).astype(int)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0).astype(int)
    window = (slice(top, bottom), slice(left, right))
    chosen = np.zeros(len(pieces.boxes) + 1, np.uint8)
    chosen[group + 1] = 1
    labels = pieces.labels[window]
    mine = np.take(chosen, labels)
    own = np.asarray(cv2.dilate(mine, np.ones((3, 3), np.uint8)), np.uint8)
    others = (labels > 0).astype(np.uint8) - mine
    alien = np.asarray(cv2.dilate(others, np.ones((3, 3), np.uint8)), np.uint8) & (own == 0)
    height = weighted_median(boxes[:, 3], pieces.areas[group])
    scale = LINE_HEIGHT / height
    size = (max(1, round(scale * (right - left))), max(1, round(scale * (bottom - top))))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    clean = cv2.resize(ground.ink[window] * own, size, interpolation=method)
    ink = cv2.resize(ground.ink[window] * (1 - alien), size, interpolation=method).clip(0, 1)
    mask = widen_thin_strokes((clean > 0.5).astype(np.uint8))
    place = np.array([[1 / scale, 0, left], [0, 1 / scale, top]])
    return Line(mask=mask, ink=np.asarray(ink, np.float32), matrix=chain(ground.matrix, place))


def widen_thin_strokes(mask: Mask) -> Mask:
    """Widen the strokes of a line in standard size, (H, W), until a pen could have drawn them."""
    missing = LEAST_PEN * LINE_HEIGHT - measure_stroke(mask)
    if missing <= 0.5 or not mask.any():
        return mask
    side = 2 * max(1, round(missing / 2)) + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))))
