"""Weights are fitted by the slope of what they are fitted for, and calibration calibrates."""

from pathlib import Path

import numpy as np
import pytest

from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper
from tendigits.errors import SettingError, WeightsError
from tendigits.reading.classifier import load_classifier
from tendigits.reading.fitting import (
    Example,
    fit_weights,
    gradient,
    initial_weights,
    make_examples,
    pack,
    unpack,
)
from tendigits.reading.fitting_joint import fit_odds
from tendigits.reading.lattice import text_log_chances
from tendigits.reading.weights import Weights, load_weights, weigh


@pytest.fixture(scope="module")
def examples(mnist: DigitSet) -> list[Example]:
    """Lines of held-out training digits as far as recognition takes them."""
    lines = make_lines(
        mnist.train.hold_out(5_000)[1], 40, seed=0, most=4, hand=Hand(gap=0.02), paper=Paper()
    )
    return make_examples(lines, load_classifier(threads=1))


def log_chance(example: Example, weights: Weights) -> float:
    lattice = weigh(example.candidates, example.logits, weights)
    return float(text_log_chances(lattice, [example.text])[0])


def test_the_gradient_is_the_slope(examples: list[Example]) -> None:
    start = initial_weights()
    values = pack(start)
    example = examples[0]
    chance, found = gradient(example, start)
    assert chance == pytest.approx(log_chance(example, start))
    for place in range(len(values)):
        step = np.zeros_like(values)
        step[place] = 1e-5
        up, down = (log_chance(example, unpack(values + sign * step)) for sign in (1, -1))
        assert found[place] == pytest.approx((up - down) / 2e-5, abs=1e-4)


def test_a_fit_makes_the_right_texts_likelier(examples: list[Example]) -> None:
    before = np.median([log_chance(example, initial_weights()) for example in examples])
    fitted = fit_weights(examples, epochs=10, seed=0)
    after = np.median([log_chance(example, fitted) for example in examples])
    assert after > before + 0.3


def test_a_fit_on_fewer_lines_than_a_step_takes_is_refused(examples: list[Example]) -> None:
    with pytest.raises(SettingError, match="there are 31 lines to fit on: expected 32 or more"):
        fit_weights(examples[:31], epochs=10, seed=0)


def test_odds_are_stretched_to_what_is_true() -> None:
    random = np.random.default_rng(0)
    true = random.normal(1, 2, 20_000)
    right = random.random(20_000) < 1 / (1 + np.exp(-true))
    said = (2 * true - 1).tolist()  # by an overconfident reader
    slope, offset = fit_odds(list(zip(said, right.tolist(), strict=True)))
    assert slope == pytest.approx(0.5, abs=0.03)
    assert offset == pytest.approx(0.5, abs=0.05)


def test_the_shipped_weights_come_back_from_json() -> None:
    weights = load_weights()
    again = Weights.from_dict(weights.to_dict())
    assert again.to_dict() == weights.to_dict()
    assert weights.recognition > 0


def test_other_files_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights for reading"):
        Weights.from_dict({"recognition": 1.0})
    with pytest.raises(WeightsError, match="cannot be read as JSON"):
        load_weights(tmp_path / "nothing.json")
