"""Synthesised lines say what they should, where they say it is, as the hand and the paper ask."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from papers import PAPERS
from tendigits.data import Digits, DigitSet
from tendigits.data import lines as lines_module
from tendigits.data.ductus import write_by_one
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines, write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.data.words import make_words

NEAT = Hand(size_spread=0, drift=0, gap_spread=0)


@pytest.fixture
def five(mnist: DigitSet) -> Digits:
    """7, 2, 1, 0, 4."""
    return mnist.test.take(slice(5))


def written(digits: Digits, hand: Hand, seed: int = 0) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    ink, boxes = write(digits, hand, np.random.default_rng(seed))
    return ink, [tuple(box) for box in boxes]


def test_the_same_seed_makes_the_same_lines(some_digits: Digits) -> None:
    first, again = (list(make_lines(some_digits, 5, seed=3)) for _ in range(2))
    other = list(make_lines(some_digits, 5, seed=4))
    for one, two in zip(first, again, strict=True):
        assert one.text == two.text
        assert one.boxes == two.boxes
        np.testing.assert_array_equal(one.picture, two.picture)
    assert [line.text for line in other] != [line.text for line in first]


def test_lines_vary_in_all_that_there_is(some_digits: Digits) -> None:
    lines = list(make_lines(some_digits, 150, seed=0, least=1, most=9))
    assert {len(line.text) for line in lines} == set(range(1, 10))
    assert {line.picture.ndim for line in lines} == {2, 3}
    assert all(len(line.boxes) == len(line.text) for line in lines)
    heights = [bottom - top for line in lines for _, top, _, bottom in line.boxes]
    assert min(heights) < 20
    assert max(heights) > 70


def test_a_share_of_lines_is_by_one_person(
    some_digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_one: list[str] = []

    def watch(labels: NDArray[np.uint8], random: np.random.Generator) -> Digits:
        by_one.append("".join(map(str, labels)))
        return write_by_one(labels, random)

    monkeypatch.setattr(lines_module, "write_by_one", watch)
    texts = [line.text for line in make_lines(some_digits, 100, seed=0, least=5, by_one=0.3)]
    assert 15 < len(by_one) < 45
    assert [text for text in texts if text in by_one] == by_one
    by_one.clear()
    list(make_lines(some_digits, 20, seed=0))
    assert not by_one


def test_a_box_holds_its_digits_ink(five: Digits) -> None:
    ink, boxes = written(five, NEAT)
    outside = ink.copy()
    for left, top, right, bottom in boxes:
        assert ink[top:bottom, left:right].max() > 0.9
        outside[top:bottom, left:right] = 0
    assert outside.max() == 0


@pytest.mark.parametrize("gap", [-0.1, 0.0, 0.1, 0.6])
def test_gaps_are_as_the_hand_asks(five: Digits, gap: float) -> None:
    ink, boxes = written(five, replace(NEAT, gap=gap))
    count, _ = cv2.connectedComponents((ink > 0.5).astype(np.uint8), connectivity=8)
    assert (count - 1 == 5) == (gap > 0.05)
    apart = [right[0] - left[2] for left, right in pairwise(boxes)]
    if gap == 0.6:
        assert min(apart) > 0.3 * NEAT.height


def test_all_digits_have_the_pen_of_the_hand(five: Digits) -> None:
    for pen in (0.08, 0.14):
        ink, boxes = written(five, replace(NEAT, pen=pen, gap=0.5))
        for left, top, right, bottom in boxes:
            mask = (ink[top:bottom, left:right] > 0.5).astype(np.uint8)
            outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            length = sum(cv2.arcLength(outline, True) for outline in outlines) / 2
            assert mask.sum() / length == pytest.approx(pen * NEAT.height, rel=0.45)


def test_a_slant_leans_to_the_right(five: Digits) -> None:
    def lean(slant: float) -> float:
        ink, _ = written(five.take([2]), replace(NEAT, slant=slant))
        rows, columns = np.nonzero(ink > 0.5)
        return float(-np.polyfit(rows, columns, 1)[0])

    assert lean(0.4) - lean(0.0) == pytest.approx(0.4, abs=0.12)


def test_marks_are_outside_the_boxes_and_broken_strokes_have_less_ink(five: Digits) -> None:
    plain, _ = written(five, NEAT)
    marked, same = written(five, replace(NEAT, marks=1.0))
    for left, top, right, bottom in same:
        marked[top:bottom, left:right] = 0
    assert marked.max() > 0.9
    broken, _ = written(five, replace(NEAT, broken=1.0))
    assert broken.sum() < plain.sum()


def test_european_sevens_and_ones_differ(five: Digits) -> None:
    plain, _ = written(five.take([0, 2]), NEAT)
    european, _ = written(five.take([0, 2]), replace(NEAT, european=1.0))
    assert european.sum() > 1.08 * plain.sum()


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_ink_shows_on_every_paper(five: Digits, paper: Paper) -> None:
    ink, _ = written(five, NEAT)
    picture = put_on_paper(ink, paper, np.random.default_rng(0))
    assert picture.shape == ink.shape
    assert picture.dtype == np.uint8
    darker = picture[ink == 0].mean() - picture[ink > 0.9].mean()
    assert (darker if paper.ink < paper.ground else -darker) > 40


def test_coloured_ink_makes_a_picture_with_colours(five: Digits) -> None:
    ink, _ = written(five, NEAT)
    picture = put_on_paper(ink, Paper(colour=True), np.random.default_rng(0))
    assert picture.shape == (*ink.shape, 3)
    assert np.ptp(picture[ink > 0.9].astype(int).mean(axis=0)) > 30


def test_words_have_ink_and_no_text() -> None:
    words = list(make_words(20, seed=0))
    assert all((word.text, word.boxes) == ("", ()) for word in words)
    assert np.mean([np.ptp(word.picture) > 40 for word in words]) > 0.9


def test_ones_are_taller_and_zeros_smaller_where_the_hand_makes_them_so(five: Digits) -> None:
    hand = Hand(size_spread=0.0, drift=0.0, slant=0.0, ones=1.4, zeros=0.6, stands=1.0)
    _, boxes = write(five.take([2, 3]), hand, np.random.default_rng(0))
    (_, top, _, foot), (_, zero_top, _, zero_foot) = boxes
    assert foot - top > 1.8 * (zero_foot - zero_top)
    assert abs(foot - zero_foot) < 0.15 * hand.height
    _, boxes = write(five.take([2, 3]), replace(hand, stands=0.0), np.random.default_rng(0))
    (_, top, _, foot), (_, zero_top, _, zero_foot) = boxes
    assert abs((foot + top) - (zero_foot + zero_top)) < 0.1 * hand.height


def test_some_lines_end_in_zeros_of_one_form(some_digits: Digits) -> None:
    texts = [line.text for line in make_lines(some_digits, 300, seed=0, least=4, most=6)]
    assert 0.02 < np.mean([text.endswith("000") for text in texts]) < 0.1  # by chance, 0.001
