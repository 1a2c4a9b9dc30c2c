"""All ways to read a line, weighed against each other.

A path goes from the first atom to the last. At each step it either takes the next atoms for a digit
or skips an atom that is none. Its score is the sum of the scores of its steps, and its chance is
the exponential of the score, divided by the sum over all paths: a semi-Markov conditional random
field (Sarawagi and Cohen, "Semi-Markov conditional random fields for information extraction",
2004). Recognition decides where to cut, because a wrong cut makes unlikely digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """The steps that there are through a line of N atoms.

    A node lies before each atom, and the last one at the end.

    Attributes:
        count: N.
        first: (K,) int64, ascending: the first atom of each candidate.
        last: (K,) int64: the last atom of each.
    """

    count: int
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @cached_property
    def ending(self) -> list[NDArray[np.int64]]:
        """The candidates that end at each node."""
        return [np.flatnonzero(self.last == node - 1) for node in range(self.count + 1)]

    @cached_property
    def beginning(self) -> list[NDArray[np.int64]]:
        """The candidates that begin at each node."""
        return [np.flatnonzero(self.first == node) for node in range(self.count + 1)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """Scored steps.

    Attributes:
        steps: Through N atoms, with K candidates.
        digits: (K, 10) float64: the score of taking a candidate for a digit.
        skips: (N,) float64: the score of skipping an atom.
    """

    steps: Steps
    digits: Scores
    skips: Scores

    @cached_property
    def whole(self) -> float:
        """The total of all ways through the line."""
        return float(forward(self)[-1])


def logsumexp(values: Scores, axis: int = 0) -> Scores:
    """Return the logarithm of the sum of the exponentials; -inf where there is nothing."""
    return np.asarray(np.logaddexp.reduce(values, axis=axis))


def forward(lattice: Lattice) -> Scores:
    """Return the total of all ways from the beginning to each node, (N + 1,)."""
    steps = logsumexp(lattice.digits, axis=1)
    total = np.zeros(lattice.steps.count + 1)
    for node in range(1, len(total)):
        here = lattice.steps.ending[node]
        skipped = total[node - 1] + lattice.skips[node - 1]
        total[node] = logsumexp(np.append(total[lattice.steps.first[here]] + steps[here], skipped))
    return total


def one_digit(lattice: Lattice) -> Scores:
    """Return the total of all ways to take one candidate as each digit and skip the rest, (10,).

    All -inf where there is no candidate.
    """
    skipped = np.concatenate([[0.0], np.cumsum(lattice.skips)])
    steps = lattice.steps
    rest = skipped[-1] - (skipped[steps.last + 1] - skipped[steps.first])
    return logsumexp(lattice.digits + rest[:, None])


def backward(lattice: Lattice) -> Scores:
    """Return the total of all ways from each node to the end, (N + 1,)."""
    steps = logsumexp(lattice.digits, axis=1)
    total = np.zeros(lattice.steps.count + 1)
    for node in range(lattice.steps.count - 1, -1, -1):
        here = lattice.steps.beginning[node]
        skipped = total[node + 1] + lattice.skips[node]
        total[node] = logsumexp(
            np.append(total[lattice.steps.last[here] + 1] + steps[here], skipped)
        )
    return total


def chances(lattice: Lattice) -> tuple[Scores, Scores]:
    """Return the chance that each step is right.

    Returns:
        (K, 10): that a candidate is this digit; (N,): that an atom is none.
    """
    before, after = forward(lattice), backward(lattice)
    whole = before[-1]
    digits = (
        lattice.digits
        + (before[lattice.steps.first] + after[lattice.steps.last + 1] - whole)[:, None]
    )
    skips = lattice.skips + before[:-1] + after[1:] - whole
    return np.exp(digits), np.exp(skips)


def forward_texts(lattice: Lattice, texts: NDArray[np.int64]) -> Scores:
    """Return the total of all ways to each node that have read the first letters of each text.

    Args:
        lattice: The steps.
        texts: (K, L) int64, the digits; what shorter texts are filled up with does not matter.

    Returns:
        (N + 1, K, L + 1): by node and by letters read.
    """
    count, longest = texts.shape
    total = np.full((lattice.steps.count + 1, count, longest + 1), -np.inf)
    total[0, :, 0] = 0
    for node in range(1, len(total)):
        here = lattice.steps.ending[node]
        ways = np.full((len(here) + 1, count, longest + 1), -np.inf)
        ways[0] = total[node - 1] + lattice.skips[node - 1]
        ways[1:, :, 1:] = total[lattice.steps.first[here], :, :-1] + lattice.digits[here][:, texts]
        total[node] = logsumexp(ways)
    return total


def backward_text(lattice: Lattice, text: NDArray[np.int64]) -> Scores:
    """Return the total of all ways from each node that read the last letters of a text.

    Args:
        lattice: The steps.
        text: (L,) int64, the digits.

    Returns:
        (N + 1, L + 1): by node and by letters read before it.
    """
    total = np.full((lattice.steps.count + 1, len(text) + 1), -np.inf)
    total[-1, -1] = 0
    for node in range(lattice.steps.count - 1, -1, -1):
        here = lattice.steps.beginning[node]
        ways = np.full((len(here) + 1, len(text) + 1), -np.inf)
        ways[0] = total[node + 1] + lattice.skips[node]
        ways[1:, :-1] = total[lattice.steps.last[here] + 1, 1:] + lattice.digits[here][:, text]
        total[node] = logsumexp(ways)
    return total


def text_log_chances(lattice: Lattice, texts: Sequence[str]) -> Scores:
    """Return the logarithm of the chance that the line says each text, however it is cut, (K,)."""
    lengths = np.array([len(text) for text in texts], np.int64)
    letters = np.zeros((len(texts), lengths.max(initial=0)), np.int64)
    for row, text in zip(letters, texts, strict=True):
        row[: len(text)] = [int(letter) for letter in text]
    total = forward_texts(lattice, letters)[-1]
    return np.asarray(np.minimum(total[np.arange(len(texts)), lengths] - lattice.whole, 0.0))


def text_chances(lattice: Lattice, text: str) -> tuple[Scores, Scores] | None:
    """Return the chance that each step is right, given that the line says `text`.

    Returns:
        As `chances`; None if the line cannot say so.
    """
    letters = np.array([int(letter) for letter in text], np.int64)
    before, after = forward_texts(lattice, letters[None])[:, 0], backward_text(lattice, letters)
    whole = before[-1, -1]
    if whole == -np.inf:
        return None
    digits = np.zeros_like(lattice.digits)
    for place, letter in enumerate(letters.tolist()):
        ways = before[lattice.steps.first, place] + after[lattice.steps.last + 1, place + 1] - whole
        digits[:, letter] += np.exp(np.minimum(ways + lattice.digits[:, letter], 0))
    skips = np.exp(
        np.minimum(logsumexp(before[:-1] + after[1:] - whole, axis=1) + lattice.skips, 0)
    )
    return digits, skips
