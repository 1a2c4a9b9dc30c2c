"""Lines of MNIST's test digits, which no reader has learnt from, and how many are read right."""

import numpy as np

from tendigits.data import Digits
from tendigits.data.hand import Hand
from tendigits.data.lines import Line, make_lines
from tendigits.data.paper import Paper
from tendigits.reading import Reader

HAND = Hand(height=44, gap=0.25, size_spread=0.05)
CLEAN = Paper(blur=0.6, grain=0.02)


def some_lines(digits: Digits, hand: Hand, paper: Paper, count: int = 24) -> list[Line]:
    return list(make_lines(digits, count, seed=0, least=3, most=6, hand=hand, paper=paper))


def share_right(reader: Reader, lines: list[Line]) -> float:
    return float(np.mean([reader.read(line.picture).text == line.text for line in lines]))
