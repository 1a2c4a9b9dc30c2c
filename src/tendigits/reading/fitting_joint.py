"""Fits how much each of two readers of a line counts, and the confidence in what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.bars import HighInk
from tendigits.reading.ctc import LogProbs
from tendigits.reading.joint import (
    Evidence,
    gather,
    measure_answer,
    measure_texts,
    posterior,
)
from tendigits.reading.lattice import Lattice
from tendigits.reading.strings import Alone
from tendigits.reading.weights import JointWeights, even_weights

STEPS = 60  # of Newton's method; it ends where nothing changes
FARTHEST = 0.25  # that a weight changes in a step
SHRINK = 1e-2  # of the weights: keeps them finite where the lines are read without a mistake


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """What both readers say of a line, and its text.

    Attributes:
        lattice: All ways to cut it.
        looks: (T, 11) each, what the line network says.
        text: What it says.
        high: Its ink that is as high as digits.
        alone: What the line network is believed to say alone; None where it is in doubt.
    """

    lattice: Lattice
    looks: Sequence[LogProbs]
    text: str
    high: HighInk = HighInk()  # noqa: RUF009  # it cannot be changed
    alone: Alone | None = None


def fit_joint(pairs: Sequence[Pair], strangers: Sequence[Pair]) -> JointWeights:
    """Return the weights under which the right texts are likeliest, and calibrated.

    Args:
        pairs: Lines whose text is known, and that neither reader learnt from: they calibrate.
        strangers: The same by hands of which neither reader has learnt: they say how much each
            counts. Among lines made like those that it learnt from, the line network leaves the
            lattice nothing to say.
    """
    draft = replace(even_weights(), score=fit_score(*_doubtful(strangers)))
    sure = [(pair.alone, pair.text) for pair in pairs if pair.alone is not None]
    if sure:
        measures = np.stack([alone.measures for alone, _ in sure])
        right = np.array([alone.text == text for alone, text in sure])
        draft = replace(draft, sure=fit_logistic(measures, right))
    return replace(draft, field=fit_field(*_doubtful(pairs), draft))


def _doubtful(pairs: Sequence[Pair]) -> tuple[list[Evidence], list[str]]:
    """Return what both readers say of the lines that both must weigh, and their texts."""
    chosen = [pair for pair in pairs if pair.alone is None]
    evidence = [gather(pair.lattice, pair.looks, high=pair.high) for pair in chosen]
    return evidence, [pair.text for pair in chosen]


def fit_score(evidence: Sequence[Evidence], texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the weights of a text's score: logistic regression among the texts of each line."""
    known = [
        (measure_texts(one), one.texts.index(text))
        for one, text in zip(evidence, texts, strict=True)
        if text in one.texts
    ]
    weights = even_weights().score
    for _ in range(STEPS):
        slope: NDArray[np.float64] = -SHRINK * weights
        curve: NDArray[np.float64] = SHRINK * np.eye(len(weights))
        for measures, right in known:
            scores = measures @ weights
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            mean = chances @ measures
            slope = slope + measures[right] - mean
            curve = curve + (measures - mean).T @ ((measures - mean) * chances[:, None])
        weights = weights + within(np.asarray(np.linalg.solve(curve, slope)), FARTHEST)
    return np.asarray(weights)


def fit_field(
    evidence: Sequence[Evidence], texts: Sequence[str], weights: JointWeights
) -> NDArray[np.float64]:
    """Return the weights of the log-odds that the best text is right."""
    measures, right = [], []
    for one, text in zip(evidence, texts, strict=True):
        raw = posterior(one, weights)
        best = int(raw.argmax())
        if one.texts[best]:
            measures.append(measure_answer(one, best, float(raw[best])))
            right.append(one.texts[best] == text)
    return fit_logistic(np.array(measures), np.array(right))


def fit_odds(answers: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return slope and offset that make the log-odds of answers calibrated.

    Args:
        answers: Log-odds, and whether each was right; without any, nothing is changed.
    """
    if not answers:
        return 1.0, 0.0
    odds, right = zip(*answers, strict=True)
    slope, offset = fit_logistic(np.stack([odds, np.ones(len(odds))], axis=1), np.array(right))
    return float(slope), float(offset)


def fit_logistic(measures: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weights of logistic regression with Platt's targets (1999), by Newton's method.

    Args:
        measures: (N, M), of the answers given.
        right: (N,) whether each was right.
    """
    target = np.where(right, 1 - 1 / (right.sum() + 2), 1 / ((~right).sum() + 2))
    weights = np.zeros(measures.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(measures @ weights, -30, 30)))
        slope = measures.T @ (target - chance) - SHRINK * weights
        curve = (measures * (chance * (1 - chance))[:, None]).T @ measures
        step = np.linalg.solve(curve + SHRINK * np.eye(len(weights)), slope)
        weights = weights + within(step, FARTHEST)
    return np.asarray(weights)


def within(step: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """Return a step that is no longer than `most` along any axis: Newton's may leap too far."""
    return np.asarray(step * min(1.0, most / max(1e-9, float(np.abs(step).max()))))
