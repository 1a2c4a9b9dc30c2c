"""Straight upright ones: no printed lines, though they look like the side of a frame."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data.paper import Paper, put_on_paper
from tendigits.reading import Reader
from tendigits.reading.bars import HighInk, find_high_ink

SEVEN = [(0, 0), (60, 0), (25, 100)]
ONE = [(0, 0), (0, 100)]


def draw(text: str, *, pen: int, lean: int = 0) -> NDArray[np.uint8]:
    """Return a text of ones and sevens, straight strokes of a pen, black on white."""
    picture = np.full((220, 140 + 110 * len(text)), 255, np.uint8)
    for place, letter in enumerate(text):
        stroke = np.add(SEVEN if letter == "7" else ONE, [60 + 110 * place, 60])
        if letter == "1":
            stroke += [(lean, 0), (-lean, 0)]
        for start, end in pairwise(stroke.tolist()):
            cv2.line(picture, start, end, 0, pen, cv2.LINE_AA)
    return picture


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("pen", [7, 10, 14])
@pytest.mark.parametrize("lean", [0, 1, 5])
@pytest.mark.parametrize("text", ["71", "17", "117", "71117", "1", "11"])
def test_upright_ones_are_read(reader: Reader, text: str, lean: int, pen: int) -> None:
    assert reader.read(draw(text, pen=pen, lean=lean)).text == text


@pytest.mark.parametrize("margin", [20, 34, 38, 50])
def test_upright_ones_are_read_near_the_edge_of_a_picture(reader: Reader, margin: int) -> None:
    picture = draw("71", pen=7)
    ink = np.argwhere(picture < 128)
    (top, left), (low, far) = ink.min(axis=0) - margin, ink.max(axis=0) + margin + 1
    assert reader.read(picture[top:low, left:far]).text == "71"


def test_high_ink_is_counted_and_what_is_straight_and_upright() -> None:
    mask = np.zeros((90, 200), np.uint8)
    for left, high in ((5, 48), (25, 40), (45, 30), (65, 77), (85, 10)):
        mask[2 : 2 + high, left : left + 6] = 1
    cv2.ellipse(mask, (120, 30), (12, 22), 0, 0, 360, 1, 5)  # a 0
    cv2.line(mask, (150, 50), (175, 5), 1, 5)  # a stroke that leans, like a slash
    found = find_high_ink(mask)
    assert found == HighInk(pieces=4, bars=2)
    assert [found.leaves_out_bar(digits) for digits in range(6)] == [True] * 4 + [False] * 2
    assert find_high_ink(np.zeros((48, 10), np.uint8)) == HighInk()


def test_half_of_a_broken_zero_is_no_bar() -> None:
    for half_width in (12, 16, 20):
        mask = np.zeros((60, 60), np.uint8)
        cv2.ellipse(mask, (30, 30), (half_width, 22), 0, 0, 360, 1, 5)
        mask[:, 28:33] = 0
        assert find_high_ink(mask) == HighInk(pieces=2, bars=0), half_width


def test_brackets_are_no_ones(reader: Reader) -> None:
    picture = np.full((120, 300), 255, np.uint8)
    cv2.putText(picture, "[12]", (40, 90), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 0, 6, cv2.LINE_AA)
    assert reader.read(picture).text == "12"


def test_a_frames_side_that_could_be_a_one_is_not_drawn() -> None:
    ink = np.zeros((60, 200), np.float32)
    ink[5:55, 60:66] = ink[5:55, 130:136] = 1.0
    paper = Paper(frames=True, rule_strength=1.0, blur=0.0, grain=0.0)
    for seed in range(40):
        picture = put_on_paper(ink, paper, np.random.default_rng(seed))
        dark = (picture < 128).all(axis=0, where=(ink.max(axis=1) > 0)[:, None])
        assert set(np.flatnonzero(dark)) == {*range(60, 66), *range(130, 136)}
    low = np.zeros((60, 200), np.float32)
    low[20:40, 60:66] = 1.0
    pictures = [put_on_paper(low, paper, np.random.default_rng(seed)) for seed in range(40)]
    assert any((picture[20:40, :20] < 128).all(axis=0).any() for picture in pictures)
