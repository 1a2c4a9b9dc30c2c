"""Numbers from logits: accuracy, loss, the interval that goes with an error rate, confusions."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import DataFormatError, WeightsError

CLASSES = 10
INTERVAL_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """How well one class is read.

    Attributes:
        label: The class, 0 to 9.
        precision: Share of the answers with this class that are right; None if there are none.
        recall: Share of the pictures of this class that are read right; None if there are none.
        support: Pictures of this class.
    """

    label: int
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """What a model's answers on a set of pictures are worth.

    Attributes:
        loss: Mean cross-entropy, in nats.
        confusion: (10, 10) int64, how many pictures with the row's label got the column's answer.
    """

    loss: float
    confusion: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Pictures that were measured on."""
        return int(self.confusion.sum())

    @property
    def errors(self) -> int:
        """Pictures that were read wrong."""
        return self.count - int(self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share of the pictures that were read right."""
        return (self.count - self.errors) / self.count

    @property
    def errors_per_10_000(self) -> float:
        """Pictures in 10,000 that are read wrong at this rate."""
        return self.errors / self.count * 10_000

    @property
    def error_interval(self) -> tuple[float, float]:
        """The 95 % interval of the error rate, as shares: see `error_interval`."""
        return error_interval(self.errors, self.count)

    @property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """The figures of each of the ten classes."""
        right = self.confusion.diagonal()
        answers, support = self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        return tuple(
            ClassFigures(
                label=label,
                precision=float(right[label] / answers[label]) if answers[label] else None,
                recall=float(right[label] / support[label]) if support[label] else None,
                support=int(support[label]),
            )
            for label in range(CLASSES)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every figure as a JSON object."""
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "errors": self.errors,
            "count": self.count,
            "errors_per_10_000": self.errors_per_10_000,
            "error_interval": list(self.error_interval),
            "confusion": self.confusion.tolist(),
            "per_class": [asdict(figures) for figures in self.per_class],
        }


def evaluate_logits(
    logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> Evaluation:
    """Measure a model's answers.

    Args:
        logits: (N, 10), finite; N is at least 1.
        labels: (N,), 0 to 9.

    Raises:
        DataFormatError: There are no pictures, or the shapes do not fit.
        WeightsError: A logit is not finite.
    """
    _check(logits, labels)
    places = labels.astype(np.int64) * CLASSES + logits.argmax(axis=1)
    confusion = np.bincount(places, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    loss = -log_softmax(logits)[np.arange(len(labels)), labels].mean()
    return Evaluation(loss=float(loss), confusion=confusion)


def log_softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the logarithms of the classes' probabilities, (N, 10), from `logits`, (N, 10)."""
    exact = logits.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)  # so that exp cannot overflow
    exact -= np.log(np.exp(exact).sum(axis=1, keepdims=True))
    return exact


def softmax_probs(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the probabilities of the classes, (N, 10), from `logits`, (N, 10)."""
    return np.exp(log_softmax(logits))


def worst_mistakes(
    logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], count: int
) -> NDArray[np.int64]:
    """Return which pictures were read wrong, the surest of the wrong answers first.

    Args:
        logits: (N, 10).
        labels: (N,), 0 to 9.
        count: The most to return.

    Returns:
        At most `count` indices into the N pictures.
    """
    mistakes = np.flatnonzero(logits.argmax(axis=1) != labels)
    sureness = log_softmax(logits[mistakes]).max(axis=1)
    return mistakes[np.argsort(-sureness, kind="stable")[:count]]


def error_interval(errors: int, count: int, level: float = INTERVAL_LEVEL) -> tuple[float, float]:
    """Return the rates of error that `errors` in `count` pictures are compatible with.

    This is the exact interval of Clopper & Pearson (1934): a lower rate would give so many errors,
    a higher rate so few, with a chance of less than half of 1 - `level`.

    >>> "{:.4f} to {:.4f}".format(*error_interval(100, 10_000))
    '0.0081 to 0.0121'

    Args:
        errors: 0 to `count`.
        count: At least 1.
        level: Of confidence, between 0 and 1.
    """
    tail = (1 - level) / 2
    low = _rate_at_which(errors - 1, count, 1 - tail) if errors > 0 else 0.0
    high = _rate_at_which(errors, count, tail) if errors < count else 1.0
    return low, high


def _rate_at_which(most: int, count: int, chance: float) -> float:
    """Return the rate at which at most `most` of `count` trials fail with this `chance`."""
    fails = np.arange(most + 1)
    log_ways = np.concatenate([[0.0], np.log((count - fails[:-1]) / fails[1:]).cumsum()])
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:  # until no float lies between them
        log_chances = log_ways + fails * math.log(middle) + (count - fails) * math.log1p(-middle)
        if np.exp(log_chances).sum() > chance:  # the chance of so few falls as the rate rises
            low = middle
        else:
            high = middle
    return low


def _check(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> None:
    """Refuse what cannot be measured."""
    if len(labels) == 0:
        raise DataFormatError("there are no pictures to measure on: expected at least 1")
    if logits.shape != (len(labels), CLASSES):
        raise DataFormatError(
            f"logits have the shape {logits.shape}: expected ({len(labels)}, {CLASSES}), "
            "ten for each label"
        )
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise DataFormatError(
            f"labels go from {labels.min()} to {labels.max()}: expected 0 to {CLASSES - 1}"
        )
    unusable = int((~np.isfinite(logits)).any(axis=1).sum())
    if unusable:
        raise WeightsError(
            f"the model's answers to {unusable} of {len(labels)} pictures are not finite numbers: "
            "it cannot be measured, train it again (with a lower learning rate)"
        )
