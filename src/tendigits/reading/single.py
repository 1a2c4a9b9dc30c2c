"""A line of one digit: two networks look at it, and both count the same.

How much each is worth is not fitted: on lines that are synthesised, as those were that it learnt
from, the line network is the better one by far; on real digits it is not (LOG, 2026-11-26). How
sure an answer is, is fitted on held-out lines.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.answers import Answer, Letter, letters_of_candidates, share_out
from tendigits.reading.candidates import Candidates
from tendigits.reading.codes import CodeList
from tendigits.reading.ctc import looks_log_probs
from tendigits.reading.cuts import choose
from tendigits.reading.heard import Heard
from tendigits.reading.joint import (
    FLOOR,
    LEAST_CHANCE,
    keeps_to,
    log_odds,
    logistic,
)
from tendigits.reading.lattice import Lattice, forward, one_digit
from tendigits.reading.search import Rules, best_readings
from tendigits.reading.weights import Weights

SURE = 0.99  # chance: with less the line network looks again, in all ways that it can
NEXT_TO_NONE = -700.0  # logarithm: no chance is less
DIGITS = [str(digit) for digit in range(10)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What both networks say of a line of one digit.

    Attributes:
        digit: 0 to 9.
        letter: It, cut out.
        chances: (10,) float64, of each digit, given that it is one.
        measures: (4,) float64, of `weights.ONE_MEASURES`.
        cut: The answer by the ways to cut the line.
    """

    digit: int
    letter: Letter
    chances: NDArray[np.float64]
    measures: NDArray[np.float64]
    cut: Answer


def judge_one(
    candidates: Candidates,
    lattice: Lattice,
    heard: Heard,
    weights: Weights,
    rules: Rules | None,
    *,
    own: bool = False,
) -> Judged | None:
    """Return what a line says; None if the best way to cut it is not into one digit.

    Args:
        candidates: All that may be a digit.
        lattice: All ways to cut the line, scored.
        heard: What the line network says.
        weights: Fitted.
        rules: What the answer must keep to; None for any digit.
        own: The network of single digits is somebody's own, or was taught: it alone says which
            digit it is, and the line network only how sure that is.
    """
    cut = choose(candidates, lattice, weights, rules)
    if cut is None or len(cut.letters) != 1:
        return None
    kept = np.array([rules is None or keeps_to(rules, digit) for digit in DIGITS])
    by_cuts = among_digits(one_digit(lattice))
    by_line = among_digits(looks_log_probs([heard.merged], DIGITS))
    chances = pool(by_cuts, by_line, kept, own=own)
    if chances.max() < SURE:
        by_line = among_digits(looks_log_probs(heard.looks, DIGITS))
        chances = pool(by_cuts, by_line, kept, own=own)
    digit, letter = int(cut.text), cut.letters[0]
    if not own and (other := cut_as(int(chances.argmax()), digit, candidates, lattice)):
        digit, letter = other.digit, other
    measures = measure_one(lattice, digit, float(chances[digit]), float(by_line[digit]))
    return Judged(digit=digit, letter=letter, chances=chances, measures=measures, cut=cut)


def cut_as(digit: int, known: int, candidates: Candidates, lattice: Lattice) -> Letter | None:
    """Return the ink that is most like a digit; None if it is the one known, or none can be it."""
    if digit == known:
        return None
    for reading in best_readings(lattice, CodeList(codes=(str(digit),))):
        return letters_of_candidates(reading.path, str(digit), candidates)[0]
    return None


def answer_one(judged: Judged, weights: Weights) -> Answer:
    """Return what was judged as an answer, with its chance."""
    cut, text = judged.cut, DIGITS[judged.digit]
    chance = logistic(float(judged.measures @ weights.one)) if cut.chance > 0 else 0.0
    chances = share_out(judged.chances, judged.digit, chance)
    others = {DIGITS[digit]: float(chances[digit]) for digit in range(10)}
    others |= {other: min(found, 1 - chance) for other, found in cut.others if len(other) != 1}
    del others[text]
    likely = [(other, found) for other, found in others.items() if found > LEAST_CHANCE]
    return replace(
        cut,
        letters=(replace(judged.letter, chances=chances),),
        chance=chance,
        others=tuple(sorted(likely, key=lambda one: -one[1])),
        unconstrained=cut.unconstrained if cut.unconstrained != text else None,
    )


def among_digits(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the mean chances, given that it is one digit, (10,).

    Args:
        logs: (10,), or (N, 10) for N looks.
    """
    known = np.maximum(np.atleast_2d(logs), NEXT_TO_NONE)
    known = np.logaddexp.reduce(known - np.logaddexp.reduce(known, axis=1, keepdims=True), axis=0)
    return np.asarray(np.maximum(known - np.logaddexp.reduce(known), FLOOR))


def pool(
    by_cuts: NDArray[np.float64],
    by_line: NDArray[np.float64],
    kept: NDArray[np.bool_],
    *,
    own: bool,
) -> NDArray[np.float64]:
    """Return the chance of each digit, (10,).

    Args:
        by_cuts: (10,), the logarithms of their chances by the ways to cut the line.
        by_line: (10,), the same by the line network.
        kept: (10,), which digits keep to the rules; none does: then the rules do not count.
        own: See `judge_one`.
    """
    pooled = by_cuts if own else by_cuts + by_line
    if kept.any():
        pooled = np.where(kept, pooled, -np.inf)
    return np.asarray(np.exp(pooled - np.logaddexp.reduce(pooled)))


def measure_one(lattice: Lattice, digit: int, chance: float, heard: float) -> NDArray[np.float64]:
    """Return what the log-odds of an answer of one digit are a weighted sum of: `ONE_MEASURES`.

    Whether there is a digit at all, the network of single digits knows better: it has learned to be
    unsure of letters and scribbles.

    Args:
        lattice: All ways to cut the line.
        digit: The answer.
        chance: Of it, among the ten digits.
        heard: The logarithm of its chance by the line network, given that it is a digit.
    """
    whole = float(np.exp(min(0.0, one_digit(lattice)[digit] - forward(lattice)[-1])))
    return np.array([log_odds(chance), log_odds(whole), heard, 1.0])
