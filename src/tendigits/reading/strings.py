"""Reads strings of digits off lines: recognition decides where a line is cut.

Two readers look at a line: a network over all of it, which is quick, and the lattice of all ways to
cut it into digits. Where the first is sure, and stays so at a second and a third look, it answers
alone; else both are weighed together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.answers import (
    Answer,
    Letter,
    digit_chances,
    letters_at,
    letters_of_candidates,
)
from tendigits.reading.candidates import Candidates, make_candidates
from tendigits.reading.canvas import LOOKS, MARGIN, SCALE, Canvas, lay_out, look_again
from tendigits.reading.classifier import Classify
from tendigits.reading.ctc import (
    LogProbs,
    align,
    best_texts,
    fits,
    looks_log_probs,
    merge_blanks,
    text_log_probs,
)
from tendigits.reading.cuts import choose, under_rules
from tendigits.reading.joint import (
    LEAST_CHANCE,
    READINGS,
    Evidence,
    gather,
    keeps_to,
    log_odds,
    logistic,
    measure_answer,
    posterior,
)
from tendigits.reading.lattice import Lattice
from tendigits.reading.line_network import Transcribe
from tendigits.reading.pieces import find_atoms
from tendigits.reading.search import Rules
from tendigits.reading.segment import Line
from tendigits.reading.single import judge_one
from tendigits.reading.weights import Weights, weigh

SURE = 0.9  # chance: from here on held-out lines are read as well without a second reader
CHECKS = 2  # further looks at a line, of `LOOKS`, that a sure text is checked by
LEAST_CHECKED = 0.5  # chance of it at each; with less it is doubtful
PLACE = 2  # pixels of the sheet that a place of the line network is wide


@dataclass(frozen=True, kw_only=True, eq=False)
class Recognisers:
    """What reads a line.

    Attributes:
        classify: (N, 28, 28) uint8 -> (N, 10) logits of single digits.
        transcribe: A line's sheet -> what may stand at each place; None to do without.
        weights: Fitted with both.
        alone: The line network may answer alone where it is sure. Not where the digits' network is
            somebody's own, or was taught: it is to be heard then.
    """

    classify: Classify
    transcribe: Transcribe | None
    weights: Weights
    alone: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Heard:
    """What the line network alone says of a line.

    Attributes:
        log_probs: (T, 11), the logarithms of the chances of the symbols at each place.
        texts: K likely ones, the likeliest first.
        chances: (K,) float64, of each.
    """

    log_probs: LogProbs
    texts: list[str]
    chances: NDArray[np.float64]


def read_lines(
    lines: Sequence[Line],
    recognisers: Recognisers,
    rules: Rules | Sequence[Rules | None] | None = None,
) -> list[Answer | None]:
    """Read lines; all candidates of those that need them in one call of the network.

    Args:
        lines: In standard size.
        recognisers: Of digits, and of lines.
        rules: What the text must keep to, of all lines or of each; None for any digits.

    Returns:
        An answer for each line; None where nothing on it is a digit. Where nothing keeps to the
        rules, it is what the line says without them, with the chance 0.
    """
    transcribe = recognisers.transcribe
    each = rules if isinstance(rules, Sequence) else [rules] * len(lines)
    heard = [listen(transcribe(lay_out(line))) if transcribe else None for line in lines]
    alone = [
        answer_alone(line, one, recognisers)
        if recognisers.alone and one is not None and is_sure(one, own)
        else None
        for line, one, own in zip(lines, heard, each, strict=True)
    ]
    known = [answer is not None and all_have_ink(answer) for answer in alone]
    doubtful = [line for line, is_known in zip(lines, known, strict=True) if not is_known]
    cut = iter(cut_lines(doubtful, recognisers))
    answers = []
    for line, one, answer, is_known, own in zip(lines, heard, alone, known, each, strict=True):
        if is_known:
            answers.append(answer)
            continue
        candidates, lattice = next(cut)
        answers.append(answer_doubtful(line, one, candidates, lattice, recognisers, own))
    return answers


def answer_doubtful(
    line: Line,
    heard: Heard | None,
    candidates: Candidates,
    lattice: Lattice,
    recognisers: Recognisers,
    rules: Rules | None,
) -> Answer | None:
    """Return what a line says that the line network alone is not believed about."""
    if heard is None or recognisers.transcribe is None:
        return choose(candidates, lattice, recognisers.weights, rules)
    if len(heard.texts[0]) <= 1:
        cut = choose(candidates, lattice, recognisers.weights, rules)
        if cut is not None and len(cut.letters) == 1:
            return judge_one(cut, heard.log_probs, recognisers.weights)
    looks = [heard.log_probs, *look_further(lay_out(line), recognisers.transcribe)]
    return choose_jointly(line, candidates, lattice, looks, recognisers, rules)


def listen(log_probs: LogProbs) -> Heard:
    """Return the likely texts of what the line network says, (T, 11)."""
    merged = merge_blanks(log_probs)
    texts = [text for text, _ in best_texts(merged, count=READINGS)]
    chances = np.exp(text_log_probs(merged, texts))
    return Heard(log_probs=log_probs, texts=texts, chances=chances)


def cut_lines(lines: Sequence[Line], recognisers: Recognisers) -> list[tuple[Candidates, Lattice]]:
    """Return all ways to cut each line, scored."""
    candidates = [make_candidates(find_atoms(line.mask)) for line in lines]
    images = [one.images for one in candidates]
    logits = np.zeros((0, 10), np.float32)
    if sum(map(len, images)):
        logits = recognisers.classify(np.concatenate(images))
    ends = np.cumsum([0, *map(len, images)]).tolist()
    return [
        (one, weigh(one, logits[start:end], recognisers.weights))
        for one, (start, end) in zip(candidates, pairwise(ends), strict=True)
    ]


def look_further(sheet: Canvas, transcribe: Transcribe, count: int = len(LOOKS)) -> list[LogProbs]:
    """Return what the line network says of a sheet, looked at in `count` other ways."""
    return [transcribe(other) for other in look_again(sheet, LOOKS[:count])]


def check(heard: Heard, looks: Sequence[LogProbs]) -> float | None:
    """Return the mean chance of the first text over the first look and `CHECKS` further ones.

    None if one of them finds it so unlikely that it is doubtful.
    """
    merged = [merge_blanks(look) for look in (heard.log_probs, *looks[:CHECKS])]
    chances = np.exp(looks_log_probs(merged, heard.texts[:1]))
    return float(chances.mean()) if chances.min() >= LEAST_CHECKED else None


def is_sure(heard: Heard, rules: Rules | None) -> bool:
    """Say whether the line network alone may be believed, and its text keeps to the rules.

    Of a single digit, or of none, it never is: see `single`.
    """
    text = heard.texts[0]
    if len(text) <= 1 or heard.chances[0] <= SURE:
        return False
    return rules is None or keeps_to(rules, text)


def all_have_ink(answer: Answer) -> bool:
    """Say whether ink was found for each digit: where two touch, it needs the lattice's cuts."""
    return all(letter.image.any() for letter in answer.letters)


def answer_alone(line: Line, heard: Heard, recognisers: Recognisers) -> Answer | None:
    """Return what the line network says, which is not nothing; None if further looks disagree."""
    assert recognisers.transcribe is not None
    checked = check(heard, look_further(lay_out(line), recognisers.transcribe, CHECKS))
    if checked is None:
        return None
    text = heard.texts[0]
    slope, offset = recognisers.weights.joint.sure
    chance = logistic(slope * log_odds(checked) + offset)
    scaled = share_out(heard.chances, 0, chance)
    digits = digit_chances(text, list(zip(heard.texts, scaled.tolist(), strict=True)))
    return Answer(
        letters=letters_at(columns_of(heard.log_probs, text), text, line.mask, digits),
        chance=chance,
        others=rank(heard.texts, scaled, 0),
    )


def choose_jointly(
    line: Line,
    candidates: Candidates,
    lattice: Lattice,
    looks: Sequence[LogProbs],
    recognisers: Recognisers,
    rules: Rules | None,
) -> Answer | None:
    """Return the best text by both readers with its chance; None if that is nothing."""
    weights = recognisers.weights.joint
    evidence = gather(lattice, looks, rules)
    if not evidence.keeps.any():  # a person should see what it says instead
        answer = choose_jointly(line, candidates, lattice, looks, recognisers, None)
        return answer and replace(answer, chance=0.0, others=())
    raw = posterior(evidence, weights)
    free = int(raw.argmax())
    kept = np.where(evidence.keeps, raw, 0)
    if rules is not None:
        kept = under_rules(kept)
    best = int(kept.argmax())
    text = evidence.texts[best]
    if not text:
        return None
    chance = logistic(float(measure_answer(evidence, best, float(kept[best])) @ weights.field))
    scaled = share_out(kept, best, chance)
    digits = digit_chances(text, list(zip(evidence.texts, scaled.tolist(), strict=True)))
    return Answer(
        letters=cut_out(line, text, evidence, candidates, looks[0], digits),
        chance=chance,
        others=rank(evidence.texts, scaled, best),
        unconstrained=evidence.texts[free] if free != best else None,
    )


def cut_out(
    line: Line,
    text: str,
    evidence: Evidence,
    candidates: Candidates,
    log_probs: LogProbs,
    digits: NDArray[np.float64],
) -> tuple[Letter, ...]:
    """Return the digits of a text: where the lattice cuts them, or where the network sees them."""
    if text in evidence.paths:
        return letters_of_candidates(evidence.paths[text], text, candidates, digits)
    return letters_at(columns_of(log_probs, text), text, line.mask, digits)


def columns_of(log_probs: LogProbs, text: str) -> NDArray[np.float64]:
    """Return the column on the line, in standard size, of each digit of a text.

    A text that was only found on a larger look may not fit; its digits are spread evenly.
    """
    if not fits(text, len(log_probs)):
        places = (np.arange(len(text)) + 0.5) * len(log_probs) / len(text)
        return np.asarray((places * PLACE - MARGIN) / SCALE)
    return np.asarray(((align(log_probs, text) + 0.5) * PLACE - MARGIN) / SCALE)


def share_out(raw: NDArray[np.float64], best: int, chance: float) -> NDArray[np.float64]:
    """Return chances, (K,), of which the best has its own and the others share the rest."""
    others = np.delete(raw, best).sum()
    shared = raw * (1 - chance) / max(float(others), LEAST_CHANCE)
    shared[best] = chance
    return np.asarray(shared)


def rank(
    texts: Sequence[str], chances: NDArray[np.float64], best: int
) -> tuple[tuple[str, float], ...]:
    """Return the texts but the best and those that are empty or next to impossible, in order."""
    return tuple(
        (texts[place], float(chances[place]))
        for place in np.argsort(-chances).tolist()
        if place != best and texts[place] and chances[place] > LEAST_CHANCE
    )
