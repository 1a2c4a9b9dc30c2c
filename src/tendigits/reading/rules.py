"""Printed lines and frames, taken out of a mask of ink without the digits that cross them.

A rule is straight, thin, and longer than a digit is high. Where it crosses a stroke, the ink goes
on above or below it: there it stays.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import find_connected

Mask = NDArray[np.uint8]

SEED_STROKES = 9.0  # strokes: a straight run of ink of this length may be part of a rule
RULE_HEIGHTS = 1.35  # heights of a digit: a rule is longer
FRAME_HEIGHTS = 1.6  # heights of a digit: an upright rule is longer; a 1 is not
MOST_COMPARED = 2_000  # pieces: a page with more is a texture, and comparing all pairs is slow
THICKEST = 1.8  # strokes: a rule is thinner, so that a blot is none


def remove_rules(mask: Mask, stroke: float) -> Mask:
    """Return a (H, W) mask without its horizontal and its vertical rules.

    Args:
        mask: 1 where there is ink.
        stroke: The usual width of a stroke, in pixels.
    """
    flat = find_rules(mask, stroke)
    upright = find_rules(np.ascontiguousarray(mask.T), stroke).T
    if not flat.any() and not upright.any():
        return mask
    without = [mask * (1 - flat)] if flat.any() else []
    height = max(usual_height(part, stroke) for part in (mask, *without))
    if height == 0:  # there is nothing but lines, so nothing that they would be the rules of
        return mask
    mask = erase(mask, keep_long(flat, RULE_HEIGHTS * height))
    turned = erase(
        np.ascontiguousarray(mask.T),
        keep_long(np.ascontiguousarray(upright.T), FRAME_HEIGHTS * height),
    )
    return np.ascontiguousarray(turned.T)


def find_rules(mask: Mask, stroke: float) -> Mask:
    """Return where a (H, W) mask has thin horizontal runs that may be parts of rules."""
    length = max(9, round(SEED_STROKES * stroke))
    # A tilted line is a staircase; made thicker by two pixels, its steps are long enough.
    thick = np.asarray(cv2.dilate(mask, np.ones((3, 1), np.uint8)), np.uint8)
    runs = open_with(thick, (1, length)) & mask
    if not runs.any():
        return runs
    tallest = max(3, round(THICKEST * stroke) + 1)
    return runs & ~open_with(runs, (tallest, tallest))


def keep_long(runs: Mask, length: float) -> Mask:
    """Keep of a (H, W) mask of runs those that join over gaps to `length` pixels or more."""
    left, top, width, height = cv2.boundingRect(runs)
    if width < length:
        return np.zeros_like(runs)
    inside = (slice(top, top + height), slice(left, left + width))
    gap = max(3, round(length / 2))
    # With room beside it: a closing takes what is beyond the edge of a picture for ink.
    roomy = cv2.copyMakeBorder(runs[inside], 1, 1, gap, gap, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(roomy, cv2.MORPH_CLOSE, np.ones((3, gap), np.uint8))
    pieces = find_connected(np.asarray(closed[1:-1, gap:-gap], np.uint8, order="C"))
    long = pieces.measures[:, cv2.CC_STAT_WIDTH] >= length
    long[0] = False
    kept = np.zeros_like(runs)
    kept[inside] = pieces.where(long) & runs[inside]
    return kept


def erase(mask: Mask, rules: Mask) -> Mask:
    """Take horizontal rules out of a (H, W) mask, but not where strokes go on across them."""
    if not rules.any():
        return mask
    rules = np.asarray(cv2.dilate(rules, np.ones((3, 1), np.uint8)), np.uint8) & mask
    thickness = int(np.percentile(rules.sum(axis=0)[rules.any(axis=0)], 50))
    thickness = min(thickness, 1 + mask.shape[0] // 4)
    return mask & ~(rules & ~open_with(mask, (2 * thickness + 2, 1)))


def open_with(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Return where a rectangle of ink of some rows and columns fits into a (H, W) mask."""
    window = np.ones(shape, np.uint8)
    fits = np.asarray(cv2.erode(mask, window), np.uint8)
    return np.asarray(cv2.dilate(fits, window), np.uint8) if fits.any() else fits


def usual_height(mask: Mask, stroke: float) -> float:
    """Return the height of the pieces of ink that most of the ink is in, in pixels; 0 if none."""
    _, measures, middles = find_connected(mask)
    return height_of_most(measures, middles, stroke)


def height_of_most(
    measures: NDArray[np.int32], middles: NDArray[np.float64], stroke: float
) -> float:
    """Return the height that most of the ink has, in pixels; 0 if there is none.

    A piece around another one is a frame and does not count, nor do points.

    Args:
        measures: (N, 5), see `Connected`, the ground first.
        middles: (N, 2), x and y of each.
        stroke: The usual width of a stroke, in pixels.
    """
    high = measures[1:, cv2.CC_STAT_HEIGHT] >= 2.5 * stroke
    if not high.any():
        return 0.0
    boxes, middles = measures[1:][high].astype(np.float64), middles[1:][high]
    heights, areas = boxes[:, cv2.CC_STAT_HEIGHT], boxes[:, cv2.CC_STAT_AREA]
    if len(boxes) <= MOST_COMPARED:
        low, far = boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]
        inside = (middles[None] > low[:, None]) & (middles[None] < far[:, None])
        holds = inside.all(axis=2) & (heights[None] > 0.3 * heights[:, None])
        np.fill_diagonal(holds, False)
        areas = np.where(holds.any(axis=1), 1e-9 * areas, areas)
    return weighted_median(heights, areas)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the value that half of the weight lies below."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
