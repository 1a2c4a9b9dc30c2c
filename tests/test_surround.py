"""What lies around the paper: an envelope around its window, a table, the edge of a scan."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handwriting import CLEAN, HAND, some_lines
from tendigits.data import DigitSet
from tendigits.data.lines import Line
from tendigits.reading import Reader
from tendigits.reading.ground import find_ink
from tendigits.reading.surround import find_paper, find_surround, is_around

Pixels = NDArray[np.uint8]
SIDES = ("top", "bottom", "left", "right")


@pytest.fixture(scope="module")
def lines(few_digits: DigitSet) -> list[Line]:
    return some_lines(few_digits.test, HAND, CLEAN, 40)


@pytest.fixture(scope="module")
def one() -> Reader:
    return Reader(fields="one", threads=1)


def grey(picture: Pixels) -> Pixels:
    return picture if picture.ndim == 2 else picture[..., 0]


def put_around(picture: Pixels, wide: int, shade: int, without: str = "") -> Pixels:
    """Return a picture with so many dark pixels at all sides but one."""
    sides = [(0 if side == without else wide) for side in SIDES]
    padded = np.pad(grey(picture), (sides[:2], sides[2:]), constant_values=shade)
    return np.asarray(padded, np.uint8)


def in_picture(picture: Pixels) -> Pixels:
    """Return where ink is found, as a mask of the whole picture."""
    ground = find_ink(picture)
    left, top = ground.matrix[:, 2].astype(int)
    whole = np.zeros(picture.shape, np.uint8)
    high, wide = ground.mask.shape
    whole[top : top + high, left : left + wide] = ground.mask
    return whole


def share_alike(one: Reader, lines: list[Line], changed: list[Pixels]) -> float:
    """Return the share of lines of which the same is read in the changed pictures."""
    before = [one.read(line.picture).text for line in lines]
    after = [one.read(picture).text for picture in changed]
    return float(np.mean([a == b for a, b in zip(before, after, strict=True)]))


@pytest.mark.parametrize("shade", [20, 110])
@pytest.mark.parametrize("wide", [6, 25])
@pytest.mark.parametrize("without", ["", *SIDES])
def test_what_is_around_the_paper_is_no_ink(
    one: Reader, lines: list[Line], wide: int, shade: int, without: str
) -> None:
    changed = [put_around(line.picture, wide, shade, without) for line in lines]
    assert share_alike(one, lines, changed) >= 0.9


@pytest.mark.parametrize("shade", [10, 110])
def test_a_note_on_a_wide_table_is_read_where_it_lies(
    one: Reader, lines: list[Line], shade: int
) -> None:
    wide = 110
    changed = [put_around(line.picture, wide, shade) for line in lines]
    assert share_alike(one, lines, changed) >= 0.9
    (field,) = one.read(lines[0].picture).fields
    (moved,) = one.read(changed[0]).fields
    assert np.abs(np.array(moved.box) - wide - np.array(field.box)).max() <= 4


@pytest.mark.parametrize("shade", [(60, 40, 20), (30, 90, 40), (40, 40, 160)])
def test_a_note_on_a_coloured_table_is_read(
    one: Reader, lines: list[Line], shade: tuple[int, int, int]
) -> None:
    changed = []
    for line in lines:
        note = np.repeat(grey(line.picture)[..., None], 3, axis=2)
        high, wide = note.shape[:2]
        table = np.empty((high + 160, wide + 160, 3), np.uint8)
        table[:] = shade
        table[80:-80, 80:-80] = note
        changed.append(table)
    assert share_alike(one, lines, changed) >= 0.85


@pytest.mark.parametrize("wide", [20, 30, 40, 60, 80])
def test_a_bar_of_chalk_is_a_one_and_no_sheet(one: Reader, wide: int) -> None:
    board = np.full((400, 500), 30, np.uint8)
    cv2.line(board, (150, 80), (140, 320), 230, wide)
    assert one.read(board).text == "1"


def test_a_label_does_not_hide_the_page() -> None:
    page = np.full((500, 800), 160, np.uint8)
    cv2.putText(page, "94703", (60, 420), 0, 3, 40, 9)
    page[40:130, 500:700] = 250
    cv2.putText(page, "12", (540, 110), 0, 1.5, 40, 3)
    texts = [field.text for field in Reader(threads=1).read(page).fields]
    assert "94703" in texts


def test_of_two_sheets_none_is_the_page(lines: list[Line]) -> None:
    table = np.full((500, 700), 40, np.uint8)
    for line, (top, left) in zip(lines[:2], ((40, 60), (260, 150)), strict=True):
        sheet = grey(line.picture)
        table[top : top + len(sheet), left : left + sheet.shape[1]] = sheet
    assert find_paper(cv2.GaussianBlur(table, (0, 0), 1).astype(np.uint8)) is None


@pytest.mark.parametrize("rim", [20, 60, 80, 120])
def test_the_larger_of_two_whole_lines_is_the_field_wherever_its_sheet_lies(
    one: Reader, lines: list[Line], rim: int
) -> None:
    low = grey(lines[0].picture)
    high = cv2.resize(grey(lines[1].picture), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    wide = max(low.shape[1], high.shape[1])
    sheet = np.vstack(
        [
            np.pad(part, ((20, 20), (0, wide - part.shape[1])), mode="edge")
            for part in (high.astype(np.uint8), low)
        ]
    )
    alone = one.read(sheet).text
    assert alone == one.read(lines[0].picture).text
    assert one.read(np.pad(sheet, ((rim, rim), (60, 60)), constant_values=30)).text == alone


def test_a_line_that_the_edge_cuts_is_not_the_field(one: Reader, lines: list[Line]) -> None:
    picture = np.pad(grey(lines[0].picture), ((60, 20), (20, 20)), mode="edge")
    cv2.putText(picture, "MAIN STREET", (20, 20), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 30, 9)
    assert one.read(picture).text == one.read(lines[0].picture).text


@pytest.mark.parametrize("shape", [(1, 256), (256, 1), (2, 3_000), (3, 300), (7, 7), (1, 1)])
@pytest.mark.filterwarnings("error")
def test_no_picture_is_too_thin(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for picture in (np.zeros(shape, np.uint8), random.integers(0, 256, shape, np.uint8)):
        assert find_ink(picture).mask.ndim == 2


def test_a_stamp_on_a_page_is_no_sheet(easy: Line) -> None:
    page = np.pad(grey(easy.picture), ((20, 160), (20, 20)), constant_values=235)
    page[-140:-20, 40:200] = 40
    page[-80:-75, 60:180] = 220
    assert find_paper(page) is None


def test_paper_that_lies_askew_on_a_table_is_read(one: Reader, lines: list[Line]) -> None:
    changed = []
    for line in lines:
        laid = put_around(line.picture, 30, 60)
        middle = (laid.shape[1] / 2, laid.shape[0] / 2)
        turn = cv2.getRotationMatrix2D(middle, 2, 1)
        turned = cv2.warpAffine(laid, turn, laid.shape[::-1], borderValue=60)
        changed.append(np.asarray(turned, np.uint8))
    assert share_alike(one, lines, changed) >= 0.9


def test_ink_that_touches_what_is_around_it_stays(easy: Line) -> None:
    picture = grey(easy.picture)
    alone = find_ink(picture).mask
    rows, columns = np.nonzero(alone)
    ink = int(np.percentile(picture[alone > 0], 20))
    x = int(columns[rows == rows.max()][0])
    tied = picture.copy()
    cv2.line(tied, (x, int(rows.max())), (x, len(tied) - 1), ink, 3)
    found = in_picture(put_around(tied, 15, ink))[15:-15, 15:-15]
    assert found[alone > 0].mean() > 0.9
    assert found[rows.max() + 6 : -8, x].all()


def test_paper_to_the_edges_has_nothing_around_it(easy: Line) -> None:
    assert find_surround(find_ink(easy.picture).mask) is None


@pytest.mark.parametrize("side", [28, 112])
def test_a_digit_that_fills_its_picture_is_not_around_anything(
    mnist: DigitSet, one: Reader, side: int
) -> None:
    zeros = mnist.test.images[mnist.test.labels == 0][:20]
    read = []
    for image in zeros:
        rows, columns = np.nonzero(image > 100)
        tight = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        large = cv2.resize(tight, (side, side), interpolation=cv2.INTER_CUBIC)
        read.append(one.read(255 - large).text)
        mask = (large > 128).astype(np.uint8)
        surround = find_surround(mask)
        assert surround is None or not is_around(surround, mask & (1 - surround))
    assert read.count("0") >= 17
