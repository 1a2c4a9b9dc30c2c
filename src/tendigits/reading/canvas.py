"""A line of ink -> the picture that the line network reads.

A usual digit is 24 pixels high on a sheet of 40, so that a line may climb, and a height that was
measured a third too large or too small still fits.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.reading.segment import LINE_HEIGHT, Line

HEIGHT = 40  # pixels of the sheet
DIGIT = 24  # pixels: of a usual digit
MARGIN = 8  # pixels of empty sheet before and after the ink
STEP = 4  # pixels: the width is a multiple of this, as the network halves it twice
WIDEST = 3_000  # pixels: 125 heights of a digit; what is beyond is not looked at
SCALE = DIGIT / LINE_HEIGHT
# Size and slant of each further look; of eight that were tried, these helped (LOG, 2026-11-26).
LOOKS = ((1.15, 0.0), (1.0, 0.2), (0.85, 0.0), (1.0, -0.2))

Canvas = NDArray[np.uint8]


def lay_out(line: Line) -> Canvas:
    """Lay a line on a sheet.

    Args:
        line: In standard size.

    Returns:
        (2, 40, W) uint8: the ink once it was cleaned, and as dark as it was found.
    """
    high, wide = line.mask.shape
    size = (min(max(1, round(SCALE * wide)), WIDEST), max(1, round(SCALE * high)))
    width = -(-(size[0] + 2 * MARGIN) // STEP) * STEP
    top = HEIGHT // 2 - round(SCALE * middle_row(line.mask))
    sheet = np.zeros((2, HEIGHT, width), np.uint8)
    first, last = max(0, -top), min(size[1], HEIGHT - top)
    for layer, whole in enumerate((255 * line.mask, np.asarray(255 * line.ink, np.uint8))):
        small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        rows = slice(first + top, max(last, first) + top)
        sheet[layer, rows, MARGIN : MARGIN + size[0]] = small[first:last]
    return sheet


def look_again(sheet: Canvas, looks: Sequence[tuple[float, float]] = LOOKS) -> list[Canvas]:
    """Return a sheet larger, smaller, and slanted to both sides, for further opinions.

    Args:
        sheet: (2, 40, W) uint8.
        looks: Size and slant of each.

    Returns:
        One for each look, of other widths.
    """
    _, high, wide = sheet.shape
    sheets = []
    for size, slant in looks:
        width = -(-int(wide * max(1.0, size)) // STEP) * STEP
        turn = np.array([[size, slant], [0, size]])
        move = np.array([width, high]) / 2 - turn @ np.array([wide, high]) / 2
        matrix = np.hstack([turn, move[:, None]])
        parts = [cv2.warpAffine(part, matrix, (width, high)) for part in sheet]
        sheets.append(np.stack(parts).astype(np.uint8, copy=False))
    return sheets


def middle_row(mask: NDArray[np.uint8]) -> float:
    """Return the mean row of the ink of a (H, W) mask; the middle where there is none."""
    rows = mask.sum(axis=1, dtype=np.float64)
    places = np.arange(len(rows)) + 0.5
    return float(np.average(places, weights=rows)) if rows.any() else len(rows) / 2
