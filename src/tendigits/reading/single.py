"""A line of one digit: a network of single digits and the line network count the same.

Where that leaves it in doubt, another network of single digits is asked, and the mean of the two
takes the place of the first (held out, 90.1 to 90.8 % right: LOG, 2026-11-27).

Where the network of single digits is somebody's own, or was taught, it alone says which digit.
How much each is worth is not fitted: on lines that are synthesised, as those were that it learnt
from, the line network is the better one by far; on real digits it is not (LOG, 2026-11-26). How
sure an answer is, is fitted on held-out lines.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.answers import Answer, Letter, letters_of_candidates, share_out
from tendigits.reading.candidates import Candidates
from tendigits.reading.classifier import Classify
from tendigits.reading.codes import CodeList
from tendigits.reading.ctc import digit_log_probs
from tendigits.reading.cuts import Ranked, rank_readings, under_rules
from tendigits.reading.heard import Heard
from tendigits.reading.joint import (
    FLOOR,
    LEAST_CHANCE,
    keeps_to,
    log_odds,
    logistic,
)
from tendigits.reading.lattice import Lattice, one_digit
from tendigits.reading.search import Rules, best_readings
from tendigits.reading.weights import Weights, weigh

SURE = 0.99  # chance: with less the line network looks again, and a second network is asked
LOWEST = -1e4  # logarithm: no chance is less, so that sums stay finite
DIGITS = [str(digit) for digit in range(10)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What the networks say of a line of one digit.

    Attributes:
        digit: 0 to 9.
        letter: It, cut out.
        chances: (10,) float64, of each digit, given that it is one; under the rules.
        free: The likeliest digit, rules aside.
        measures: (4,) float64, of `weights.ONE_MEASURES`.
        ranked: The best texts by the ways to cut the line.
        own: See `judge_one`.
    """

    digit: int
    letter: Letter
    chances: NDArray[np.float64]
    free: int
    measures: NDArray[np.float64]
    ranked: Ranked
    own: bool


def judge_one(
    candidates: Candidates,
    lattice: Lattice,
    heard: Heard,
    weights: Weights,
    rules: Rules | None,
    *,
    own: bool = False,
    second: Classify | None = None,
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
        second: Another network of single digits, asked where there is doubt; None for none.
    """
    ranked = rank_readings(lattice, weights, rules)
    if ranked is None or len(ranked.readings[ranked.best].text) != 1:
        return None
    alone = one_digit(lattice)
    by_cuts = among_digits(alone)
    by_line = among_digits(digit_log_probs(heard.merged))
    pooled = pool(by_cuts, by_line, own=own)
    if pooled.max() < SURE:
        by_line = among_digits(np.stack([digit_log_probs(look) for look in heard.looks]))
        if second is not None:
            anew = one_digit(weigh(candidates, second(candidates.images), weights))
            by_cuts = (by_cuts + among_digits(anew)) / 2
        pooled = pool(by_cuts, by_line, own=own)
    chances = keep(pooled, rules) if ranked.keeps else pooled
    best = ranked.readings[ranked.best]
    digit, path = int(best.text), best.path
    if not own and (other := path_of(int(chances.argmax()), digit, lattice)):
        digit, path = int(chances.argmax()), other
    (letter,) = letters_of_candidates(path, DIGITS[digit], candidates)
    whole = float(np.exp(min(0.0, alone[digit] - lattice.whole)))
    return Judged(
        digit=digit,
        letter=letter,
        chances=chances,
        free=int(pooled.argmax()),
        measures=np.array([log_odds(float(chances[digit])), log_odds(whole), by_line[digit], 1.0]),
        ranked=ranked,
        own=own,
    )


def path_of(digit: int, known: int, lattice: Lattice) -> tuple[int, ...]:
    """Return the best way to cut a line into one digit; none if that is known, or impossible."""
    if digit == known:
        return ()
    for reading in best_readings(lattice, CodeList(codes=(DIGITS[digit],))):
        return reading.path
    return ()


def answer_one(judged: Judged, weights: Weights) -> Answer:
    """Return what was judged as an answer, with its chance."""
    ranked, text = judged.ranked, DIGITS[judged.digit]
    chance = logistic(float(judged.measures @ (weights.own if judged.own else weights.one)))
    forbidden = judged.chances[judged.free] == 0  # by the rules, what the ink says
    if forbidden:
        chance = min(chance, float(judged.chances[judged.digit]))
    chances = share_out(judged.chances, judged.digit, chance)
    letter = replace(judged.letter, chances=chances)
    if not ranked.keeps:  # a person should see it
        return Answer(letters=(letter,), chance=0.0)
    others = {DIGITS[digit]: float(chances[digit]) for digit in range(10)}
    others |= {
        other: min(found, chance, 1 - chance) for other, found in ranked.others if len(other) != 1
    }
    del others[text]
    likely = [(other, found) for other, found in others.items() if found > LEAST_CHANCE]
    free = DIGITS[judged.free] if forbidden else ranked.unconstrained
    return Answer(
        letters=(letter,),
        chance=chance,
        others=tuple(sorted(likely, key=lambda one: -one[1])),
        unconstrained=free if free != text else None,
    )


def among_digits(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the mean chances, given that it is one digit, (10,).

    Args:
        logs: (10,), or (N, 10) for N looks.
    """
    rows = np.atleast_2d(logs)
    known = np.maximum(rows - np.maximum(rows.max(axis=1, keepdims=True), LOWEST), LOWEST)
    known = np.logaddexp.reduce(known - np.logaddexp.reduce(known, axis=1, keepdims=True), axis=0)
    return np.asarray(np.maximum(known - np.logaddexp.reduce(known), FLOOR))


def pool(
    by_cuts: NDArray[np.float64], by_line: NDArray[np.float64], *, own: bool
) -> NDArray[np.float64]:
    """Return the chance of each digit, (10,), rules aside.

    Args:
        by_cuts: (10,), the logarithms of their chances by the ways to cut the line.
        by_line: (10,), the same by the line network.
        own: See `judge_one`.
    """
    pooled = by_cuts if own else by_cuts + by_line
    return np.asarray(np.exp(pooled - np.logaddexp.reduce(pooled)))


def keep(pooled: NDArray[np.float64], rules: Rules | None) -> NDArray[np.float64]:
    """Return the chance of each digit under rules, (10,): little where the ink says another."""
    if rules is None:
        return pooled
    kept = np.array([keeps_to(rules, digit) for digit in DIGITS])
    return under_rules(np.where(kept, pooled, 0.0))
