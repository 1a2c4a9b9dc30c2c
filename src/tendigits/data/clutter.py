"""What else stands on paper and in cameras: scribbles, marks, noise, nothing at all."""

import numpy as np
from numpy.typing import NDArray

from tendigits import imaging
from tendigits.data.strokes import (
    Stroke,
    by_hand,
    choose_pen,
    draw_strokes,
    parse_figure,
    smooth,
)

SIDE = imaging.SIDE

# On a grid; each is no digit at its full size, nor when it is small.
LARGE_MARKS = (
    "20 24; 02 42",  # plus
    "00 44; 40 04",  # cross
    "20 24; 03 41; 01 43",  # asterisk
    "00 40; 02 42",  # equals
    "02 42; 20 42; 24 42",  # arrow
    "10 05; 30 25; 01 41; 04 34",  # hash
    "03 14; 14 50",  # tick
    "00 60",  # dash
    "02 11 22 33 42",  # tilde
    "00 80; 80 83; 83 03; 03 00",  # wide box
    "00 40; 40 44; 44 04; 04 00; 00 44; 04 40",  # crossed box; with one line it is a crossed 0
    "00 00; 40 40; 80 80",  # three dots
)
SMALL_MARKS = (
    *LARGE_MARKS,
    "00 00",  # full stop
    "10 11 02",  # comma
    "00 00; 03 03",  # colon
    "00 01; 20 21",  # quotation mark
)

LARGE_DOT = "00 00"
DOT_PENS = (9.0, 20.0)  # pixels: a dot that was cut out and enlarged to its box
SMALL_SIDES = (3.0, 9.0)  # pixels: longest side of a mark beside digits of 20

SCRIBBLE_PENS = (1.2, 2.4)  # pixels: wider ones would fill a scribble up to a bar or a blot
LEAST_WIDTH = 0.7  # of a scribble's height: a narrower one is read as a 1

NOISE_SLOPES = (0.0, 2.0)  # how fast amplitudes fall with the frequency: 0 white, 1 pink, 2 cloudy


def scribble(random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a scribble, with too many turns for a digit, (28, 28) uint8."""
    way = SCRIBBLES[random.integers(len(SCRIBBLES))]
    pen = float(random.uniform(*SCRIBBLE_PENS))
    return draw_strokes(by_hand(way(random), random), pen)


def mark(random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a lone mark, such as a dash, a dot or a crossed box, (28, 28) uint8.

    Half of them are as small as they are beside digits, half fill the box as after being cut out.
    """
    if random.random() < 0.5:
        longest = float(random.uniform(*SMALL_SIDES))
        figure = parse_figure(SMALL_MARKS[random.integers(len(SMALL_MARKS))])
        pen = min(choose_pen(random), longest)
        return draw_strokes(by_hand(figure, random), pen, longest=longest)
    place = random.integers(len(LARGE_MARKS) + 1)
    if place == len(LARGE_MARKS):
        return draw_strokes(parse_figure(LARGE_DOT), float(random.uniform(*DOT_PENS)))
    return draw_strokes(by_hand(parse_figure(LARGE_MARKS[place]), random), choose_pen(random))


def noise(random: np.random.Generator) -> NDArray[np.uint8]:
    """Return noise with a spectrum between white and cloudy, (28, 28) uint8.

    A third is as it is, a third is cut to black and white, a third is rare: only the peaks stand.
    """
    white = random.normal(size=(SIDE, SIDE))
    slope = random.uniform(*NOISE_SLOPES)
    spectrum = np.fft.rfft2(white) / np.maximum(_frequencies(), 1 / SIDE) ** slope
    waves = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    waves = (waves - waves.mean()) / waves.std()
    kind = random.integers(3)
    if kind == 0:
        levels = random.uniform(0, 0.8) + random.uniform(0.05, 0.4) * waves
    else:
        edge = random.uniform(-0.5, 0.5) if kind == 1 else random.uniform(1.0, 2.0)
        levels = random.uniform(0.4, 1.0) * (0.5 + random.uniform(1, 8) * (waves - edge))
    return _as_pixels(levels)


def blank(random: np.random.Generator) -> NDArray[np.uint8]:
    """Return an empty, a faint, an even or a shaded picture, (28, 28) uint8."""
    kind = random.integers(4)
    if kind == 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    level = random.uniform(0, 1)
    if kind == 1:
        return _as_pixels(np.abs(random.normal(scale=0.08 * level, size=(SIDE, SIDE))))
    if kind == 2:
        return np.full((SIDE, SIDE), round(255 * level), np.uint8)
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = random.uniform(0, 2 * np.pi)
    slope = random.uniform(0.1, 1)
    return _as_pixels(level + slope * (np.cos(angle) * rows + np.sin(angle) * columns))


def _wander(random: np.random.Generator) -> list[Stroke]:
    """Return one long smooth line through random points."""
    return [smooth(random.uniform(size=(random.integers(10, 16), 2)))]


def _zigzag(random: np.random.Generator) -> list[Stroke]:
    """Return a line that goes to and fro, upright or lying, with corners or without."""
    turns = int(random.integers(7, 12))
    along = np.linspace(0, random.uniform(LEAST_WIDTH, 1 / LEAST_WIDTH), turns)
    across = np.arange(turns) % 2 + random.normal(scale=0.08, size=turns)
    points = np.stack([along, across] if random.random() < 0.5 else [across, along], axis=1)
    return [smooth(points) if random.random() < 0.5 else points]


def _coil(random: np.random.Generator) -> list[Stroke]:
    """Return a row of loops, from left to right or downwards."""
    loops = int(random.integers(4, 7))
    angle = np.linspace(0, 2 * np.pi * loops, 12 * loops)
    along = np.cos(angle) + random.uniform(0.2, 0.45) * angle
    across = np.ptp(along) * random.uniform(LEAST_WIDTH, 1.0) / 2 * np.sin(angle)
    return [np.stack([along, across] if random.random() < 0.5 else [across, along], axis=1)]


def _hatching(random: np.random.Generator) -> list[Stroke]:
    """Return straight lines that cross each other everywhere."""
    return list(random.uniform(size=(random.integers(6, 11), 2, 2)))


SCRIBBLES = (_wander, _zigzag, _coil, _hatching)


def _frequencies() -> NDArray[np.float64]:
    """Return the frequency, in cycles a pixel, of each coefficient of `np.fft.rfft2`, (28, 15)."""
    return np.asarray(np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]))


def _as_pixels(levels: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn brightness into uint8; what is outside [0, 1] is cut off."""
    return np.asarray(np.rint(255 * levels.clip(0, 1)), np.uint8)
