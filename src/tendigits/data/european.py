"""Ones with an upstroke and crossed sevens, made from MNIST's, whose writers are American.

In most of Europe and Latin America a 1 begins with a stroke that climbs to its top, sometimes as
long as the stem, and may stand on a foot; a 7 is crossed so that it cannot be taken for such a 1.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.data.digits import SIDE, Digits
from tendigits.imaging import centre, cut_to_ink, scale_to_box

FINE = 4  # drawn at so many times the size, for soft edges
MARGIN = 6  # pixels around the picture, for strokes that reach beyond it
INK = 128  # of 255: from here on a pixel counts to the stroke
FOOT_SHARE = 0.3  # of the ones stand on a foot
UPSTROKE = (0.2, 0.8)  # of the stem's height, the height of the stroke that climbs to it
STEEPNESS = (30.0, 75.0)  # degrees from the horizontal, of that stroke
LEAST_REACH, MOST_REACH = 3.0, 16.0  # pixels to the left of the stem, where it begins
BULGE = (-0.05, 0.15)  # of its length, by which its middle lies above a straight line
BAR = (3.0, 7.0)  # pixels to each side of the stem, the bar of a seven
BAR_HEIGHT = (0.4, 0.65)  # of the stem's height from the top
PEN = (0.6, 1.0)  # of the stem's width, that of the new stroke


def make_european(digits: Digits, seed: int) -> Digits:
    """Return the ones and the sevens of a set, written as Europeans do.

    Args:
        digits: Pictures in MNIST form.
        seed: Fixes every stroke.

    Returns:
        As many pictures as there are ones and sevens with ink, in their order, in MNIST form.
    """
    random = np.random.default_rng(seed)
    has_ink = (digits.images >= INK).any(axis=(1, 2))
    chosen = digits.take(np.flatnonzero(np.isin(digits.labels, (1, 7)) & has_ink))
    images = [
        write(image, label, random)
        for image, label in zip(chosen.images, chosen.labels.tolist(), strict=True)
    ]
    images.append(np.zeros((SIDE, SIDE), np.uint8))  # so that there is always one to stack
    return Digits(images=np.stack(images)[:-1], labels=chosen.labels)


def write(image: NDArray[np.uint8], label: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a 1 with an upstroke, or a crossed 7, in MNIST form.

    Args:
        image: (28, 28) uint8 with some ink.
        label: 1 or 7.
        random: Draws the strokes.
    """
    paper = np.pad(image, MARGIN)
    strokes = upstroke(paper, random) if label == 1 else bar(paper, random)
    height, width = paper.shape
    fine = np.zeros((FINE * height, FINE * width), np.uint8)
    pen = max(1, round(FINE * stem_width(paper) * random.uniform(*PEN)))
    for stroke in strokes:
        corners = np.array([on_fine(point) for point in stroke], np.int32)
        cv2.polylines(fine, [corners], False, 255, pen, cv2.LINE_AA)
    drawn = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    coverage = np.maximum(paper, drawn).astype(np.float32) / np.float32(255)
    return centre(scale_to_box(cut_to_ink(coverage)))


Point = tuple[float, float]  # (x, y) in pixels
Stroke = list[Point]  # joined by straight lines


def upstroke(paper: NDArray[np.uint8], random: np.random.Generator) -> list[Stroke]:
    """Return the strokes that make a bare stem a European 1."""
    top, bottom = rows_of_ink(paper)
    head = (middle_of(paper, top), float(top))
    row = round(top + random.uniform(*UPSTROKE) * (bottom - top))
    reach = (row - top) / math.tan(math.radians(random.uniform(*STEEPNESS)))
    # Seen from the stem, which may lean to the left itself.
    start = (middle_of(paper, row) - min(max(reach, LEAST_REACH), MOST_REACH), float(row))
    strokes = [bent(start, head, random.uniform(*BULGE))]
    if random.random() < FOOT_SHARE:
        foot, half = middle_of(paper, bottom), random.uniform(*BAR)
        strokes.append([(foot - half, float(bottom)), (foot + half, float(bottom))])
    return strokes


def bar(paper: NDArray[np.uint8], random: np.random.Generator) -> list[Stroke]:
    """Return the stroke that crosses a 7."""
    top, bottom = rows_of_ink(paper)
    row = round(top + random.uniform(*BAR_HEIGHT) * (bottom - top))
    stem, half, tilt = middle_of(paper, row), random.uniform(*BAR), random.uniform(-1.5, 1.5)
    return [[(stem - half, row + tilt), (stem + half, row - tilt)]]


def bent(start: Point, end: Point, bulge: float) -> Stroke:
    """Return a stroke whose middle lies above the straight line by `bulge` of its length."""
    (left, low), (right, high) = start, end
    middle = ((left + right) / 2 + (high - low) * bulge, (low + high) / 2 + (left - right) * bulge)
    return [start, middle, end]


def rows_of_ink(paper: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the first and the last row with ink."""
    rows = np.flatnonzero((paper >= INK).any(axis=1))
    return int(rows[0]), int(rows[-1])


def middle_of(paper: NDArray[np.uint8], row: int) -> float:
    """Return the column in the middle of the ink of a row, or of all ink where the row has none."""
    profile = paper[row].astype(np.float64)
    profile = profile if profile.any() else paper.sum(axis=0, dtype=np.float64)
    return float(profile @ np.arange(len(profile)) / profile.sum())


def stem_width(paper: NDArray[np.uint8]) -> float:
    """Return the usual amount of ink in a row, in pixels."""
    rows = paper.sum(axis=1, dtype=np.float64) / 255
    return float(np.median(rows[rows > 0]))


def on_fine(point: Point) -> tuple[int, int]:
    """Return a point's place on the finer paper."""
    x, y = point
    return round(FINE * (x + 0.5)), round(FINE * (y + 0.5))
