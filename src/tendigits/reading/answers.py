"""What is said of a line: its digits, where each is, how likely each is, and the whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import centre, find_connected, scale_to_box
from tendigits.reading.candidates import LOWEST, Candidates, log_softmax
from tendigits.reading.classifier import Classify

Mask = NDArray[np.uint8]

LEAST_SHARED = 1e-9  # chance that the others have together, at least
MOST_SURE = 0.9999  # chance: no digit is surer, since not all texts were looked at
LEAST_WITNESSED = -8.0  # logarithm of a chance: a digit less likely by itself counts as this
MOSTLY = 0.75  # of a piece of ink: then all of it belongs to one digit


@dataclass(frozen=True, kw_only=True, eq=False)
class Letter:
    """One digit of an answer.

    Attributes:
        digit: 0 to 9.
        chances: (10,) float64: the calibrated chance of each digit; with that of being no digit,
            or cut elsewhere, they add up to 1. All 0 before they are known.
        box: Left, top, right, bottom on the line.
        image: (28, 28) uint8: the digit cut out, in MNIST form; empty if no ink was found for it.
        is_whole: No piece of ink was cut straight down for it, where recognition might cut better.
    """

    digit: int
    box: tuple[int, int, int, int]
    image: NDArray[np.uint8]
    chances: NDArray[np.float64] = field(default_factory=lambda: np.zeros(10))
    is_whole: bool = True


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
    return np.minimum(found, MOST_SURE)


def share_out(raw: NDArray[np.float64], best: int, chance: float) -> NDArray[np.float64]:
    """Return chances, (K,), of which the best has its own and the others share the rest.

    None becomes likelier beside the best than it was: what is left is the chance of none of them.
    """
    others = float(np.delete(raw, best).sum())
    rest = (1 - chance) / max(others, LEAST_SHARED)
    shared = raw * min(rest, chance / max(float(raw[best]), LEAST_SHARED))
    shared[best] = chance
    return np.asarray(shared)


def with_chances(letters: Sequence[Letter], chances: NDArray[np.float64]) -> tuple[Letter, ...]:
    """Return L letters with the chances of each, (L, 10)."""
    return tuple(replace(letter, chances=row) for letter, row in zip(letters, chances, strict=True))


def least_chance(letters: Sequence[Letter], classify: Classify) -> float:
    """Return the least of the logarithms of the digits' chances, each looked at by itself.

    The network of single digits is a witness that saw neither the line nor its text.

    Args:
        letters: One or more.
        classify: (N, 28, 28) uint8 -> (N, 10) logits.
    """
    logits = classify(np.stack([letter.image for letter in letters]))
    digits = [letter.digit for letter in letters]
    chances = log_softmax(logits)[np.arange(len(digits)), digits]
    return max(float(chances.min()), LEAST_WITNESSED)


def letters_of_candidates(
    path: Sequence[int], text: str, candidates: Candidates
) -> tuple[Letter, ...]:
    """Return the digits of a text that is cut as a path through candidates says."""
    letters = []
    for candidate, digit in zip(path, text, strict=True):
        left, top, right, bottom = candidates.boxes[candidate].tolist()
        image = candidates.images[candidate]
        letters.append(Letter(digit=int(digit), box=(left, top, right, bottom), image=image))
    return tuple(letters)


def letters_at(columns: NDArray[np.float64], text: str, mask: Mask) -> tuple[Letter, ...]:
    """Return the digits of a text of which only their columns on the line are known.

    Each piece of ink belongs to the digit in whose columns most of it lies. One that is shared is
    cut straight down where there is least ink between two columns, and of equals in the middle;
    its digits are not whole.

    Args:
        columns: (L,) float64, ascending.
        text: L digits.
        mask: (H, W) uint8, 1 where there is ink.
    """
    ink = mask.sum(axis=0, dtype=np.float64)
    cuts = [_find_cut(ink, left, right) for left, right in pairwise(columns)]
    owner = np.searchsorted(np.array(cuts, np.int64), np.arange(mask.shape[1]), side="right")
    owners, shared = own_pieces(mask, owner, len(text))
    letters = []
    for place, digit in enumerate(text):
        glyph = owners == place
        if not glyph.any():
            glyph = np.broadcast_to(owner == place, mask.shape)
        box = box_of(glyph) if glyph.any() else (mask.shape[1] - 1, 0, *mask.shape[::-1])
        seen = (owners == place)[box[1] : box[3], box[0] : box[2]].astype(np.float32)
        image = centre(scale_to_box(seen)) if seen.any() else np.zeros((28, 28), np.uint8)
        whole = place not in shared
        letters.append(Letter(digit=int(digit), box=box, image=image, is_whole=whole))
    return tuple(letters)


def own_pieces(
    mask: Mask, owner: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], set[int]]:
    """Return which digit each pixel belongs to, and which digits share a piece of ink.

    Args:
        mask: (H, W) uint8, 1 where there is ink.
        owner: (W,) the digit whose columns these are.
        count: Of digits.

    Returns:
        (H, W), -1 on the ground and for points and grains; and digits.
    """
    labels, measures, _ = find_connected(mask)
    owners = np.where(mask > 0, owner[None, :], -1)
    shared: set[int] = set()
    places = labels.astype(np.int64) * count + owner
    shares = np.bincount(places.ravel(), minlength=len(measures) * count).reshape(-1, count)
    for piece, share in enumerate(shares[1:], 1):
        left, top, wide, high, area = measures[piece].tolist()
        window = (slice(top, top + high), slice(left, left + wide))
        own = labels[window] == piece
        if high < LOWEST:
            owners[window][own] = -1
        elif share.max() >= MOSTLY * area:
            owners[window][own] = share.argmax()
        else:
            shared.update(np.flatnonzero(share).tolist())
    return owners, shared


def box_of(glyph: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what is set in (H, W), which is something."""
    rows, across = np.flatnonzero(glyph.any(axis=1)), np.flatnonzero(glyph.any(axis=0))
    return int(across[0]), int(rows[0]), int(across[-1]) + 1, int(rows[-1]) + 1


def _find_cut(ink: NDArray[np.float64], left: float, right: float) -> int:
    """Return the column with the least ink between two columns, near their middle."""
    first, last = int(left) + 1, max(int(left) + 2, int(np.ceil(right)))
    between = np.arange(first, last)
    between = between[(between >= 0) & (between < len(ink))]
    if not len(between):
        return int(np.clip((left + right) / 2, 0, len(ink) - 1))
    off = np.abs(between - (left + right) / 2) / max(1.0, right - left)
    return int(between[np.argmin(ink[between] + off)])
