"""Strokes of a pen, drawn as MNIST's pictures look; a small notation for figures made of them.

A stroke is (P, 2) float64, x to the right and y downwards, in any unit: drawing fits a figure into
its box. In the notation, a point is two digits, x and y, on a grid; points of a stroke are parted
by spaces, strokes by semicolons. A stroke runs smoothly through its points, so a corner is where
one stroke ends and another begins: ``"00 06; 06 46"`` is an L.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits import imaging

Stroke = NDArray[np.float64]

OVERSAMPLING = 3  # pixels drawn for one of the result: averaged, they give MNIST's soft edges
SUBPIXEL_BITS = 4  # of the coordinates that OpenCV draws with
STEPS = 5  # straight pieces between two points of a smooth stroke
MIDDLING_PEN = 2.6  # pixels of 28: about the median width of a stroke in MNIST
PEN_RANGE = (1.7, 4.0)  # pixels of 28: nearly all of MNIST's strokes

SLANT = 0.3  # sideways for each upwards, at most: about 17 degrees
TURN = 0.12  # radians, at most: about 7 degrees
STRETCH = 0.2  # of the width against the height, at most
WOBBLE = 0.05  # of the figure's longest side: how far points are moved, at most
WAVE = 5.0  # radians a longest side, at most: how fast the wobble changes


@cache
def parse_figure(notation: str) -> tuple[Stroke, ...]:
    """Return the strokes that a notation describes, smooth, in units of its grid.

    >>> [stroke.shape for stroke in parse_figure("00 06; 06 26 46")]
    [(2, 2), (11, 2)]
    """
    return tuple(smooth(points) for points in points_of(notation))


@cache
def points_of(notation: str) -> tuple[Stroke, ...]:
    """Return the points of each stroke that a notation describes, not yet joined smoothly."""
    return tuple(
        np.array([list(map(int, point)) for point in text.split()], np.float64)
        for text in notation.split(";")
    )


def smooth(points: Stroke) -> Stroke:
    """Return a curve through `points`: their Catmull-Rom spline; two points stay a straight line.

    Args:
        points: (P, 2); P is at least 1.

    Returns:
        ((P - 1) * 5 + 1, 2) for three points or more.
    """
    if len(points) < 3:
        return points
    padded = np.concatenate([points[:1], points, points[-1:]])
    corners = np.stack([padded[place : len(padded) - 3 + place] for place in range(4)])
    curve = np.einsum("kt,kpc->ptc", _spline_weights(), corners).reshape(-1, 2)
    return np.concatenate([curve, points[-1:]])


def by_hand(strokes: Sequence[Stroke], random: np.random.Generator) -> list[Stroke]:
    """Draw a figure as a hand would, a little otherwise each time: slant, turn, stretch, wobble.

    The wobble is a wave over the whole figure, so that strokes that meet still meet.

    Args:
        strokes: The figure, in any unit.
        random: Decides.

    Returns:
        The strokes, moved.
    """
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    points = (points - low) / max(float((points.max(axis=0) - low).max()), 1e-9)
    waves = random.uniform(-WAVE, WAVE, (2, 2))
    wobble = random.uniform(0, WOBBLE)
    points = points + wobble * np.sin(points @ waves + random.uniform(-np.pi, np.pi, 2))
    slant, turn, stretch = random.uniform(-1, 1, 3) * (SLANT, TURN, STRETCH)
    change = np.array([[1 + stretch, turn], [-slant - turn, 1.0]])
    return np.split(points @ change, _ends(strokes))


def choose_pen(random: np.random.Generator) -> float:
    """Return the width of a pen, in pixels of 28, as they occur in MNIST."""
    return float(np.clip(random.normal(MIDDLING_PEN, 0.6), *PEN_RANGE))


def draw_strokes(
    strokes: Sequence[Stroke], pen: float, *, longest: float = imaging.BOX_SIDE
) -> NDArray[np.uint8]:
    """Draw strokes in MNIST form.

    Args:
        strokes: The figure, in any unit; it is scaled, keeping its proportions.
        pen: Width of the line, in pixels of 28.
        longest: The figure's longest side with the line, in pixels of 28, at most 20; a figure
            that is no longer than the line's width becomes a dot.

    Returns:
        (28, 28) uint8, with the centre of mass in the middle.
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    room = max(longest - pen, 0.0) * OVERSAMPLING
    scale = room / max(float((high - low).max()), 1e-9)
    middle = imaging.BOX_SIDE * OVERSAMPLING / 2 - 0.5  # the canvas's, in indices of pixels
    placed = ((points - (low + high) / 2) * scale + middle) * (1 << SUBPIXEL_BITS)
    lines = np.split(np.rint(placed).astype(np.int32), _ends(strokes))
    side = imaging.BOX_SIDE * OVERSAMPLING
    canvas = np.zeros((side, side), np.uint8)
    width = max(1, round(pen * OVERSAMPLING))
    cv2.polylines(canvas, lines, False, 255, width, cv2.LINE_AA, SUBPIXEL_BITS)
    box = (imaging.BOX_SIDE, imaging.BOX_SIDE)
    small = cv2.resize(canvas, box, interpolation=cv2.INTER_AREA)
    return imaging.centre(np.asarray(small, np.float32) / np.float32(255))


def _ends(strokes: Sequence[Stroke]) -> NDArray[np.int64]:
    """Return where, among the points of all strokes, each but the first begins."""
    return np.cumsum([len(stroke) for stroke in strokes])[:-1]


@cache
def _spline_weights() -> NDArray[Any]:
    """Return what each of four neighbouring points adds, (4, 5), at steps from second to third."""
    t = np.arange(STEPS) / STEPS
    return np.stack(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        ]
    )
