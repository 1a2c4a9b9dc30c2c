"""Digits cut, joined and turned until they are none.

Most halves of digits are digits, or nearly: the left half of a 0 is a 1, the lower half of an 8 is
a 0. So the tables name what may be made of which digit. They were found by looking at sheets of
everything that can be made of training pictures; a pair of halves is left out, too, if a network
trained on MNIST read more than one in fifty of its pictures with a probability above 0.8.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits import imaging
from tendigits.errors import DataFormatError

Image = NDArray[np.uint8]

MIDDLE = imaging.SIDE // 2  # pixels
REACH = imaging.BOX_SIDE // 2  # pixels from the middle to the edge of what holds ink

# Digit, and the share of its height that is cut off at the top or the bottom: caps and bowls.
# None from the top of an 8 or the bottom of a 2: a small loop would be a 0.
TOPS = ((0, 0.4), (2, 0.3), (3, 0.3), (5, 0.4))
BOTTOMS = ((0, 0.4), (3, 0.3), (5, 0.3), (8, 0.25))

# Digit, and how it is turned: a quarter turn to the left or right, mirrored, flipped, on its head.
TURNS: tuple[tuple[int, Callable[[Image], Image]], ...] = (
    *((digit, np.rot90) for digit in (2, 3, 4, 5, 7)),
    *((digit, lambda image: np.rot90(image, -1)) for digit in (2, 3, 4, 5, 7)),
    (3, lambda image: image[:, ::-1]),
    (4, lambda image: image[:, ::-1]),
    (4, lambda image: image[::-1]),
    (7, lambda image: image[::-1]),
    (4, lambda image: np.rot90(image, 2)),
)

# Whose right half may stand to the left of whose left half: what lies between two digits.
BESIDE = ("23", "28", "29", "34", "38", "48", "50", "54", "58", "73", "78", "80", "83", "84", "88")
# Whose lower half may stand above whose upper half.
ABOVE = ("00", "04", "05", "07", "74", "77")


class DigitStock:
    """Pictures of digits, to be drawn at random by their class.

    Args:
        images: (N, 28, 28) uint8, ink 255 on 0.
        labels: (N,), 0 to 9.
    """

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.integer[Any]]) -> None:
        self._images = images
        self._places = [np.flatnonzero(labels == label) for label in range(10)]

    def draw(self, label: int, random: np.random.Generator) -> Image:
        """Return a picture of `label`, (28, 28) uint8.

        Raises:
            DataFormatError: There is none.
        """
        places = self._places[label]
        if not len(places):
            raise DataFormatError(f"there is no picture of a {label}: expected some of each digit")
        image: Image = self._images[places[random.integers(len(places))]]
        return image


def cut(stock: DigitStock, random: np.random.Generator) -> Image:
    """Return what is cut off a digit, (28, 28) uint8, as large as it was or enlarged to its box."""
    is_top = random.random() < 0.5
    table = TOPS if is_top else BOTTOMS
    digit, share = table[random.integers(len(table))]
    whole = imaging.cut_to_ink(_as_ink(stock.draw(digit, random)))
    rows = round(share * len(whole))
    ink = imaging.cut_to_ink(whole[:rows] if is_top else whole[len(whole) - rows :])
    # What is cut off a slanting digit may be a slanting line: enlarged, it would be a 1.
    is_wide = ink.shape[1] > 1.2 * ink.shape[0]
    return imaging.centre(imaging.scale_to_box(ink) if is_wide and random.random() < 0.5 else ink)


def join_halves(stock: DigitStock, random: np.random.Generator) -> Image:
    """Return halves of two digits that face away from each other, (28, 28) uint8."""
    if random.random() < 0.5:
        first, second = (stock.draw(int(digit), random) for digit in _pick(BESIDE, random))
        halves = first[:, MIDDLE : MIDDLE + REACH], second[:, MIDDLE - REACH : MIDDLE]
        joined = np.hstack(halves)
    else:
        first, second = (stock.draw(int(digit), random) for digit in _pick(ABOVE, random))
        halves = first[MIDDLE : MIDDLE + REACH], second[MIDDLE - REACH : MIDDLE]
        joined = np.vstack(halves)
    return imaging.centre(imaging.scale_to_box(imaging.cut_to_ink(_as_ink(joined))))


def turn(stock: DigitStock, random: np.random.Generator) -> Image:
    """Return a digit turned or mirrored so that it is none, (28, 28) uint8."""
    digit, turned = TURNS[random.integers(len(TURNS))]
    return turned(stock.draw(digit, random))


def _pick(pairs: tuple[str, ...], random: np.random.Generator) -> str:
    return pairs[random.integers(len(pairs))]


def _as_ink(pixels: Image) -> NDArray[np.float32]:
    """Return uint8 pixels as coverage in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)
