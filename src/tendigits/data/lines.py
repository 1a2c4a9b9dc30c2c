"""Lines of digits as one hand would have written them, synthesised from pictures of single digits.

A `Hand` has one slant, one pen and one size for all of its digits; it writes them apart, touching
or overlapping, with points, commas and dashes that are no digits. `paper` puts the ink on paper.

    lines = make_lines(load_mnist().train, 1_000, seed=0)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.data.digits import Digits
from tendigits.data.ductus import write_by_one
from tendigits.data.hand import Hand, sample_hand
from tendigits.data.marks import (
    add_marks,
    bar_five,
    close_four,
    cross_seven,
    flag_one,
    hook_nine,
    tail_zero,
)
from tendigits.data.paper import Paper, put_on_paper, sample_paper
from tendigits.results import Box

Ink = NDArray[np.float32]
Random = np.random.Generator

SOURCE_HEIGHT = 20  # pixels: of a digit in MNIST form
ROUND_SHARE = 0.12  # of lines end in zeros of one form, as amounts do
INK = 0.5  # a pixel is ink if ink covers half of it
PLACES = np.stack(np.meshgrid(*[np.arange(28, dtype=np.float32)] * 2), axis=2)  # x and y of each
MOST_SLANT = 0.9  # pixels to the right for one upwards, that is taken out of a single digit

# What is added to a digit, and which chance of the hand says how often.
HABITS = {
    0: (tail_zero, "flourish"),
    1: (flag_one, "european"),
    4: (close_four, "flourish"),
    5: (bar_five, "flourish"),
    7: (cross_seven, "european"),
    9: (hook_nine, "flourish"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A line of digits.

    Attributes:
        picture: (H, W) or (H, W, 3) uint8.
        text: The digits, left to right.
        boxes: Of each digit's ink, in pixels of the picture.
    """

    picture: NDArray[np.uint8]
    text: str
    boxes: tuple[Box, ...]


def make_lines(
    digits: Digits,
    count: int,
    *,
    seed: int,
    least: int = 1,
    most: int = 9,
    hand: Hand | None = None,
    paper: Paper | None = None,
    by_one: float = 0.0,
) -> Iterator[Line]:
    """Make lines, one after the other, the same for the same seed.

    Args:
        digits: To write with: of the training part, if anything is to learn from the lines.
        count: Of lines.
        seed: Fixes everything random.
        least: Digits on a line.
        most: Digits on a line.
        hand: The hand of every line; None for another hand each time.
        paper: The paper of every line; None for another paper each time.
        by_one: Share of lines whose digits are written stroke by stroke instead, all of a class in
            one form: MNIST's do not say which are by the same person.

    Yields:
        The lines.
    """
    random = np.random.default_rng(seed)
    zeros = np.flatnonzero(digits.labels == 0)
    for _ in range(count):
        chosen = random.integers(len(digits), size=int(random.integers(least, most + 1)))
        if random.random() < ROUND_SHARE and len(zeros) and len(chosen) > 1:
            chosen[-int(random.integers(1, len(chosen))) :] = random.choice(zeros)
        written = digits.take(chosen)
        if by_one and random.random() < by_one:
            written = write_by_one(written.labels, random)
        ink, boxes = write(written, hand or sample_hand(random), random)
        picture = put_on_paper(ink, paper or sample_paper(random), random)
        text = "".join(map(str, written.labels.tolist()))
        yield Line(picture=picture, text=text, boxes=tuple(boxes))


def write(digits: Digits, hand: Hand, random: Random) -> tuple[Ink, list[Box]]:
    """Write digits on one line.

    Args:
        digits: One or more, left to right.
        hand: How.
        random: Draws what differs from digit to digit.

    Returns:
        (H, W) float32, 0 to 1: how much ink there is; and the box of each digit's ink.
    """
    glyphs = [
        shape_digit(image, int(label), hand, random)
        for image, label in zip(digits.images, digits.labels, strict=True)
    ]
    gaps = random.normal(hand.gap, hand.gap_spread, len(glyphs)) * hand.height
    lifts = random.normal(0, hand.drift, len(glyphs)) * hand.height
    middles = [
        round(hand.stands * (hand.height - glyph.shape[0]) / 2 - lift) - glyph.shape[0] // 2
        for lift, glyph in zip(lifts, glyphs, strict=True)
    ]
    lefts = [0]
    for place in range(1, len(glyphs)):
        left, right = glyphs[place - 1], glyphs[place]
        apart = closest(left, right, middles[place] - middles[place - 1])
        lefts.append(lefts[-1] + apart + round(gaps[place]))
    tops = [
        middle - round(hand.climb * (left - lefts[0]))
        for middle, left in zip(middles, lefts, strict=True)
    ]
    return compose(glyphs, lefts, tops, hand, random)


def compose(
    glyphs: list[Ink], lefts: list[int], tops: list[int], hand: Hand, random: Random
) -> tuple[Ink, list[Box]]:
    """Lay shaped digits on a sheet just large enough, with a margin, and add marks."""
    margins = np.maximum(1, random.uniform(-0.2, 1.0, 4) * hand.height).astype(int)
    left, top = margins[0] - min(lefts), margins[1] - min(tops)
    width = (
        left + max(x + glyph.shape[1] for x, glyph in zip(lefts, glyphs, strict=True)) + margins[2]
    )
    height = (
        top + max(y + glyph.shape[0] for y, glyph in zip(tops, glyphs, strict=True)) + margins[3]
    )
    ink = np.zeros((height, width), np.float32)
    boxes = []
    for glyph, x, y in zip(glyphs, lefts, tops, strict=True):
        x, y = x + left, y + top
        place = ink[y : y + glyph.shape[0], x : x + glyph.shape[1]]
        np.maximum(place, glyph, out=place)
        boxes.append((int(x), int(y), int(x + glyph.shape[1]), int(y + glyph.shape[0])))
    add_marks(ink, boxes, pen=hand.pen * hand.height, chance=hand.marks, random=random)
    return ink, boxes


def shape_digit(image: NDArray[np.uint8], label: int, hand: Hand, random: Random) -> Ink:
    """Give a digit the hand's slant, pen and size.

    Args:
        image: (28, 28) uint8, ink 255 on 0.
        label: 0 to 9.
        hand: Whose slant, pen and size.
        random: Draws how far this digit is from the usual one.

    Returns:
        (H, W) float32, 0 to 1, cut to its ink; never empty.
    """
    usual = {0: hand.zeros, 1: hand.ones}.get(label, 1.0) * hand.height
    scale = usual / SOURCE_HEIGHT * float(np.exp(random.normal(0, hand.size_spread)))
    wide = hand.width * float(np.exp(random.normal(0, hand.width_spread)))
    if hand.wobble:
        image = sway(image, hand.wobble, random)
    grey = slant_to(image, hand.slant + random.normal(0, 0.04), scale, wide)
    ink = set_pen(grey, hand.pen * hand.height)
    if random.random() < hand.broken:
        cut_stroke(ink, hand, random)
    ink = cut_out(ink)
    draw, chance = HABITS.get(label, (None, ""))
    if draw and random.random() < getattr(hand, chance):
        ink = cut_out(draw(ink, hand.pen * hand.height, random))
    return ink


def sway(image: NDArray[np.uint8], wobble: float, random: Random) -> NDArray[np.uint8]:
    """Let the strokes of a (28, 28) picture stray by `wobble` pixels, neighbours together."""
    coarse = random.normal(0, wobble, (5, 5, 2)).astype(np.float32)
    strayed = PLACES + cv2.resize(coarse, (28, 28), interpolation=cv2.INTER_CUBIC)
    x, y = strayed[..., 0], strayed[..., 1]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR), np.uint8)


def slant_to(image: NDArray[np.uint8], slant: float, scale: float, wide: float) -> Ink:
    """Enlarge a (28, 28) picture, widen and slant it; its own slant is taken out first."""
    rows, columns = np.nonzero(image > 127)
    own = 0.0
    if len(rows) > 2 and np.ptp(rows) > 6:
        up = rows.mean() - rows
        own = float((up * (columns - columns.mean())).mean() / (up * up).mean())
    shear = slant - float(np.clip(own, -MOST_SLANT, MOST_SLANT))
    size = (int(np.ceil(28 * scale * (wide + 0.5))), int(np.ceil(28 * scale)))
    turn = scale * np.array([[wide, -shear], [0, 1]])
    move = np.array(size) / 2 - 0.5 - turn @ [13.5, 13.5]
    matrix = np.hstack([turn, move[:, None]])
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    grey = cv2.warpAffine(image, matrix, size, flags=method)
    return np.asarray(grey / np.float32(255), np.float32)


def set_pen(grey: Ink, pen: float) -> Ink:
    """Threshold an enlarged digit where its strokes get the width of the pen.

    The length of all strokes is half of the outline; the ink that the pen leaves is length times
    width. A digit changes by a half at most, as a real pen would not fill its holes.
    """
    mask = (grey > INK).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(outline, True) for outline in outlines) / 2
    area = int(mask.sum())
    wanted = int(np.clip(length * pen, 0.65 * area, 1.5 * area)) + 1
    blurred = cv2.GaussianBlur(grey, (0, 0), max(0.5, 0.35 * pen))
    values = np.partition(blurred, blurred.size - wanted, axis=None)
    threshold = max(float(values[blurred.size - wanted]), 0.08)
    edge = 0.2  # of brightness, from ground to ink: about a pixel of soft edge
    return np.asarray(((blurred - threshold) / edge + 0.5).clip(0, 1), np.float32)


def cut_stroke(ink: Ink, hand: Hand, random: Random) -> None:
    """Take a thin straight gap out of (H, W) ink, in place, as a pen that fails leaves it."""
    rows, columns = np.nonzero(ink > INK)
    if not len(rows):
        return
    place = int(random.integers(len(rows)))
    reach = hand.height / 4 * np.exp(1j * random.uniform(0, np.pi))
    start = (int(columns[place] - reach.real), int(rows[place] - reach.imag))
    end = (int(columns[place] + reach.real), int(rows[place] + reach.imag))
    cv2.line(ink, start, end, 0.0, max(1, round(0.05 * hand.height)))


def cut_out(ink: Ink) -> Ink:
    """Return the smallest rectangle that holds all ink of (H, W); one dot if there is none."""
    rows, columns = (np.flatnonzero((ink > 0.1).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.ones((1, 1), np.float32)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def closest(left: Ink, right: Ink, lower: int) -> int:
    """Return how far `right` must begin after `left` begins for them to just touch.

    Args:
        left: (H, W), cut to its ink.
        right: (H, W), cut to its ink.
        lower: Rows that `right` begins below `left`.
    """
    top, bottom = min(0, lower), max(left.shape[0], lower + right.shape[0])
    ends = np.full(bottom - top, -1e6)
    starts = np.full(bottom - top, 1e6)
    dark = left > INK
    ends[-top : left.shape[0] - top] = np.where(
        dark.any(axis=1), left.shape[1] - dark[:, ::-1].argmax(axis=1), -1e6
    )
    dark = right > INK
    begin = lower - top
    starts[begin : begin + right.shape[0]] = np.where(dark.any(axis=1), dark.argmax(axis=1), 1e6)
    # Ink one row higher or lower touches too.
    wide = np.maximum.reduce([ends, np.roll(ends, 1), np.roll(ends, -1)])
    reach = float((wide - starts).max())
    return round(reach) if reach > -1e5 else left.shape[1]
