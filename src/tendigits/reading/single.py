"""A line of one digit: there the network of single digits is the better judge.

It has seen more of what pens and scanners make of a digit than the line network has, which counts
here only as a witness of how sure the answer is. How much is fitted on held-out lines.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.answers import Answer, Letter
from tendigits.reading.heard import Heard
from tendigits.reading.joint import log_odds, logistic
from tendigits.reading.weights import Weights

LEAST_HEARD = 4.5e-5  # chance: that of a digit that is not heard


def judge_one(cut: Answer, heard: Heard, weights: Weights) -> Answer:
    """Return the answer to a line of one digit with its chance.

    Args:
        cut: The best answer by the ways to cut the line, of one digit.
        heard: What the line network says.
        weights: Fitted.
    """
    chance = logistic(float(measure_one(cut, heard, weights) @ np.array(weights.one)))
    return replace(
        cut,
        chance=chance,
        letters=(doubt(cut.letters[0], chance),),
        others=tuple((text, min(other, 1 - chance)) for text, other in cut.others),
    )


def measure_one(cut: Answer, heard: Heard, weights: Weights) -> NDArray[np.float64]:
    """Return what the log-odds of an answer of one digit are a weighted sum of, (3,).

    These are its log-odds by the ways to cut the line, before calibration; the logarithm of its
    chance by the line network, given that there is a digit at all; and 1. What is not among its
    likely texts is not heard. Whether there is a digit, the network of single digits knows better:
    it has learned to be unsure of letters and scribbles.
    """
    slope, offset = weights.field
    known = dict(zip(heard.texts, heard.chances.tolist(), strict=True))
    something = max(1 - known.get("", 0.0), 1e-9)
    given = max(known.get(cut.text, 0.0) / something, LEAST_HEARD)
    return np.array([(log_odds(cut.chance) - offset) / slope, np.log(given), 1.0])


def doubt(letter: Letter, chance: float) -> Letter:
    """Return a letter whose digit has a chance, and the others their shares of what is left."""
    chances = np.asarray(letter.chances, np.float64).copy()
    chances[letter.digit] = 0
    chances *= (1 - chance) / max(float(chances.sum()), 1e-12)
    chances[letter.digit] = chance
    return replace(letter, chances=chances)
