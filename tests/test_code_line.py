"""The line that is the code, apart from what the picture's edge cuts."""

import cv2
import numpy as np
import pytest

from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import write
from tendigits.reading.reader import Reader
from tendigits.sorting.code_line import CodeReader

HAND = Hand(height=40, gap=0.25)


def write_code(mnist: DigitSet, above: int, below: int) -> np.ndarray:
    """Return 94703 on white paper, (H, W) uint8, with so much room above and below, in pixels."""
    chance = np.random.default_rng(2)
    chosen = [chance.choice(np.flatnonzero(mnist.train.labels == int(each))) for each in "94703"]
    ink, boxes = write(mnist.train.take(np.array(chosen)), HAND, chance)
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    code = np.pad(ink[top:bottom], ((above, below), (30, 30)))
    return np.asarray(255 - 230 * code, np.uint8)


def print_word(picture: np.ndarray, bottom: int) -> np.ndarray:
    """Print a word whose feet are at a row; what is above the picture is cut off."""
    return cv2.putText(picture, "MAIN ST", (40, bottom), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 30, 4)


@pytest.fixture(scope="module")
def reader() -> CodeReader:
    return CodeReader(format="us-zip", threads=1)


def test_the_feet_of_the_line_above_are_no_code(mnist: DigitSet, reader: CodeReader) -> None:
    picture = print_word(write_code(mnist, above=70, below=30), bottom=22)
    assert len(Reader(format="us-zip", threads=1).find_lines(picture)) == 2
    assert [field.text for field in reader.read_pixels(picture).fields] == ["94703"]


def test_the_heads_of_the_line_below_are_no_code(mnist: DigitSet, reader: CodeReader) -> None:
    picture = write_code(mnist, above=30, below=70)
    print_word(picture, bottom=len(picture) + 14)
    assert [field.text for field in reader.read_pixels(picture).fields] == ["94703"]


def test_a_whole_line_beside_the_code_is_read_too(mnist: DigitSet, reader: CodeReader) -> None:
    picture = print_word(write_code(mnist, above=110, below=30), bottom=60)
    assert len(reader.find_lines(picture)) == 2


def test_a_code_that_alone_fills_the_picture_is_read(mnist: DigitSet, reader: CodeReader) -> None:
    picture = write_code(mnist, above=0, below=0)
    assert [field.text for field in reader.read_pixels(picture).fields] == ["94703"]


def test_blank_paper_has_no_line(reader: CodeReader) -> None:
    assert reader.find_lines(np.full((80, 200), 255, np.uint8)) == []
