"""Fits what a reader trusts, and its confidence, on lines synthesised from MNIST's training digits.

    scripts/bench fit_reading --lines 1500 --held-out 4000

Weights are fitted on lines of the 55,000 digits that are not held out, confidence on lines of the
5,000 that are, and words in letters are among both; on the latter too the confidence in a line of
one digit. How much the lattice and the line network count beside each other is fitted on lines of
forms that neither has learnt, as two older networks read them (benchmarks/strangers). The test set
and real pictures have no part in it. It writes src/tendigits/reading/fitted.json.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.line_pool import HELD_OUT_SEEDS, digits_to_write
from tendigits.atomic import write_json
from tendigits.data import Digits
from tendigits.data.ductus import write_digits
from tendigits.data.lines import make_lines, sway
from tendigits.data.paper import Paper
from tendigits.data.words import make_words
from tendigits.reading.bars import find_high_ink
from tendigits.reading.canvas import lay_out
from tendigits.reading.classifier import DEFAULT, SECOND, Classify, load_classifier
from tendigits.reading.cuts import raw_digit_chances
from tendigits.reading.fitting import (
    Example,
    fit_weights,
    make_examples,
    with_calibration,
)
from tendigits.reading.fitting_joint import Pair, fit_joint, fit_logistic, fit_odds
from tendigits.reading.heard import SURE, Heard, listen
from tendigits.reading.joint import log_odds
from tendigits.reading.lattice import text_log_chances
from tendigits.reading.line_network import SHIPPED, Looks, Transcribe, load_line_network
from tendigits.reading.search import best_readings
from tendigits.reading.single import Judged, judge_one
from tendigits.reading.strings import Recognisers, hear_alone
from tendigits.reading.weights import FITTED, Weights, load_weights, weigh

STRANGE = 1.6  # pixels, of MNIST's form, by which strokes of strangers stray; of learnt ones, 1.0
STRANGERS = Path(__file__).parent / "strangers"
STRANGE_DIGITS = 4_000  # that lines of strangers are written with
WORDS_SHARE = 0.1  # of lines that are words: enough to learn that there is such a thing


def make_all(
    classify: Classify, count: int, *, held_out: bool, strange: bool = False, seed: int
) -> list[Example]:
    """Return lines of digits, and words, as far as recognition takes them."""
    digits = digits_to_write(0, held_out=held_out)
    lines = make_lines(by_strangers(digits, seed) if strange else digits, count, seed=seed)
    words = make_words(round(WORDS_SHARE * count), seed=seed)
    return make_examples(lines, classify) + make_examples(words, classify)


def by_strangers(digits: Digits, seed: int) -> Digits:
    """Return digits bent further than any that the line network has learnt from.

    It has learnt from lines that are made alike, and on these it looks better, beside the lattice,
    than it is on what other hands write.
    """
    random = np.random.default_rng(seed)
    images = np.stack([sway(image, STRANGE, random) for image in digits.images])
    return Digits(images=images, labels=digits.labels)


def calibrate(
    examples: list[Example], weights: Weights
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return slopes and offsets for the log-odds of fields, and of digits."""
    fields: list[tuple[float, bool]] = []
    digits: list[tuple[float, bool]] = []
    for example in examples:
        lattice = weigh(example.candidates, example.logits, weights)
        reading = next(best_readings(lattice))
        if not reading.text:
            continue
        fields.append(
            (np.exp(text_log_chances(lattice, [reading.text])[0]), reading.text == example.text)
        )
        if len(reading.text) == len(example.text):
            raw = raw_digit_chances(reading, example.candidates, lattice)
            right = [a == b for a, b in zip(reading.text, example.text, strict=True)]
            digits += zip(raw.tolist(), right, strict=True)
    return _fit(fields), _fit(digits)


def make_pair(
    example: Example, recognisers: Recognisers, transcribe: Transcribe, sure: float = SURE
) -> Pair:
    """Return what both readers say of a line; `sure`: see `strings.hear_alone`."""
    looks = Looks(lay_out(example.line), transcribe)
    return Pair(
        lattice=weigh(example.candidates, example.logits, recognisers.weights),
        looks=looks,
        text=example.text,
        high=find_high_ink(example.line.mask),
        alone=hear_alone(example.line.mask, listen(looks), None, recognisers, sure=sure),
    )


def make_strangers(
    folder: Path, weights: Weights, count: int, *, seed: int = 1, sure: float = SURE
) -> list[Pair]:
    """Return lines of forms that two networks have not learnt, and what they say of them.

    They are on clean paper: how much each network counts is to follow from the hand.

    Args:
        folder: Holds ``small.onnx`` and ``line.onnx``.
        weights: Of the lattice.
        count: Of lines.
        seed: Fixes them.
        sure: See `strings.hear_alone`.
    """
    classify = load_classifier(folder / "small.onnx")
    transcribe = load_line_network(folder / "line.onnx")
    recognisers = Recognisers(classify=classify, transcribe=transcribe, weights=weights)
    digits = write_digits(STRANGE_DIGITS, HELD_OUT_SEEDS + seed)
    lines = make_lines(digits, count, seed=seed, least=2, paper=Paper())
    examples = make_examples(lines, classify)
    return [make_pair(one, recognisers, transcribe, sure) for one in examples]


def fit_one(
    classify: Classify, second: Classify, transcribe: Transcribe, weights: Weights, count: int
) -> Weights:
    """Return weights with those of the confidence in a line of one digit, fitted on held-out ones.

    Args:
        classify: The network of single digits.
        second: The one that is asked where there is doubt.
        transcribe: The line network.
        weights: All others.
        count: Of lines, and a tenth as many words. None is by a stranger: the network of single
            digits has not learned from such lines, and so does not look better on them.
    """
    lines = [
        *make_lines(digits_to_write(0, held_out=True), count, seed=4, least=1, most=1),
        *make_words(round(WORDS_SHARE * count), seed=4),
    ]
    heard = [
        (example, listen(Looks(lay_out(example.line), transcribe)))
        for example in make_examples(iter(lines), classify)
    ]
    short = [(example, one) for example, one in heard if len(one.texts[0]) <= 1]
    fitted = {}
    for own in (False, True):
        judged = [
            (found, example.text)
            for example, one in short
            if (found := judge(example, one, weights, second, own=own)) is not None
        ]
        right = np.array([str(found.digit) == text for found, text in judged])
        fitted[own] = fit_logistic(np.stack([found.measures for found, _ in judged]), right)
        whose = "an own network" if own else "all networks"
        print(f"one digit, {whose}: {right.mean():.2%} of {len(right)} right: {fitted[own]}")
    return replace(weights, one=fitted[False], own=fitted[True])


def judge(
    example: Example, heard: Heard, weights: Weights, second: Classify, *, own: bool
) -> Judged | None:
    """Return what a line of one digit says; an `own` network is asked alone, see `judge_one`."""
    lattice = weigh(example.candidates, example.logits, weights)
    asked = None if own else second
    return judge_one(example.candidates, lattice, heard, weights, None, own=own, second=asked)


def _fit(pairs: list[tuple[float, bool]]) -> tuple[float, float]:
    return fit_odds([(log_odds(chance), right) for chance, right in pairs])


def main() -> None:
    """Fit, print how many held-out lines are right, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=DEFAULT, help="a model's name, or an ONNX file")
    parser.add_argument("--line-network", type=Path, default=SHIPPED, help="an ONNX file")
    parser.add_argument("--lines", type=int, default=1_500, help="to fit on")
    parser.add_argument("--held-out", type=int, default=4_000, help="lines to calibrate on")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=FITTED)
    parser.add_argument(
        "--strangers", type=Path, default=STRANGERS, help="folder of networks that are strangers"
    )
    parser.add_argument(
        "--one-digit", action="store_true", help="fit that confidence only, and keep all else"
    )
    arguments = parser.parse_args()
    classify = load_classifier(arguments.model)
    second = load_classifier(SECOND)
    transcribe = load_line_network(arguments.line_network)
    if arguments.one_digit:
        before = load_weights(arguments.out)
        fitted = fit_one(classify, second, transcribe, before, arguments.held_out)
        saved = json.loads(arguments.out.read_bytes())
        kept = {name: saved[name] for name in ("command", "model")}
        write_json(arguments.out, {**kept, **fitted.to_dict()})
        return
    weights = fit_weights(
        make_all(classify, arguments.lines, held_out=False, seed=1), epochs=arguments.epochs, seed=0
    )
    held_out = make_all(classify, arguments.held_out // 2, held_out=True, seed=2)
    held_out += make_all(classify, arguments.held_out // 2, held_out=True, strange=True, seed=3)
    field, single = calibrate(held_out, weights)
    texts = [
        (next(best_readings(weigh(one.candidates, one.logits, weights))).text, one.text)
        for one in held_out
    ]
    lines = [found == text for found, text in texts if text]
    words = [not found for found, text in texts if not text]
    print(f"held-out lines right by the lattice: {np.mean(lines):.2%} of {len(lines)}")
    print(f"words not read at all: {np.mean(words):.2%} of {len(words)}")
    recognisers = Recognisers(classify=classify, transcribe=transcribe, weights=weights)
    pairs = [make_pair(one, recognisers, transcribe) for one in held_out]
    strangers = make_strangers(arguments.strangers, weights, arguments.held_out // 4)
    joint = fit_joint(pairs, strangers)
    weights = replace(with_calibration(weights, field, single), joint=joint)
    weights = fit_one(classify, second, transcribe, weights, arguments.held_out)
    print(f"fitted: {weights.joint}")
    write_json(
        arguments.out,
        {
            "command": f"scripts/bench fit_reading --lines {arguments.lines} "
            f"--held-out {arguments.held_out} --epochs {arguments.epochs}",
            "model": Path(arguments.model).stem,
            **weights.to_dict(),
        },
    )


if __name__ == "__main__":
    main()
