"""What is said of a line: its digits, where each is, how likely each is, and the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import centre, scale_to_box
from tendigits.reading.candidates import Candidates

Mask = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Letter:
    """One digit of an answer.

    Attributes:
        digit: 0 to 9.
        chances: (10,) float64: the calibrated chance of each digit; with that of being no digit,
            or cut elsewhere, they add up to 1.
        box: Left, top, right, bottom on the line.
        image: (28, 28) uint8: the digit cut out, in MNIST form.
    """

    digit: int
    chances: NDArray[np.float64]
    box: tuple[int, int, int, int]
    image: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a line says.

    Attributes:
        letters: Left to right.
        chance: That the text is right, calibrated, in [0, 1].
        others: Other texts and their chances, the likeliest first.
        unconstrained: The best text without the rules, where it is another one.
    """

    letters: tuple[Letter, ...]
    chance: float
    others: tuple[tuple[str, float], ...] = ()
    unconstrained: str | None = None

    @property
    def text(self) -> str:
        """The digits as a string."""
        return "".join(str(letter.digit) for letter in self.letters)


def digit_chances(text: str, chances: Sequence[tuple[str, float]]) -> NDArray[np.float64]:
    """Return the chance of each digit at each place of a text, (L, 10), from those of whole texts.

    A text of another length agrees with a digit where both are alike from it to one of the ends.

    Args:
        text: The answer, which is among the texts.
        chances: Texts and their chances, which add up to 1 at most.
    """
    found = np.zeros((len(text), 10))
    for other, chance in chances:
        for place, letter in enumerate(text):
            if len(other) == len(text):
                found[place, int(other[place])] += chance
            elif other.startswith(text[: place + 1]) or other.endswith(text[place:]):
                found[place, int(letter)] += chance
    return np.minimum(found, 1)


def letters_of_candidates(
    path: Sequence[int], text: str, candidates: Candidates, chances: NDArray[np.float64]
) -> tuple[Letter, ...]:
    """Return the digits of a text that is cut as a path through candidates says."""
    letters = []
    for candidate, digit, row in zip(path, text, chances, strict=True):
        left, top, right, bottom = candidates.boxes[candidate].tolist()
        letters.append(
            Letter(
                digit=int(digit),
                chances=row,
                box=(left, top, right, bottom),
                image=candidates.images[candidate],
            )
        )
    return tuple(letters)


def letters_at(
    columns: NDArray[np.float64], text: str, mask: Mask, chances: NDArray[np.float64]
) -> tuple[Letter, ...]:
    """Return the digits of a text of which only their columns on the line are known.

    Between two columns the line is cut straight down where there is least ink, and of equals in
    the middle.

    Args:
        columns: (L,) float64, ascending.
        text: L digits.
        mask: (H, W) uint8, 1 where there is ink.
        chances: (L, 10) float64.
    """
    ink = mask.sum(axis=0, dtype=np.float64)
    cuts = [0, *(_find_cut(ink, *pair) for pair in pairwise(columns))]
    cuts.append(mask.shape[1])
    letters = []
    for digit, row, left, right in zip(text, chances, cuts, cuts[1:], strict=False):
        right = max(right, left + 1)
        part = mask[:, left:right]
        rows, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        if not len(rows):
            rows, across = np.arange(len(part)), np.arange(right - left)
        box = (left + int(across[0]), int(rows[0]), left + int(across[-1]) + 1, int(rows[-1]) + 1)
        glyph = mask[box[1] : box[3], box[0] : box[2]].astype(np.float32)
        image = centre(scale_to_box(glyph)) if glyph.any() else np.zeros((28, 28), np.uint8)
        letters.append(Letter(digit=int(digit), chances=row, box=box, image=image))
    return tuple(letters)


def _find_cut(ink: NDArray[np.float64], left: float, right: float) -> int:
    """Return the column with the least ink between two columns, near their middle."""
    first, last = int(left) + 1, max(int(left) + 2, int(np.ceil(right)))
    between = np.arange(first, last)
    between = between[(between >= 0) & (between < len(ink))]
    if not len(between):
        return int(np.clip((left + right) / 2, 0, len(ink) - 1))
    off = np.abs(between - (left + right) / 2) / max(1.0, right - left)
    return int(between[np.argmin(ink[between] + off)])
