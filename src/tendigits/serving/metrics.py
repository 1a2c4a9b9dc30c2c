"""Figures of a running service, as Prometheus reads them.

Drift is the total variation distance between two histograms of digits' chances of being wrong:
those read lately, and MNIST's test digits read with the model that was measured. 0 is the same, 1
is nothing in common; a service for which it rises sees other writing, or other pictures.
"""

import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

CURVE = Path(__file__).parent / "page" / "curve.json"  # `scripts/bench reject_curve` writes it

# Chances of being wrong, between which digits are counted; the interesting ones are small.
EDGES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
WINDOW = 1_000  # digits that drift looks back at
LEAST_DIGITS = 200  # fewer say nothing: drift is NaN

LATENCIES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds
BATCHES = (1, 2, 3, 4, 6, 8)  # pictures
CONFIDENCES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0)


def histogram(confidences: Sequence[float]) -> NDArray[np.float64]:
    """Return the share of digits in each bin of `EDGES`, (10,), from confidences in [0, 1]."""
    wrong = np.clip(1 - np.asarray(confidences, np.float64), 0, 1)
    counts, _ = np.histogram(wrong, EDGES)
    return np.asarray(counts / max(1, len(wrong)))


def drift(lately: Sequence[float], reference: Sequence[float]) -> float:
    """Return how far the confidences read lately are from a reference histogram, in [0, 1].

    Args:
        lately: Confidences in [0, 1].
        reference: (10,) shares, as `histogram` gives.

    Returns:
        The total variation distance; NaN for fewer than 200 confidences.
    """
    if len(lately) < LEAST_DIGITS:
        return math.nan
    return float(np.abs(histogram(lately) - np.asarray(reference)).sum() / 2)


def load_reference() -> list[float]:
    """Return the shipped reference histogram of digits' chances of being wrong."""
    shares: list[float] = json.loads(CURVE.read_bytes())["histogram"]
    return shares


class Metrics:
    """The figures of one service, in a registry of their own.

    Args:
        waiting: Says how many pictures wait for a reader.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._lately: deque[float] = deque(maxlen=WINDOW)
        reference = load_reference()
        self.requests = Counter(
            "tendigits_requests", "Requests.", ("path", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "tendigits_request_seconds",
            "From a request's head to its whole answer.",
            ("path",),
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.batch = Histogram(
            "tendigits_batch_pictures",
            "Pictures that shared a run of the network.",
            buckets=BATCHES,
            registry=self.registry,
        )
        self.confidence = Histogram(
            "tendigits_digit_confidence",
            "Confidence of each digit.",
            buckets=CONFIDENCES,
            registry=self.registry,
        )
        self.pages = Counter(
            "tendigits_pages", "Pictures read, by decision.", ("decision",), registry=self.registry
        )
        self.refused = Counter(
            "tendigits_refused", "Requests refused because too many wait.", registry=self.registry
        )
        Gauge(
            "tendigits_waiting_pictures", "Pictures that wait.", registry=self.registry
        ).set_function(waiting)
        Gauge(
            "tendigits_confidence_drift",
            "Distance of the last 1,000 confidences' histogram from MNIST's, 0 to 1.",
            registry=self.registry,
        ).set_function(lambda: drift(list(self._lately), reference))

    def count_page(self, digits: Sequence[float], *, accepted: bool) -> None:
        """Count a page that was read, by its digits' confidences and its decision."""
        self.pages.labels("accepted" if accepted else "rejected").inc()
        self._lately.extend(digits)
        for confidence in digits:
            self.confidence.observe(confidence)

    def count_refusal(self) -> None:
        """Count a request that was refused before its path was looked at."""
        self.requests.labels("/v1", "429").inc()
        self.refused.inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)
