"""The lattice of all ways to cut a line as a reader of its own: its best text, and its chance."""

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.answers import Answer, Letter, letters_of_candidates, with_chances
from tendigits.reading.candidates import Candidates
from tendigits.reading.joint import LEAST_CHANCE, READINGS
from tendigits.reading.lattice import Lattice, Scores, chances, text_log_chances
from tendigits.reading.search import Reading, Rules, best_readings
from tendigits.reading.weights import Weights

BREAKS_RULES = 0.01  # one field in a hundred does not keep to the rules it was said to keep to


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """The best texts of a scored line.

    Attributes:
        readings: K of them.
        chances: (K,) float64, calibrated.
        best: The place of the likeliest, which is not empty.
        others: The other texts that are not next to impossible, and their chances, in order.
        unconstrained: The best text without the rules, where it is another one.
        keeps: Whether they keep to the rules.
    """

    readings: list[Reading]
    chances: NDArray[np.float64]
    best: int
    others: tuple[tuple[str, float], ...]
    unconstrained: str | None
    keeps: bool


def rank_readings(lattice: Lattice, weights: Weights, rules: Rules | None) -> Ranked | None:
    """Return the best texts of a scored line; None if the best is empty or there is none."""
    readings = list(islice(best_readings(lattice, rules), READINGS))
    if not readings:  # nothing here keeps to the rules: a person should see what it says instead
        ranked = rank_readings(lattice, weights, None)
        return ranked and replace(ranked, keeps=False)
    raw = np.exp(text_log_chances(lattice, [reading.text for reading in readings]))
    best = int(np.argmax(raw))  # many cuts that agree count for more than one good one
    if not readings[best].text:
        return None
    unconstrained = None
    if rules is not None:
        free = next(best_readings(lattice)).text
        unconstrained = free if free != readings[best].text else None
        raw = under_rules(raw)
    calibrated = calibrate(raw, weights.field)
    most = 1 - float(calibrated[best])
    others = tuple(
        (readings[place].text, min(float(calibrated[place]), most))
        for place in np.argsort(-calibrated).tolist()
        if place != best and readings[place].text and raw[place] > LEAST_CHANCE
    )
    return Ranked(
        readings=readings,
        chances=calibrated,
        best=best,
        others=others,
        unconstrained=unconstrained,
        keeps=True,
    )


def choose(
    candidates: Candidates, lattice: Lattice, weights: Weights, rules: Rules | None
) -> Answer | None:
    """Return the best reading of a scored line with its chance; None if there is none."""
    ranked = rank_readings(lattice, weights, rules)
    if ranked is None:
        return None
    chance = float(ranked.chances[ranked.best])
    letters = spell(ranked.readings[ranked.best], candidates, lattice, weights, chance)
    if not ranked.keeps:
        return Answer(letters=letters, chance=0.0)
    return Answer(
        letters=letters,
        chance=chance,
        others=ranked.others,
        unconstrained=ranked.unconstrained,
    )


def under_rules(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chances of texts that keep to the rules, given that nearly all fields do.

    Bayes' rule, with one field in a hundred written against the rules: where that explains the ink
    better, no text that keeps to them is likely. A rare code does not make up for ink that says
    another, because a code that is wrong is mostly one that is nearly right.

    Args:
        raw: (N,) chances without the rules, of texts that keep to them.
    """
    kept = (1 - BREAKS_RULES) * raw
    return np.asarray(kept / (kept.sum() + BREAKS_RULES * max(0.0, 1 - raw.sum())))


def calibrate(raw: NDArray[np.float64], line: tuple[float, float]) -> NDArray[np.float64]:
    """Return chances whose log-odds were stretched and moved, as fitted on held-out lines."""
    safe = np.clip(raw, LEAST_CHANCE, 1 - LEAST_CHANCE)
    slope, offset = line
    return np.asarray(1 / (1 + np.exp(-(slope * (np.log(safe) - np.log1p(-safe)) + offset))))


def spell(
    reading: Reading,
    candidates: Candidates,
    lattice: Lattice,
    weights: Weights,
    chance: float,
) -> tuple[Letter, ...]:
    """Return the digits of a reading with the chances of each.

    A digit is as likely as its whole field at least, whatever rules made that likely.
    """
    steps, _ = chances(lattice)
    rows = []
    for candidate, text in zip(reading.path, reading.text, strict=True):
        digit = int(text)
        raw = steps[same_place(candidate, candidates)].sum(axis=0)
        found = calibrate(np.minimum(raw, 1), weights.single)
        found[digit] = max(found[digit], chance)
        rest = found.sum() - found[digit]
        if rest > 1 - found[digit]:
            others = found * (1 - found[digit]) / rest
            others[digit] = found[digit]
            found = others
        rows.append(found)
    letters = letters_of_candidates(reading.path, reading.text, candidates)
    return with_chances(letters, np.array(rows))


def same_place(candidate: int, candidates: Candidates) -> NDArray[np.bool_]:
    """Return which candidates, (K,), share more than half of the columns with one of them."""
    left, right = candidates.boxes[:, 0], candidates.boxes[:, 2]
    shared = np.minimum(right, right[candidate]) - np.maximum(left, left[candidate])
    union = np.maximum(right, right[candidate]) - np.minimum(left, left[candidate])
    return np.asarray(2 * shared > union)


def raw_digit_chances(
    reading: Reading, candidates: Candidates, lattice: Lattice
) -> NDArray[np.float64]:
    """Return the chance of each digit of a reading before calibration, (L,)."""
    steps, _ = chances(lattice)
    found: Scores = np.array(
        [
            steps[same_place(candidate, candidates), int(text)].sum()
            for candidate, text in zip(reading.path, reading.text, strict=True)
        ]
    )
    return np.minimum(found, 1)
