"""Whatever the paper and the light, the lines of ink are found, level and in one size."""

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from papers import PAPERS
from tendigits.data import Digits, DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.reading.candidates import make_candidates
from tendigits.reading.ground import find_ink
from tendigits.reading.pieces import find_atoms
from tendigits.reading.rules import remove_rules
from tendigits.reading.seams import row_shifts, shear, slant_of
from tendigits.reading.segment import LINE_HEIGHT, find_lines
from tendigits.results import Box

Pixels = NDArray[np.uint8]
HAND = Hand(height=60, gap=0.3, size_spread=0.03)


@pytest.fixture
def five(mnist: DigitSet) -> Digits:
    """7, 2, 1, 0, 4."""
    return mnist.test.take(slice(5))


def line_of(digits: Digits, hand: Hand = HAND) -> tuple[NDArray[np.float32], list[Box]]:
    return write(digits, hand, np.random.default_rng(0))


def photograph(ink: NDArray[np.float32], paper: Paper) -> Pixels:
    return put_on_paper(ink, paper, np.random.default_rng(1))


def overlap(found: Pixels, ink: NDArray[np.float32]) -> float:
    """Return the intersection over union of two masks."""
    first, second = found > 0, ink > 0.5
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize(
    "paper", [*PAPERS.values(), Paper(colour=True)], ids=[*PAPERS, "with colour"]
)
def test_ink_is_found_on_every_paper(five: Digits, paper: Paper) -> None:
    ink, _ = line_of(five)
    ground = find_ink(photograph(ink, paper))
    mask = remove_rules(ground.mask, ground.stroke)
    assert overlap(mask, ink) > 0.7
    assert ground.stroke == pytest.approx(HAND.pen * HAND.height, rel=0.55)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("grain", [0, 3, 12])
def test_blank_paper_has_no_ink(level: int, grain: int) -> None:
    noise = np.random.default_rng(0).normal(0, grain, (120, 300))
    light = np.linspace(-25, 25, 300)
    for page in (level + noise, level + noise + light):
        ground = find_ink(np.clip(page, 0, 255).astype(np.uint8))
        assert not ground.mask.any()
        assert find_lines(ground) == []


@pytest.mark.parametrize("degrees", [-15, -8, 0, 8, 15])
def test_a_skewed_page_has_one_line_with_boxes_where_the_digits_are(
    five: Digits, degrees: float
) -> None:
    ink, boxes = line_of(five)
    ink = np.pad(ink, 100)
    middle = (ink.shape[1] / 2, ink.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, -degrees, 1)
    turned = np.asarray(cv2.warpAffine(ink, matrix, ink.shape[::-1]), np.float32)
    lines = find_lines(find_ink(photograph(turned, Paper())))
    assert len(lines) == 1
    atoms = find_atoms(lines[0].mask)
    found = [lines[0].box_in_picture(*box) for box in atoms.boxes.tolist()]
    for left, top, right, bottom in boxes:
        x, y = matrix @ [(left + right) / 2 + 100, (top + bottom) / 2 + 100, 1]
        assert any(a - 3 <= x <= c + 3 and b - 3 <= y <= d + 3 for a, b, c, d in found)


def test_a_line_comes_in_standard_size(five: Digits) -> None:
    for height in (14, 40, 300):
        ink, _ = line_of(five, replace(HAND, height=height))
        (line,) = find_lines(find_ink(photograph(ink, Paper())))
        assert LINE_HEIGHT * 0.9 < line.mask.shape[0] < LINE_HEIGHT * 1.6


def test_several_lines_are_several(five: Digits) -> None:
    ink, boxes = line_of(five)
    page = np.vstack([ink, np.zeros((20, ink.shape[1]), np.float32), ink, ink])
    picture = photograph(page, Paper(shade=0.3))
    lines = find_lines(find_ink(picture))
    assert len(lines) == 3
    tops = [line.box_in_picture(0, 0, *line.mask.shape[::-1])[1] for line in lines]
    first = min(top for _, top, _, _ in boxes)
    step = ink.shape[0]
    assert tops == pytest.approx([first, first + 20 + step, first + 20 + 2 * step], abs=6)
    assert len(find_lines(find_ink(picture), one=True)) == 1


def test_a_wide_gap_divides_fields(five: Digits) -> None:
    ink, _ = line_of(five)
    page = np.hstack([ink, np.zeros((ink.shape[0], 500), np.float32), ink])
    assert len(find_lines(find_ink(photograph(page, Paper())))) == 2


def test_rules_go_and_crossing_strokes_stay(five: Digits) -> None:
    ink, boxes = line_of(five)
    mask = (ink > 0.5).astype(np.uint8)
    ruled = mask.copy()
    foot = max(bottom for _, _, _, bottom in boxes) - 12
    ruled[foot : foot + 2] = 1  # runs through the lower ends of the digits
    ruled[:, 3:5] = 1
    clean = remove_rules(ruled, HAND.pen * HAND.height)
    assert overlap(clean, mask.astype(np.float32)) > 0.9
    np.testing.assert_array_equal(remove_rules(mask, HAND.pen * HAND.height), mask)


@pytest.mark.parametrize("gap", [0.3, 0.02, -0.06])
def test_no_atom_holds_two_digits(five: Digits, gap: float) -> None:
    """Seams part what touches: each atom's ink lies, nearly all, in the box of one digit."""
    ink, boxes = line_of(five, replace(HAND, gap=gap, gap_spread=0.0))
    (line,) = find_lines(find_ink(photograph(ink, Paper())), one=True)
    atoms = find_atoms(line.mask)
    back = cv2.invertAffineTransform(line.matrix)
    for number in range(len(atoms)):
        _, columns = np.nonzero(atoms.labels == number + 1)
        shares = []
        for left, _, right, _ in boxes:
            low, high = back[0, 0] * left + back[0, 2], back[0, 0] * right + back[0, 2]
            shares.append(float(((columns >= low - 2) & (columns <= high + 2)).mean()))
        assert max(shares) > 0.7


def test_tiny_and_huge_pictures_are_read_alike(five: Digits) -> None:
    ink, _ = line_of(five.take([3]), replace(HAND, height=12))
    assert min(ink.shape) < 30
    assert len(find_lines(find_ink(photograph(ink, Paper(blur=0.3))))) == 1
    page = np.full((4_900, 5_000), 230, np.uint8)
    ink, _ = line_of(five, replace(HAND, height=400))
    page[200 : 200 + ink.shape[0], 200 : 200 + ink.shape[1]] -= (ink * 200).astype(np.uint8)
    assert len(find_lines(find_ink(page))) == 1


def test_a_page_of_dots_ends_soon_and_is_no_line() -> None:
    random = np.random.default_rng(0)
    dots = np.asarray((random.random((1_000, 1_000)) > 0.01) * 255, np.uint8)
    start = time.process_time()
    assert all(line.mask.shape[0] <= 6 * 48 for line in find_lines(find_ink(dots)))
    assert time.process_time() - start < 10


def test_nothing_but_grains_has_no_atoms_and_no_candidates() -> None:
    mask = np.zeros((LINE_HEIGHT, 60), np.uint8)
    mask[10, 10] = 1
    atoms = find_atoms(mask)
    assert len(atoms) == 0
    assert len(make_candidates(atoms).images) == 0


@pytest.mark.parametrize("slant", [-0.25, 0.0, 0.25, 0.5])
def test_the_slant_of_stems_is_found_and_taken_out(slant: float) -> None:
    mask = np.zeros((48, 120), np.uint8)
    for foot in (30, 60, 90):
        cv2.line(mask, (foot, 44), (foot + round(slant * 40), 4), 1, 4)
    assert slant_of(mask > 0) == slant
    upright = shear(mask, row_shifts(len(mask), slant))
    assert upright.sum() == mask.sum()
    assert (upright.sum(axis=0) > 0).sum() < 30


def test_a_seam_follows_the_slant_where_it_may() -> None:
    mask = np.zeros((48, 120), np.uint8)
    for foot in (20, 44):  # two stems, each over the foot of the next, joined by a hair
        cv2.line(mask, (foot, 44), (foot + 30, 4), 1, 5)
    mask[24, 35:59] = 1
    found = []
    for along_slant in (False, True):
        atoms = find_atoms(mask, along_slant=along_slant)
        shares = np.cumsum(atoms.areas)[:-1] / atoms.areas.sum()
        found.append(atoms.cuts[1:-1][np.abs(shares - 0.5) < 0.05].min(initial=np.inf))
    assert found[1] < 2 < found[0]
