"""The best readings of a line, in order, under rules that a reading must keep.

Best-first search (A*, Hart, Nilsson and Raphael, 1968) from the beginning of the line. What is
still to come is estimated by the best way from there to the end with the right number of digits,
rules aside; that is never too low, so the readings come out in the order of their scores. Of the
ways on from a beginning only the best that is left waits in the queue; and of the cuts that read
the same digits up to the same place only the best goes on.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np

from tendigits.reading.lattice import Lattice, Scores

MOST_OPENED = 20_000  # partial readings: no line that can be read needs more


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


class _Way(NamedTuple):
    """A step onwards from a node, with so many digits still to come.

    Attributes:
        estimate: Its gain and the best that may follow.
        gain: Its score.
        end: The node that it leads to.
        digit: What it reads; None where it skips an atom.
        candidate: What it takes for that digit.
    """

    estimate: float
    gain: float
    end: int
    digit: int | None
    candidate: int


class _Beginning(NamedTuple):
    """A line read up to a node.

    Attributes:
        score: Of the steps so far.
        node: Reached.
        left: Digits still to come.
        state: Of the rules.
        text: Digits so far.
        path: Their candidates.
    """

    score: float
    node: int
    left: int
    state: Any
    text: str
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
    state = None if rules is None else rules.start()
    ways = cache(lambda node, left: _ways_from(lattice, node, left, ahead))
    order = count()  # decides between equal scores, so that beginnings are never compared
    queue: list[tuple[float, int, _Beginning, int]] = [
        (-float(ahead[0, left]), next(order), _Beginning(0.0, 0, left, state, "", ()), 0)
        for left in sorted(lengths)
        if left <= most and ahead[0, left] > -np.inf
    ]
    heapq.heapify(queue)
    reached: set[tuple[int, int, str]] = set()
    for _ in range(MOST_OPENED):
        if not queue:
            return
        _, _, beginning, rank = heapq.heappop(queue)
        score, node, left, state, text, path = beginning
        if node == most:
            if rules is None or rules.is_whole(state):
                yield Reading(text=text, score=score, path=path)
            continue
        onwards = ways(node, left)
        if rank + 1 < len(onwards):
            bound = -(score + onwards[rank + 1].estimate)
            heapq.heappush(queue, (bound, next(order), beginning, rank + 1))
        way = onwards[rank]
        if way.digit is not None:
            if rules is not None:
                state = rules.step(state, way.digit)
                if state is None:
                    continue
            left, text, path = left - 1, text + str(way.digit), (*path, way.candidate)
        if (way.end, left, text) not in reached:  # else by a better cut
            reached.add((way.end, left, text))
            bound = -(score + way.estimate)
            after = _Beginning(score + way.gain, way.end, left, state, text, path)
            heapq.heappush(queue, (bound, next(order), after, 0))


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


def _ways_from(lattice: Lattice, node: int, left: int, ahead: Scores) -> list[_Way]:
    """Return the steps from a node with so many digits still to come, the most promising first."""
    skip = float(lattice.skips[node])
    ways = [_Way(skip + float(ahead[node + 1, left]), skip, node + 1, None, -1)]
    here = lattice.steps.beginning[node] if left else lattice.steps.beginning[node][:0]
    ends = lattice.steps.last[here] + 1
    gains = lattice.digits[here]
    estimates = gains + ahead[ends, left - 1][:, None]
    for place, candidate in enumerate(here.tolist()):
        end = int(ends[place])
        for digit, (estimate, gain) in enumerate(
            zip(estimates[place].tolist(), gains[place].tolist(), strict=True)
        ):
            ways.append(_Way(estimate, gain, end, digit, candidate))
    return sorted((way for way in ways if way.estimate > -np.inf), reverse=True, key=_promise)


def _promise(way: _Way) -> float:
    return way.estimate
