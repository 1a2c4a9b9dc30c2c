"""Lines are laid on sheets in one size, whatever their ink is like."""

import numpy as np
import pytest

from tendigits.reading.canvas import DIGIT, HEIGHT, LOOKS, MARGIN, WIDEST, lay_out, look_again
from tendigits.reading.segment import LINE_HEIGHT, Line

STILL = np.array([[1.0, 0, 0], [0, 1, 0]])


def line_of(mask: np.ndarray) -> Line:
    return Line(mask=mask, ink=mask.astype(np.float32), matrix=STILL)


def test_a_digit_lies_in_the_middle_of_the_sheet() -> None:
    mask = np.zeros((LINE_HEIGHT, 30), np.uint8)
    mask[:, 10:20] = 1
    sheet = lay_out(line_of(mask))
    rows, columns = np.flatnonzero(sheet[0].any(axis=1)), np.flatnonzero(sheet[0].any(axis=0))
    assert sheet.shape[:2] == (2, HEIGHT)
    assert sheet.shape[2] % 4 == 0
    assert (rows[0], len(rows)) == ((HEIGHT - DIGIT) // 2, DIGIT)
    assert (columns[0], len(columns)) == (MARGIN + 5, 5)
    np.testing.assert_array_equal(sheet[0], sheet[1])


@pytest.mark.parametrize("shape", [(1, 1), (500, 40), (3, 9_000), (48, 1)])
@pytest.mark.parametrize("full", [True, False])
def test_any_line_fits(shape: tuple[int, int], full: bool) -> None:
    sheet = lay_out(line_of(np.full(shape, full, np.uint8)))
    assert sheet.shape[1] == HEIGHT
    assert sheet.shape[2] <= WIDEST + 2 * MARGIN + 4
    assert sheet.any() == full


def test_a_further_look_is_larger_smaller_or_slanted() -> None:
    mask = np.zeros((LINE_HEIGHT, 60), np.uint8)
    mask[4:-4, 20:40] = 1
    first = lay_out(line_of(mask))
    for sheet, (size, _) in zip(look_again(first), LOOKS, strict=True):
        assert sheet.shape[:2] == first.shape[:2]
        assert sheet.shape[2] % 4 == 0
        grown = sheet.sum(dtype=np.int64) / first.sum(dtype=np.int64)
        assert grown == pytest.approx(size**2, rel=0.05)
