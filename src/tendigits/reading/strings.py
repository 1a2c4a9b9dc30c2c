"""Reads strings of digits off lines: recognition decides where a line is cut.

Two readers look at a line: a network over all of it, which is quick, and the lattice of all ways to
cut it into digits. Where the first is sure, and stays so at a second look, it answers alone; else
both are weighed together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.answers import (
    Answer,
    Letter,
    digit_chances,
    least_chance,
    letters_at,
    letters_of_candidates,
    share_out,
    with_chances,
)
from tendigits.reading.bars import find_high_ink
from tendigits.reading.candidates import Candidates, make_candidates
from tendigits.reading.canvas import MARGIN, SCALE, lay_out
from tendigits.reading.classifier import Classify
from tendigits.reading.codes import CodeList
from tendigits.reading.ctc import LogProbs, align, fits, without_blanks
from tendigits.reading.cuts import choose, under_rules
from tendigits.reading.heard import SURE, Heard, check, is_sure, listen
from tendigits.reading.joint import (
    LEAST_CHANCE,
    Evidence,
    gather,
    log_odds,
    logistic,
    measure_answer,
    posterior,
)
from tendigits.reading.lattice import Lattice
from tendigits.reading.line_network import Looks, Transcribe
from tendigits.reading.pieces import find_atoms
from tendigits.reading.search import Rules, best_readings
from tendigits.reading.segment import Line, Mask
from tendigits.reading.single import answer_one, judge_one
from tendigits.reading.weights import Weights, weigh

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
        second: As `classify`, another network, asked where a line of one digit is in doubt; None
            for none.
    """

    classify: Classify
    transcribe: Transcribe | None
    weights: Weights
    alone: bool = True
    second: Classify | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Alone:
    """What the line network says of a line where it is sure.

    Attributes:
        letters: The digits of its text; their chances are not known yet.
        measures: (3,) float64, of `weights.SURE_MEASURES`.
    """

    letters: tuple[Letter, ...]
    measures: NDArray[np.float64]

    @property
    def text(self) -> str:
        """The digits as a string."""
        return "".join(str(letter.digit) for letter in self.letters)


def read_lines(
    lines: Sequence[Line],
    recognisers: Recognisers,
    rules: Rules | Sequence[Rules | None] | None = None,
) -> list[Answer | None]:
    """Read lines; the candidates of all that need them in one call of the network of digits.

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
    heard = [listen(Looks(lay_out(line), transcribe)) if transcribe else None for line in lines]
    answers: list[Answer | None] = []
    for line, one, own in zip(lines, heard, each, strict=True):
        alone = hear_alone(line.mask, one, own, recognisers) if one and recognisers.alone else None
        answers.append(answer_alone(one, alone, recognisers.weights) if one and alone else None)
    doubtful = [place for place, answer in enumerate(answers) if answer is None]
    cuts = cut_lines([lines[place].mask for place in doubtful], recognisers)
    for place, (candidates, lattice) in zip(doubtful, cuts, strict=True):
        answers[place] = answer_doubtful(
            lines[place], heard[place], candidates, lattice, recognisers, each[place]
        )
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
    weights, own = recognisers.weights, not recognisers.alone
    if heard is None:
        return choose(candidates, lattice, weights, rules)
    if len(heard.texts[0]) <= 1 and not find_high_ink(line.mask).leaves_out_bar(1):
        second = None if own else recognisers.second
        one = judge_one(candidates, lattice, heard, weights, rules, own=own, second=second)
        if one is not None:
            return answer_one(one, weights)
    return choose_jointly(line, candidates, lattice, heard.looks, weights, rules)


def cut_lines(
    masks: Sequence[Mask], recognisers: Recognisers, *, along_slant: bool = False
) -> list[tuple[Candidates, Lattice]]:
    """Return all ways to cut each line, (H, W), scored; `along_slant`: see `pieces.find_atoms`."""
    candidates = [make_candidates(find_atoms(mask, along_slant=along_slant)) for mask in masks]
    images = [one.images for one in candidates]
    logits = np.zeros((0, 10), np.float32)
    if sum(map(len, images)):
        logits = recognisers.classify(np.concatenate(images))
    ends = np.cumsum([0, *map(len, images)]).tolist()
    return [
        (one, weigh(one, logits[start:end], recognisers.weights))
        for one, (start, end) in zip(candidates, pairwise(ends), strict=True)
    ]


def hear_alone(
    mask: Mask,
    heard: Heard,
    rules: Rules | None,
    recognisers: Recognisers,
    *,
    sure: float = SURE,
) -> Alone | None:
    """Return what the line network says; None where it is not sure, or further looks disagree.

    Nor is it believed where it takes a straight upright stroke for no digit.

    Args:
        mask: (H, W) uint8, 1 where there is ink.
        heard: What it says at first.
        rules: What the text must keep to.
        recognisers: That of single digits is asked too.
        sure: The chance that its text must have more than.
    """
    if not is_sure(heard, rules, sure) or find_high_ink(mask).leaves_out_bar(len(heard.texts[0])):
        return None
    checked = check(heard)
    if checked is None:
        return None
    text, places = heard.texts[0], without_blanks(heard.looks[0])
    letters = letters_at(columns_of(heard.looks[0], text, places), text, mask)
    if not all(letter.is_whole and letter.image.any() for letter in letters):
        letters = cut_anew(mask, text, recognisers) or letters
    measures = np.array([log_odds(checked), least_chance(letters, recognisers.classify), 1.0])
    return Alone(letters=letters, measures=measures)


def answer_alone(heard: Heard, alone: Alone, weights: Weights) -> Answer:
    """Return what the line network says as an answer, with its chance."""
    chance = logistic(float(alone.measures @ weights.joint.sure))
    scaled = share_out(heard.chances, 0, chance)
    digits = digit_chances(alone.text, list(zip(heard.texts, scaled.tolist(), strict=True)))
    letters = with_chances(alone.letters, digits)
    return Answer(letters=letters, chance=chance, others=rank(heard.texts, scaled, 0))


def cut_anew(mask: Mask, text: str, recognisers: Recognisers) -> tuple[Letter, ...]:
    """Return the digits of a text that touch, cut as recognition says; none if it knows no way."""
    rules = CodeList(codes=(text,))
    found = []
    for along_slant in (False, True):
        ((candidates, lattice),) = cut_lines([mask], recognisers, along_slant=along_slant)
        found += [(reading, candidates) for reading in islice(best_readings(lattice, rules), 1)]
    if not found:
        return ()
    reading, candidates = max(found, key=lambda pair: pair[0].score)
    return letters_of_candidates(reading.path, text, candidates)


def choose_jointly(
    line: Line,
    candidates: Candidates,
    lattice: Lattice,
    looks: Sequence[LogProbs],
    weights: Weights,
    rules: Rules | None,
) -> Answer | None:
    """Return the best text by both readers with its chance; None if that is nothing."""
    evidence = gather(lattice, looks, rules, high=find_high_ink(line.mask))
    if not evidence.keeps.any():  # a person should see what it says instead
        answer = choose_jointly(line, candidates, lattice, looks, weights, None)
        return answer and replace(answer, chance=0.0, others=())
    raw = posterior(evidence, weights.joint)
    free = int(raw.argmax())
    kept = np.where(evidence.keeps, raw, 0)
    if rules is not None:
        kept = under_rules(kept)
    best = int(kept.argmax())
    text = evidence.texts[best]
    if not text:
        return None
    measures = measure_answer(evidence, best, float(kept[best]))
    chance = logistic(float(measures @ weights.joint.field))
    scaled = share_out(kept, best, chance)
    digits = digit_chances(text, list(zip(evidence.texts, scaled.tolist(), strict=True)))
    return Answer(
        letters=with_chances(cut_out(line.mask, text, evidence, candidates, looks[0]), digits),
        chance=chance,
        others=rank(evidence.texts, scaled, best),
        unconstrained=evidence.texts[free] if free != best else None,
    )


def cut_out(
    mask: Mask, text: str, evidence: Evidence, candidates: Candidates, log_probs: LogProbs
) -> tuple[Letter, ...]:
    """Return the digits of a text: where the lattice cuts them, or where the network sees them."""
    if text in evidence.paths:
        return letters_of_candidates(evidence.paths[text], text, candidates)
    return letters_at(columns_of(log_probs, text), text, mask)


def columns_of(
    log_probs: LogProbs, text: str, places: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the column on the line, in standard size, of each digit of a text.

    A text that was only found on a larger look may not fit; its digits are spread evenly.

    Args:
        log_probs: (T, 11), the logarithms of the chances at each place.
        text: Its digits.
        places: To look at; see `ctc.align`.
    """
    if fits(text, len(log_probs) if places is None else len(places)):
        middles = align(log_probs, text, places) + 0.5
    else:
        middles = (np.arange(len(text)) + 0.5) * len(log_probs) / len(text)
    return np.asarray((middles * PLACE - MARGIN) / SCALE)


def rank(
    texts: Sequence[str], chances: NDArray[np.float64], best: int
) -> tuple[tuple[str, float], ...]:
    """Return the texts but the best and those that are empty or next to impossible, in order."""
    return tuple(
        (texts[place], float(chances[place]))
        for place in np.argsort(-chances).tolist()
        if place != best and texts[place] and chances[place] > LEAST_CHANCE
    )
