"""Fits the weights of a reader on lines whose text is known; where to cut is not told.

The chance of the right text, summed over all ways to cut it, is made as large as it can be. Its
gradient is the measures that are expected given the text, less those that are expected without.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tendigits.data.lines import Line as WrittenLine
from tendigits.errors import SettingError
from tendigits.reading.candidates import (
    DIGIT_MEASURES,
    FORM_MEASURES,
    SKIP_MEASURES,
    Candidates,
    log_softmax,
    make_candidates,
    measure_logits,
)
from tendigits.reading.classifier import Classify
from tendigits.reading.ground import find_ink
from tendigits.reading.lattice import chances, text_chances, text_log_chances
from tendigits.reading.pieces import find_atoms
from tendigits.reading.segment import Line as FoundLine
from tendigits.reading.segment import find_lines
from tendigits.reading.weights import Weights, weigh

BATCH = 32  # lines a step
RATE = 0.05  # learning rate of Adam
HOPELESS = 0.01  # chance: a line whose text has less, where ink was lost, teaches little
SHRINK = 1e-4  # of the weights, for each line: keeps those that matter little near 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A line to fit on.

    Attributes:
        candidates: For its digits.
        logits: (K, 10) float32, the network's answers to them.
        text: What it says.
        line: As it was found.
    """

    candidates: Candidates
    logits: NDArray[np.float32]
    text: str
    line: FoundLine


def initial_weights() -> Weights:
    """Return weights to begin with: a digit is about as high as the line, and few atoms go."""
    digit = dict.fromkeys(DIGIT_MEASURES, 0.0) | {"gaps inside": -4.0}
    form = dict.fromkeys(FORM_MEASURES, 0.0) | {"height squared": -2.0}
    skip = dict.fromkeys(SKIP_MEASURES, 0.0) | {"height": -4.0}
    return Weights(
        recognition=1.0,
        digit=np.array(list(digit.values())),
        form=np.repeat(np.array(list(form.values()))[:, None], 10, axis=1),
        skip=np.array(list(skip.values())),
    )


def make_examples(lines: Iterable[WrittenLine], classify: Classify) -> list[Example]:
    """Take written lines as far as recognition; lines in which no ink is found are left out."""
    examples = []
    for line in lines:
        found = find_lines(find_ink(line.picture), one=True)
        if found:
            candidates = make_candidates(find_atoms(found[0].mask))
            logits = classify(candidates.images)
            examples.append(
                Example(candidates=candidates, logits=logits, text=line.text, line=found[0])
            )
    return examples


def fit_weights(examples: Sequence[Example], *, epochs: int, seed: int) -> Weights:
    """Return the weights under which the right texts are likeliest.

    Args:
        examples: Lines whose text is known, at least `BATCH`.
        epochs: How many times as many lines are drawn as there are, each from all of them.
        seed: Fixes which are drawn.

    Raises:
        SettingError: There are too few lines for a step.
    """
    if len(examples) < BATCH:
        raise SettingError(f"there are {len(examples)} lines to fit on: expected {BATCH} or more")
    weights = initial_weights()
    values = pack(weights)
    mean, square = np.zeros_like(values), np.zeros_like(values)
    random = np.random.default_rng(seed)
    steps = epochs * (len(examples) // BATCH)
    for step in range(steps):
        chosen = random.integers(len(examples), size=BATCH)
        current = unpack(values)
        slope = sum(robust_slope(examples[number], current) for number in chosen) / BATCH
        slope = slope - SHRINK * values
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        scale = np.sqrt(square / (1 - 0.99 ** (step + 1))) + 1e-6
        values = values + RATE * (1 - step / steps) * mean / (1 - 0.9 ** (step + 1)) / scale
    return unpack(values)


def pack(weights: Weights) -> NDArray[np.float64]:
    """Return all numbers of a fit in a row."""
    return np.concatenate(
        [[weights.recognition], weights.digit, weights.form.ravel(), weights.skip]
    )


def unpack(values: NDArray[np.float64]) -> Weights:
    """Return all numbers of a fit as weights."""
    forms = 10 * len(FORM_MEASURES)
    head, digit, form, skip = np.split(values, np.cumsum([1, len(DIGIT_MEASURES), forms]))
    return Weights(
        recognition=float(head[0]),
        digit=digit,
        form=form.reshape(len(FORM_MEASURES), 10),
        skip=skip,
    )


def gradient(example: Example, weights: Weights) -> tuple[float, NDArray[np.float64]]:
    """Return the logarithm of the chance of the right text, and how it changes with each weight.

    It is -inf, and the change 0, for a line that no path reads right.
    """
    lattice = weigh(example.candidates, example.logits, weights)
    right = text_chances(lattice, example.text)
    if right is None:
        return -np.inf, np.zeros(len(pack(weights)))
    digits, skips = (given - free for given, free in zip(right, chances(lattice), strict=True))
    measures = np.hstack([example.candidates.shapes, measure_logits(example.logits)])
    slopes = Weights(
        recognition=float((digits * log_softmax(example.logits)).sum()),
        digit=digits.sum(axis=1) @ measures,
        form=example.candidates.forms.T @ digits,
        skip=skips @ example.candidates.skips,
    )
    return float(text_log_chances(lattice, [example.text])[0]), pack(slopes)


def robust_slope(example: Example, weights: Weights) -> NDArray[np.float64]:
    """Return the slope of log(chance + 0.01), which lines that cannot be read hardly move."""
    chance_log, slope = gradient(example, weights)
    chance = np.exp(chance_log)
    return np.asarray(slope * chance / (chance + HOPELESS))


def with_calibration(
    weights: Weights, field: tuple[float, float], single: tuple[float, float]
) -> Weights:
    """Return weights with other slopes and offsets of confidence."""
    return replace(weights, field=field, single=single)
