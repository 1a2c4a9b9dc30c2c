"""Two readers of one line weighed together: all ways to cut it, and the network over all of it.

A text's score is a weighted sum of the logarithms of its chances by both, as in the product of
experts (Hinton, "Products of experts", 1999); its chance is the share of that among all texts that
either of them finds likely.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.bars import NO_DIGIT, HighInk
from tendigits.reading.ctc import LogProbs, best_texts, looks_log_probs
from tendigits.reading.lattice import Lattice, text_log_chances
from tendigits.reading.search import Rules, best_readings
from tendigits.reading.weights import JointWeights

READINGS = 6  # of the line network that are weighed against each other
CUT_READINGS = 4  # of the lattice, where each one more takes longer
FURTHER = 3  # of each further look at the line
FLOOR = -8.0  # logarithm: no reader rules out more than this what the other one finds
LEAST_CHANCE = 1e-9  # of a reading: less cannot be told from none

Paths = dict[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Texts that a line may say.

    Attributes:
        texts: K of them, each once.
        lattice: (K,) float64: logarithms of their chances by all ways to cut the line.
        line: (K,) float64: logarithms of their chances by the network over the line.
        keeps: (K,) bool: whether a text keeps to the rules.
        paths: The candidates that each text of the lattice's is made of.
        high: The ink that is as high as digits.
    """

    texts: list[str]
    lattice: NDArray[np.float64]
    line: NDArray[np.float64]
    keeps: NDArray[np.bool_]
    paths: Paths
    high: HighInk


def gather(
    lattice: Lattice,
    looks: Sequence[LogProbs],
    rules: Rules | None = None,
    *,
    high: HighInk = HighInk(),  # noqa: B008  # it cannot be changed
) -> Evidence:
    """Return the texts that either reader finds likely, with rules and without.

    Args:
        lattice: The scored ways to cut the line.
        looks: (T, 11) each, what the network says at each place, for each look at the line.
        rules: What the text must keep to; None for anything.
        high: The ink on the line that is as high as digits.
    """
    paths: Paths = {}
    texts: dict[str, None] = {"": None}  # a dictionary keeps the order
    for kept in (None,) if rules is None else (None, rules):
        for reading in islice(best_readings(lattice, kept), CUT_READINGS):
            texts.setdefault(reading.text)
            paths.setdefault(reading.text, reading.path)
        for place, log_probs in enumerate(looks if kept is None else looks[:1]):
            for text, _ in best_texts(log_probs, kept, count=FURTHER if place else READINGS):
                texts.setdefault(text)
    order = list(texts)
    return Evidence(
        texts=order,
        lattice=cut_log_chances(lattice, order),
        line=np.maximum(line_log_chances(looks, order), FLOOR),
        keeps=np.array([rules is None or keeps_to(rules, text) for text in order]),
        paths=paths,
        high=high,
    )


def cut_log_chances(lattice: Lattice, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the logarithm of the chance of each text by all ways to cut the line, (K,).

    A line that is in no pieces, or in too many to be looked at, makes no text likelier.
    """
    if not lattice.steps.count:
        return np.full(len(texts), FLOOR)
    return np.maximum(text_log_chances(lattice, texts), FLOOR)


def line_log_chances(looks: Sequence[LogProbs], texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the logarithm of the mean chance of each text over all looks at the line, (K,)."""
    found = looks_log_probs(looks, texts)
    return np.asarray(np.logaddexp.reduce(found, axis=0) - np.log(len(looks)))


def keeps_to(rules: Rules, text: str) -> bool:
    """Say whether a text keeps to rules; nothing at all keeps to none."""
    state = rules.start()
    for letter in text:
        state = rules.step(state, int(letter))
        if state is None:
            return False
    return bool(text) and rules.is_whole(state)


def measure_texts(evidence: Evidence) -> NDArray[np.float64]:
    """Return what a text's score is a weighted sum of, (K, 4): see `JointWeights.score`."""
    lengths = np.array([len(text) for text in evidence.texts], np.float64)
    return np.stack([evidence.lattice, evidence.line, lengths, lengths == 0], axis=1)


def posterior(evidence: Evidence, weights: JointWeights) -> NDArray[np.float64]:
    """Return the chance of each text before calibration, (K,), adding up to 1.

    A text that takes a bar for no digit is fifty times less likely; that is not fitted.
    """
    left_out = np.array([evidence.high.leaves_out_bar(len(text)) for text in evidence.texts])
    scores = measure_texts(evidence) @ weights.score + NO_DIGIT * left_out
    chances = np.exp(scores - scores.max())
    return np.asarray(chances / chances.sum())


def measure_answer(evidence: Evidence, best: int, chance: float) -> NDArray[np.float64]:
    """Return what an answer's confidence is made of, (4,): see `JointWeights.field`.

    Args:
        evidence: The texts.
        best: The place of the answer among them.
        chance: Of the answer before calibration.
    """
    return np.array([log_odds(chance), evidence.lattice[best], evidence.line[best], 1.0])


def log_odds(chance: float) -> float:
    """Return the logarithm of the odds of a chance, kept finite."""
    safe = min(max(chance, LEAST_CHANCE), 1 - LEAST_CHANCE)
    return float(np.log(safe) - np.log1p(-safe))


def logistic(value: float) -> float:
    """Return the chance whose log-odds are `value`."""
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
