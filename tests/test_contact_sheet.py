"""The contact sheet shows what it says: the right pictures under the right labels."""

import numpy as np
import pytest

from tendigits.data import Digits, DigitSet, draw_contact_sheet
from tendigits.data.contact_sheet import CARD, CELL, GAP, HEADER, INK, MARGIN, SCALE


def cell_at(sheet: np.ndarray, column: int, row: int) -> np.ndarray:
    top, left = MARGIN + HEADER + row * (CELL + GAP), MARGIN + column * (CELL + GAP)
    return sheet[top : top + CELL : SCALE, left : left + CELL : SCALE]


@pytest.mark.parametrize("rows", [1, 4])
def test_each_column_holds_different_pictures_of_its_class(mnist: DigitSet, rows: int) -> None:
    image = draw_contact_sheet(mnist, rows_per_class=rows)
    assert image.size[0] == 2 * MARGIN + 10 * (CELL + GAP) - GAP
    sheet = np.asarray(image)
    for digit in range(10):
        candidates = mnist.train.images[mnist.train.labels == digit]
        inks = {(candidate > 250).tobytes() for candidate in candidates}
        shown = {(cell_at(sheet, digit, row)[..., 0] < INK[0] + 5).tobytes() for row in range(rows)}
        assert len(shown) == rows
        assert shown <= inks


def test_the_same_set_gives_the_same_sheet(few_digits: DigitSet) -> None:
    first, second = (draw_contact_sheet(few_digits).tobytes() for _ in range(2))
    assert first == second


def test_a_small_set_gives_a_small_sheet() -> None:
    ink = np.zeros((3, 28, 28), np.uint8)
    ink[:, 10:18, 10:18] = 255
    digits = Digits(images=ink, labels=np.array([2, 2, 7], np.uint8))
    image = draw_contact_sheet(DigitSet(name="mine", train=digits, test=digits, divided_here=True))
    assert image.size[1] == 2 * MARGIN + HEADER + 2 * (CELL + GAP) - GAP
    sheet = np.asarray(image)
    for column, row in ((2, 0), (2, 1), (7, 0)):
        assert cell_at(sheet, column, row)[14, 14].tolist() == list(INK)
        assert cell_at(sheet, column, row)[0, 0].tolist() == list(CARD)
    assert cell_at(sheet, 7, 1).min() == 246  # nothing but paper
