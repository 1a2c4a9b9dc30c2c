"""What rejecting the doubtful answers buys: curves, risks, and a threshold with a promise.

An answer is accepted if its confidence is at least a threshold, and rejected, that is left to a
person, otherwise. Confidences may be any numbers that rise with sureness.
"""

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import DataFormatError, SettingError
from tendigits.evaluation.metrics import INTERVAL_LEVEL, error_interval

Confidences = NDArray[np.floating[Any]]
Correct = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class RejectCurve:
    """Every way to part the answers by a threshold; equal confidences stay together.

    Attributes:
        count: N, answers in all.
        thresholds: (K,) float64, descending: the K different confidences.
        accepted: (K,) int64, ascending: answers whose confidence is at least the threshold.
        errors: (K,) int64: how many of these are wrong.
    """

    count: int
    thresholds: NDArray[np.float64]
    accepted: NDArray[np.int64]
    errors: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class AcceptedRisk:
    """How often the accepted answers are wrong.

    Attributes:
        threshold: The confidence from which answers are accepted.
        rejected_share: Share of all answers that is rejected.
        accepted: Answers that are accepted.
        errors: How many of these are wrong.
        error_rate: Their share.
        interval: Its exact 95 % interval: see `error_interval`.
    """

    threshold: float
    rejected_share: float
    accepted: int
    errors: int
    error_rate: float
    interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a JSON object."""
        return {**asdict(self), "interval": list(self.interval)}


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A threshold, and what `threshold_for` promises of it.

    Attributes:
        threshold: The confidence from which answers are accepted.
        error: The rate of error among accepted answers that is not exceeded.
        level: The confidence of that statement.
        count: Held-out answers that it rests on.
        accepted: How many of them are accepted.
        errors: How many of these are wrong.
        upper_bound: Of the rate of error, at `level`; at most `error`.
    """

    threshold: float
    error: float
    level: float
    count: int
    accepted: int
    errors: int
    upper_bound: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a JSON object."""
        return asdict(self)


def reject_curve(confidences: Confidences, correct: Correct) -> RejectCurve:
    """Return what each threshold accepts, and how much of that is wrong.

    Args:
        confidences: (N,), no NaN; N is at least 1.
        correct: (N,) bool, whether the answer is right.

    Raises:
        DataFormatError: There are no answers, the shapes do not fit, or a confidence is NaN.
    """
    _check(confidences, correct)
    order = np.argsort(-confidences, kind="stable")
    ordered = confidences[order].astype(np.float64)
    wrong_so_far = (~correct[order]).cumsum()
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    return RejectCurve(
        count=len(ordered),
        thresholds=ordered[ends],
        accepted=ends + 1,
        errors=wrong_so_far[ends],
    )


def risk_at_reject(confidences: Confidences, correct: Correct, share: float) -> AcceptedRisk:
    """Return how often accepted answers are wrong if the least sure `share` is rejected.

    Where equal confidences lie across the border, all of them are accepted, so that no more is
    rejected than was asked for. The border depends on confidences only, not on what is right, so
    the interval holds as it does for a threshold that was fixed beforehand.

    Args:
        confidences: (N,), no NaN; N is at least 1.
        correct: (N,) bool, whether the answer is right.
        share: To reject, from 0 to below 1.

    Raises:
        SettingError: `share` is outside its range.
        DataFormatError: As `reject_curve`.
    """
    if not 0 <= share < 1:
        raise SettingError(f"cannot reject a share of {share}: expected 0 to below 1")
    curve = reject_curve(confidences, correct)
    most = math.floor(share * curve.count + 1e-9)  # 0.29 * 100 is a little under 29
    place = int(np.searchsorted(curve.accepted, curve.count - most))
    accepted, errors = int(curve.accepted[place]), int(curve.errors[place])
    return AcceptedRisk(
        threshold=float(curve.thresholds[place]),
        rejected_share=1 - accepted / curve.count,
        accepted=accepted,
        errors=errors,
        error_rate=errors / accepted,
        interval=error_interval(errors, accepted),
    )


def threshold_for(
    confidences: Confidences, correct: Correct, error: float = 0.001, level: float = INTERVAL_LEVEL
) -> Promise:
    """Find the lowest threshold at which accepted answers are wrong at most at the rate `error`.

    The promise: if the held-out answers and those to come are drawn alike and independently, and
    if the true rate of error among accepted answers does not fall where the threshold falls, then
    the threshold that is returned keeps that rate at or under `error` in at least the share
    `level` of all draws of held-out answers. It says nothing about pictures of another origin. It
    fails if the confidences themselves were fitted on the held-out answers, unless fitting leaves
    their order: a temperature changes the order of probabilities, but not that of margins. Of those
    draws that yield a threshold at all, more than 1 - `level` may break the promise, where few do.

    Thresholds are tested one after the other from the surest half of the answers down; each passes
    if the exact upper bound of Clopper & Pearson (1934) at `level` is at most `error`, and the
    first that fails ends the walk. So the chance of a false promise is not multiplied by the number
    of thresholds: to return a bad one, the first bad one must have passed (fixed sequence testing,
    as in Angelopoulos et al., "Learn then test", 2021). Geifman and El-Yaniv, "Selective
    classification for deep neural networks", 2017, make the same promise without the order, at the
    price of a level divided by the number of tests. The walk begins at the surest half, or as many
    more as a promise takes with no mistake, because fewer could only fail, and because one wrong
    label among the surest should not end it.

    Args:
        confidences: (N,) of held-out answers, no NaN; N is at least 1.
        correct: (N,) bool, whether the answer is right.
        error: The rate not to exceed, above 0, below 1.
        level: The confidence of the promise, from 0.5 to below 1.

    Raises:
        SettingError: A setting is outside its range, the held-out answers are too few for the
            promise, or they hold too many mistakes.
        DataFormatError: As `reject_curve`.
    """
    if not (0 < error < 1 and 0.5 <= level < 1):
        raise SettingError(
            f"cannot promise a rate of error of {error} with confidence {level}: expected a rate "
            "above 0 and below 1, a confidence from 0.5 to below 1"
        )
    curve = reject_curve(confidences, correct)
    least = fewest_accepted(0, error, level)
    if curve.count < least:
        raise SettingError(
            f"{curve.count:,} held-out answers cannot promise a rate of error of {error:g} with "
            f"confidence {level:g}: hold out at least {least:,}"
        )
    start = int(np.searchsorted(curve.accepted, max(least, math.ceil(curve.count / 2))))
    place = _last_that_passes(curve, start, error, level)
    if place < start:
        accepted, errors = int(curve.accepted[start]), int(curve.errors[start])
        raise SettingError(
            f"{errors:,} of the {accepted:,} surest held-out answers are wrong: a rate of error of "
            f"{error:g} with confidence {level:g} takes {fewest_accepted(errors, error, level):,} "
            "accepted ones with as many mistakes; hold out more, or promise less"
        )
    accepted, errors = int(curve.accepted[place]), int(curve.errors[place])
    return Promise(
        threshold=float(curve.thresholds[place]),
        error=error,
        level=level,
        count=curve.count,
        accepted=accepted,
        errors=errors,
        upper_bound=_upper_bound(errors, accepted, level),
    )


@lru_cache(maxsize=1_024)
def fewest_accepted(errors: int, error: float, level: float = INTERVAL_LEVEL) -> int:
    """Return how many accepted answers, `errors` of them wrong, prove a rate of at most `error`.

    >>> fewest_accepted(0, 0.001)
    2995

    Args:
        errors: At least 0.
        error: The rate to prove, above 0, below 1.
        level: The confidence of the proof, from 0.5 to below 1.
    """
    low, high = errors, errors + 1  # low never proves it: there all are wrong, or there are none
    while _chance_of_so_few(errors, high, error) > 1 - level:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        proves = _chance_of_so_few(errors, middle, error) <= 1 - level
        low, high = (low, middle) if proves else (middle, high)
    return high


def _last_that_passes(curve: RejectCurve, start: int, error: float, level: float) -> int:
    """Return the place of the last threshold before the first that fails, `start` - 1 for none."""
    place = start
    while place < len(curve.accepted):
        errors = curve.errors[place]
        if curve.accepted[place] < fewest_accepted(int(errors), error, level):
            break
        # More accepted answers with no more mistakes pass too.
        place = int(np.searchsorted(curve.errors, errors, side="right"))
    return place - 1


def _chance_of_so_few(errors: int, count: int, rate: float) -> float:
    """Return the chance that at most `errors` of `count` answers, more than `errors`, are wrong.

    It is at most 1 - level exactly where the upper bound at `level` is at most `rate`, and takes a
    hundredth of the time.
    """
    wrong = np.arange(errors + 1)
    log_ways = np.concatenate([[0.0], np.log((count - wrong[:-1]) / wrong[1:]).cumsum()])
    log_chances = log_ways + wrong * math.log(rate) + (count - wrong) * math.log1p(-rate)
    return float(np.exp(log_chances).sum())


def _upper_bound(errors: int, count: int, level: float) -> float:
    """Return the one-sided upper bound of a rate: the upper end of an interval that cuts twice."""
    return error_interval(errors, count, 2 * level - 1)[1]


def _check(confidences: Confidences, correct: Correct) -> None:
    """Refuse what is no list of answers."""
    if confidences.ndim != 1 or len(confidences) == 0 or correct.shape != confidences.shape:
        raise DataFormatError(
            f"confidences have the shape {confidences.shape} and their answers {correct.shape}: "
            "expected (N,) and (N,), at least 1"
        )
    if correct.dtype != np.bool_ or np.isnan(confidences).any():
        raise DataFormatError(
            f"answers are {correct.dtype} and {np.isnan(confidences).sum()} confidences are NaN: "
            "expected bool and none"
        )
