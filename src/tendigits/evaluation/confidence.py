"""Confidence that means something: the calibrated chance that an answer is right, and its quality.

A network's probabilities are not chances: label smoothing makes them too low, long training too
high. One number, the temperature, mends most of it (Guo, Pleiss, Sun and Weinberger, "On
calibration of modern neural networks", 2017). It is fitted on pictures that trained nothing.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import DataFormatError, SettingError
from tendigits.evaluation.metrics import evaluate_logits, softmax_probs

Logits = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Score = Callable[[Logits, "Calibration"], NDArray[np.float64]]

BINS = 15  # as Guo et al. have it
REJECTED = 0.01  # share of real digits that a person looks at


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How logits become chances; saved with the weights that it was fitted for.

    Attributes:
        temperature: What logits are divided by, above 0: above 1 it makes answers less sure.
        fitted_on: How many pictures it was fitted on, at least 1.
        threshold: The chance below which an answer is rejected, as doubtful or as no digit at all,
            in [0, 1].

    Raises:
        SettingError: A value is not as above.
    """

    temperature: float
    fitted_on: int
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.temperature < math.inf and self.fitted_on >= 1):
            raise SettingError(
                f"a temperature of {self.temperature} fitted on {self.fitted_on} pictures: "
                "expected a finite number above 0, and at least 1 picture"
            )
        if not 0 <= self.threshold <= 1:
            raise SettingError(f"a threshold of {self.threshold}: expected a chance from 0 to 1")

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "Calibration":
        """Return the calibration that `to_dict` wrote.

        Raises:
            TypeError: A value is missing, unknown or of another type.
            SettingError: A value has no meaning.
        """
        calibration = cls(**saved)
        kinds = (type(calibration.temperature), type(calibration.fitted_on))
        if kinds != (float, int) or type(calibration.threshold) is not float:
            raise TypeError(
                f"a calibration has a temperature, a count and a threshold, not {saved}"
            )
        return calibration


def calibrate(logits: Logits, labels: Labels) -> Calibration:
    """Fit the temperature, and reject what is less sure than all but a hundredth of real digits.

    Args:
        logits: (N, 10), finite, of pictures that trained nothing.
        labels: (N,), 0 to 9.

    Raises:
        DataFormatError: As `fit_temperature`.
        WeightsError: A logit is not finite.
    """
    fitted = fit_temperature(logits, labels)
    return replace(fitted, threshold=float(np.quantile(top_probability(logits, fitted), REJECTED)))


def fit_temperature(logits: Logits, labels: Labels) -> Calibration:
    """Find the temperature that makes the labels most likely.

    The mean cross-entropy is convex in the inverse temperature, so there is one best value. Its
    derivative, the mean of (expected logit - label's logit), is brought to 0 by bisection, until
    no floating point number lies between the bounds.

    Args:
        logits: (N, 10), finite, of pictures that trained nothing.
        labels: (N,), 0 to 9.

    Raises:
        DataFormatError: There are no pictures, the shapes do not fit, or the best temperature is
            not a number above 0: all answers are right, or they are no better than guessing.
        WeightsError: A logit is not finite.
    """
    mistakes = evaluate_logits(logits, labels).errors  # which refuses what cannot be measured
    exact = logits.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)
    of_label = exact[np.arange(len(labels)), labels]
    if not of_label.any():
        raise DataFormatError(
            f"all {len(labels)} answers are right: expected some mistakes to fit a temperature by; "
            "hold out more pictures"
        )
    if exact.mean() >= of_label.mean():
        raise DataFormatError(
            f"{mistakes} of {len(labels)} answers are wrong, no better than guessing: no "
            "temperature makes them right; train the model first"
        )

    def slope(inverse: float) -> float:
        expected = (softmax_probs(inverse * exact) * exact).sum(axis=1)
        return float((expected - of_label).mean())

    low, high = 0.0, 1.0
    while slope(high) < 0:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return Calibration(temperature=1 / high, fitted_on=len(labels))


def calibrated_probs(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    """Return the calibrated chances of the classes, (N, 10), from `logits`, (N, 10)."""
    return softmax_probs(logits.astype(np.float64) / calibration.temperature)


def expected_calibration_error(
    probs: NDArray[np.float64],
    labels: Labels,
    bins: int = BINS,
    equal: Literal["width", "mass"] = "width",
) -> float:
    """Return how far the chances that are stated are from the shares that are right.

    Answers are sorted into bins by their chance. In each bin, the mean chance is compared with the
    share of right answers; the result is the mean of the differences, weighted by the answers in
    the bin (Naeini, Cooper and Hauskrecht 2015, in the form of Guo et al. 2017). Bins of equal
    width are the usual ones; a good model's answers nearly all fall into the last. Bins of equal
    mass hold equally many answers, as far as equal chances allow (Nguyen and O'Connor 2015).

    Args:
        probs: (N, 10), each row with the sum 1; N is at least 1.
        labels: (N,), 0 to 9.
        bins: How many, at least 1.
        equal: What the bins have in common.

    Returns:
        0 (each bin is right as often as it says) to 1.
    """
    chances, right = probs.max(axis=1), probs.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    if equal == "mass":
        edges = np.quantile(chances, edges)
    bin_of = np.searchsorted(edges, chances)  # an answer on an edge is in the lower bin
    excess = np.bincount(bin_of, weights=chances - right, minlength=bins)
    return float(np.abs(excess).sum() / len(labels))


def top_probability(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    """Return the calibrated chance of the answer, (N,), in [0.1, 1]."""
    return np.asarray(calibrated_probs(logits, calibration).max(axis=1))


def energy(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    """Return the negative free energy, (N,): how much speaks for any class at all.

    Liu, Wang, Owens and Li, "Energy-based out-of-distribution detection", 2020.
    """
    cooled = logits.astype(np.float64) / calibration.temperature
    evidence = np.logaddexp.reduce(cooled, axis=1)
    return np.asarray(calibration.temperature * evidence, np.float64)


def top_logit(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    """Return the highest logit, (N,) (Hendrycks et al. 2022); the calibration plays no part."""
    return np.asarray(logits.max(axis=1), np.float64)


def margin(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    """Return how far the second logit lies below the first, (N,), in units of temperature."""
    ordered = np.partition(logits.astype(np.float64), -2, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2], np.float64) / calibration.temperature


# Ways to say how sure an answer is; each rises with sureness. Only the first is a chance.
SCORES: dict[str, Score] = {
    "probability": top_probability,
    "energy": energy,
    "logit": top_logit,
    "margin": margin,
}
