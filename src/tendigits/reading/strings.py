"""Reads strings of digits off lines: recognition decides where a line is cut.

`read_lines` is one recogniser of lines; another one, such as a network over the whole line, stands
beside it by giving `Answer`s too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.candidates import Candidates, make_candidates
from tendigits.reading.classifier import Classify
from tendigits.reading.lattice import Lattice, Scores, chances, forward, forward_text
from tendigits.reading.pieces import find_atoms
from tendigits.reading.search import Reading, Rules, best_readings
from tendigits.reading.segment import Line
from tendigits.reading.weights import Weights, weigh

READINGS = 6  # that are weighed against each other under rules
LEAST_CHANCE = 1e-9  # of a reading: less cannot be told from none
BREAKS_RULES = 0.01  # one field in a hundred does not keep to the rules it was said to keep to


@dataclass(frozen=True, kw_only=True, eq=False)
class Letter:
    """One digit of an answer.

    Attributes:
        digit: 0 to 9.
        chances: (10,) float64: the calibrated chance of each digit; with that of being no digit,
            or cut elsewhere, they add up to 1.
        box: Left, top, right, bottom on the line.
        image: (28, 28) uint8, what the network saw.
    """

    digit: int
    chances: NDArray[np.float64]
    box: tuple[int, int, int, int]
    image: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a line says.

    Attributes:
        letters: Left to right.
        chance: That the text is right, calibrated, in [0, 1].
        others: Other texts and their chances, the likeliest first.
        unconstrained: The best text without the rules, where it is another one.
    """

    letters: tuple[Letter, ...]
    chance: float
    others: tuple[tuple[str, float], ...] = ()
    unconstrained: str | None = None

    @property
    def text(self) -> str:
        """The digits as a string."""
        return "".join(str(letter.digit) for letter in self.letters)


def read_lines(
    lines: Sequence[Line],
    classify: Classify,
    weights: Weights,
    rules: Rules | Sequence[Rules | None] | None = None,
) -> list[Answer | None]:
    """Read lines, all of their candidates in one call of the network.

    Args:
        lines: In standard size.
        classify: (N, 28, 28) uint8 -> (N, 10) logits.
        weights: Fitted with that network.
        rules: What the text must keep to, of all lines or of each; None for any digits.

    Returns:
        An answer for each line; None where nothing on it is a digit. Where nothing keeps to the
        rules, it is what the line says without them, with the chance 0.
    """
    candidates = [make_candidates(find_atoms(line.mask)) for line in lines]
    images = [one.images for one in candidates]
    if not sum(map(len, images)):
        return [None] * len(lines)
    logits = classify(np.concatenate(images))
    parts = np.split(logits, np.cumsum([len(image) for image in images])[:-1])
    each = rules if isinstance(rules, Sequence) else [rules] * len(lines)
    return [
        choose(one, weigh(one, part, weights), weights, own)
        for one, part, own in zip(candidates, parts, each, strict=True)
    ]


def choose(
    candidates: Candidates, lattice: Lattice, weights: Weights, rules: Rules | None
) -> Answer | None:
    """Return the best reading of a scored line with its chance; None if there is none."""
    readings = list(islice(best_readings(lattice, rules), READINGS))
    if not readings:  # nothing here keeps to the rules: a person should see what it says instead
        answer = choose(candidates, lattice, weights, None)
        return answer and replace(answer, chance=0.0, others=())
    raw = text_chances_of(lattice, [reading.text for reading in readings])
    best = int(np.argmax(raw))  # many cuts that agree count for more than one good one
    if not readings[best].text:
        return None
    unconstrained = None
    if rules is not None:
        free = next(best_readings(lattice)).text
        unconstrained = free if free != readings[best].text else None
        raw = under_rules(raw)
    calibrated = calibrate(raw, weights.field)
    order = np.argsort(-calibrated)
    others = tuple(
        (readings[place].text, float(calibrated[place]))
        for place in order.tolist()
        if place != best and readings[place].text and raw[place] > LEAST_CHANCE
    )
    chance = float(calibrated[best])
    return Answer(
        letters=spell(readings[best], candidates, lattice, weights, chance),
        chance=chance,
        others=tuple((text, min(other, 1 - chance)) for text, other in others),
        unconstrained=unconstrained,
    )


def text_chances_of(lattice: Lattice, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the chance of each text, however it is cut, rules aside."""
    whole = forward(lattice)[-1]
    found = []
    for text in texts:
        letters = np.array([int(letter) for letter in text], np.int64)
        found.append(forward_text(lattice, letters)[-1, -1] - whole)
    return np.asarray(np.exp(np.minimum(np.array(found), 0)))


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
    letters = []
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
        left, top, right, bottom = candidates.boxes[candidate].tolist()
        letters.append(
            Letter(
                digit=digit,
                chances=found,
                box=(left, top, right, bottom),
                image=candidates.images[candidate],
            )
        )
    return tuple(letters)


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
