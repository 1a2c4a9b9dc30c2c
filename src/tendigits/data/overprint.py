"""What lies over or beside a digit on forms, envelopes and bad copies: foreign strokes, made."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.data.digits import SIDE

FINE = 4  # drawn at so many times the size, and averaged down, for soft edges
BRUSH_SIDE = FINE * SIDE  # pixels: the side of what is drawn on
MARGIN = BRUSH_SIDE // 8  # pixels: how far in a frame's line comes

Canvas = NDArray[np.uint8]


def make_overprint(count: int, seed: int) -> NDArray[np.uint8]:
    """Make pictures of strokes that are no part of a digit.

    Args:
        count: How many; kinds take turns: a line, a crooked line, dots, a frame's line.
        seed: Fixes them.

    Returns:
        (count, 28, 28) uint8, ink = 255 on 0.
    """
    random = np.random.default_rng(seed)
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for place in range(count):
        canvas = np.zeros((BRUSH_SIDE, BRUSH_SIDE), np.uint8)
        KINDS[place % len(KINDS)](canvas, random)
        pictures[place] = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return pictures


def draw_line(canvas: Canvas, random: np.random.Generator) -> None:
    """Draw a straight line anywhere."""
    start, end = random.integers(-MARGIN, BRUSH_SIDE + MARGIN, (2, 2)).tolist()
    cv2.line(canvas, start, end, 255, brush(random), cv2.LINE_AA)


def draw_crooked_line(canvas: Canvas, random: np.random.Generator) -> None:
    """Draw three to five corners joined by thin lines."""
    corners = random.integers(0, BRUSH_SIDE, (random.integers(3, 6), 2)).astype(np.int32)
    cv2.polylines(canvas, [corners], False, 255, max(3, brush(random) // 2), cv2.LINE_AA)


def draw_dots(canvas: Canvas, random: np.random.Generator) -> None:
    """Draw a dozen dots at most."""
    for centre in random.integers(0, BRUSH_SIDE, (random.integers(1, 14), 2)).tolist():
        cv2.circle(canvas, centre, int(random.integers(2, 7)), 255, -1, cv2.LINE_AA)


def draw_frame(canvas: Canvas, random: np.random.Generator) -> None:
    """Draw a line along one of the four edges."""
    start = int(random.integers(0, MARGIN))
    end = start + int(random.integers(-FINE, FINE + 1))
    if random.random() < 0.5:
        start, end = BRUSH_SIDE - start, BRUSH_SIDE - end
    line = ((0, start), (BRUSH_SIDE, end))
    if random.random() < 0.5:
        line = ((start, 0), (end, BRUSH_SIDE))
    cv2.line(canvas, *line, 255, brush(random), cv2.LINE_AA)


def brush(random: np.random.Generator) -> int:
    """Return a width of one to three pixels of the result."""
    return int(random.integers(FINE, 3 * FINE))


KINDS: tuple[Callable[[Canvas, np.random.Generator], None], ...] = (
    draw_line,
    draw_crooked_line,
    draw_dots,
    draw_frame,
)
