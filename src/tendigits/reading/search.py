"""The best readings of a line, in order, under rules that a reading must keep.

Best-first search (A*, Hart, Nilsson and Raphael, 1968) from the beginning of the line. What is
still to come is estimated by the best way from there to the end with the right number of digits,
rules aside; that is never too low, so the readings come out in the order of their scores.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import numpy as np

from tendigits.reading.lattice import Lattice, Scores

MOST_OPENED = 20_000  # partial readings: no line that can be read needs more


# What is sorted by, who came first, score, node, digits still to come, state, what was taken.
_Partial = tuple[float, int, float, int, int, Any, tuple[tuple[int, int], ...]]


class Rules(Protocol):
    """What a reading must keep to: an automaton over digits.

    Attributes:
        lengths: How many digits there may be; None for any number of one or more.
    """

    @property
    def lengths(self) -> frozenset[int] | None: ...  # noqa: D102

    def start(self) -> Any:
        """Return the state before the first digit."""

    def step(self, state: Any, digit: int) -> Any:
        """Return the state after another digit; None if none may come or this one may not."""

    def is_whole(self, state: Any) -> bool:
        """Say whether the digits so far may be all."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a line.

    Attributes:
        text: Its digits.
        score: Of the best path that says so.
        path: The candidate that each digit is.
    """

    text: str
    score: float
    path: tuple[int, ...]


def best_readings(lattice: Lattice, rules: Rules | None = None) -> Iterator[Reading]:
    """Yield readings, the best first, each text once.

    Args:
        lattice: The scored steps through the line.
        rules: What a reading must keep to; None for anything, also nothing at all.

    Yields:
        Readings; none if no path keeps to the rules.
    """
    most = lattice.steps.count
    ahead = best_ahead(lattice)
    lengths = range(most + 1) if rules is None else rules.lengths or range(1, most + 1)
    order = count()  # decides between equal scores, so that states are never compared
    state = None if rules is None else rules.start()
    queue: list[_Partial] = [
        (-float(ahead[0, length]), next(order), 0.0, 0, length, state, ())
        for length in sorted(lengths)
        if length <= most and ahead[0, length] > -np.inf
    ]
    heapq.heapify(queue)
    told: set[str] = set()
    for _ in range(MOST_OPENED):
        if not queue:
            return
        _, _, score, node, left, state, path = heapq.heappop(queue)
        if node == most:
            text = "".join(str(digit) for _, digit in path)
            if (rules is None or rules.is_whole(state)) and text not in told:
                told.add(text)
                candidates = tuple(candidate for candidate, _ in path)
                yield Reading(text=text, score=score, path=candidates)
            continue
        for gain, end, fewer, after, taken in _steps_from(lattice, node, left, state, rules, ahead):
            whole = score + gain
            bound = -(whole + float(ahead[end, fewer]))
            heapq.heappush(queue, (bound, next(order), whole, end, fewer, after, path + taken))


def best_ahead(lattice: Lattice) -> Scores:
    """Return the best score from each node to the end with each number of digits, (N + 1, N + 1).

    It is -inf where there is no way.
    """
    most = lattice.steps.count
    best = np.full((most + 1, most + 1), -np.inf)
    best[most, 0] = 0
    highest = lattice.digits.max(axis=1) if len(lattice.digits) else np.zeros(0)
    for node in range(most - 1, -1, -1):
        best[node] = best[node + 1] + lattice.skips[node]
        here = lattice.steps.beginning[node]
        if len(here):
            ways = highest[here, None] + best[lattice.steps.last[here] + 1, :-1]
            best[node, 1:] = np.maximum(best[node, 1:], ways.max(axis=0))
    return best


def _steps_from(
    lattice: Lattice,
    node: int,
    left: int,
    state: Any,
    rules: Rules | None,
    ahead: Scores,
) -> Iterator[tuple[float, int, int, Any, tuple[tuple[int, int], ...]]]:
    """Yield the steps from a node: gain, next node, digits still to come, state, what was taken."""
    if ahead[node + 1, left] > -np.inf:
        yield float(lattice.skips[node]), node + 1, left, state, ()
    if left == 0:
        return
    after = [(digit, None if rules is None else rules.step(state, digit)) for digit in range(10)]
    allowed = [pair for pair in after if rules is None or pair[1] is not None]
    for candidate in lattice.steps.beginning[node].tolist():
        end = int(lattice.steps.last[candidate]) + 1
        if ahead[end, left - 1] > -np.inf:
            for digit, new in allowed:
                gain = float(lattice.digits[candidate, digit])
                yield gain, end, left - 1, new, ((candidate, digit),)
