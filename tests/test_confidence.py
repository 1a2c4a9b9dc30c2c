import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from scipy.special import logsumexp  # type: ignore[import-untyped]
from sklearn.metrics import log_loss

from tendigits.errors import DataFormatError, SettingError, WeightsError
from tendigits.evaluation.confidence import (
    SCORES,
    Calibration,
    calibrated_probs,
    expected_calibration_error,
    fit_temperature,
)
from tendigits.evaluation.metrics import softmax_probs

untimed = settings(deadline=None, max_examples=50)

Logits = NDArray[np.float64]
Labels = NDArray[np.int64]


def draw_answers(seed: int, count: int, temperature: float) -> tuple[Logits, Labels]:
    """Logits whose chances are exactly right once they are divided by `temperature`."""
    random = np.random.default_rng(seed)
    true = random.normal(scale=3, size=(count, 10))
    chances = softmax_probs(true).cumsum(axis=1)
    labels = (random.random((count, 1)) > chances[:, :-1]).sum(axis=1)
    return temperature * true, labels


@untimed
@given(st.integers(0, 1_000), st.floats(0.05, 20))
def test_temperature_is_the_one_that_scipy_finds(seed: int, temperature: float) -> None:
    logits, labels = draw_answers(seed, 300, temperature)

    def loss(log_inverse: float) -> float:
        probs = softmax_probs(np.exp(log_inverse) * logits)
        return float(log_loss(labels, np.clip(probs, 1e-300, 1), labels=range(10)))

    found = fit_temperature(logits, labels).temperature
    best = minimize_scalar(loss, bracket=(-1 - np.log(temperature), 1 - np.log(temperature)))
    assert found == pytest.approx(np.exp(-best.x), rel=1e-5)
    assert loss(-np.log(found)) <= best.fun + 1e-12


@pytest.mark.parametrize("temperature", [0.2, 1.0, 7.0])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    calibration = fit_temperature(*draw_answers(3, 40_000, temperature))
    assert calibration.temperature == pytest.approx(temperature, rel=0.03)
    assert calibration.fitted_on == 40_000


@untimed
@given(st.integers(0, 1_000), st.sampled_from([2.0**-40, 2.0**-3, 2.0**30]))
def test_temperature_goes_with_the_scale_and_ignores_what_is_added(seed: int, scale: float) -> None:
    logits, labels = draw_answers(seed, 100, 1.0)
    found = fit_temperature(logits, labels).temperature
    shift = np.random.default_rng(seed).normal(size=(100, 1))
    assert fit_temperature(scale * logits, labels).temperature == pytest.approx(scale * found)
    assert fit_temperature(logits + shift, labels).temperature == pytest.approx(found)


def test_torchs_gradient_vanishes_at_the_temperature() -> None:
    logits, labels = (torch.from_numpy(array) for array in draw_answers(8, 500, 2.5))
    found = fit_temperature(logits.numpy(), labels.numpy()).temperature
    inverse = torch.tensor(1 / found, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(inverse * logits, labels).backward()
    assert inverse.grad is not None
    assert abs(inverse.grad.item()) < 1e-12


def test_calibrated_chances_come_true() -> None:
    logits, labels = draw_answers(1, 50_000, 4.0)
    calibration = fit_temperature(*draw_answers(2, 50_000, 4.0))
    for equal in ("width", "mass"):
        before = expected_calibration_error(softmax_probs(logits), labels, equal=equal)
        after = expected_calibration_error(
            calibrated_probs(logits, calibration), labels, equal=equal
        )
        assert after < 0.01 < 0.1 < before


def test_answers_stay_the_same() -> None:
    logits, labels = draw_answers(1, 1_000, 0.3)
    probs = calibrated_probs(logits.astype(np.float32), fit_temperature(logits, labels))
    assert probs.argmax(axis=1).tolist() == logits.argmax(axis=1).tolist()
    assert probs.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.eye(10), np.arange(10), "all 10 answers are right"),
        (np.eye(10), np.arange(10)[::-1], "10 of 10 answers are wrong, no better than guessing"),
        (np.zeros((5, 10)), np.zeros(5, int), "all 5 answers are right"),
        (np.empty((0, 10)), np.empty(0, int), "no pictures"),
    ],
)
def test_where_no_temperature_is_best_it_is_said(
    logits: Logits, labels: Labels, message: str
) -> None:
    with pytest.raises(DataFormatError, match=message):
        fit_temperature(logits, labels)


def test_logits_that_are_not_finite_are_refused() -> None:
    with pytest.raises(WeightsError, match="not finite"):
        fit_temperature(np.full((2, 10), np.nan), np.zeros(2, int))


def test_a_calibration_comes_back_from_json() -> None:
    calibration = Calibration(temperature=0.4589, fitted_on=5_000)
    saved = json.loads(json.dumps(calibration.to_dict()))
    assert Calibration.from_dict(saved) == calibration
    with pytest.raises(TypeError):
        Calibration.from_dict({**saved, "fitted_on": "5000"})
    with pytest.raises(TypeError):
        Calibration.from_dict({**saved, "bias": 0.0})


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.inf, np.nan])
def test_a_temperature_without_meaning_is_refused(temperature: float) -> None:
    with pytest.raises(SettingError, match="finite number above 0"):
        Calibration(temperature=temperature, fitted_on=1)


def chances_and_labels(chances: list[float], right: list[int]) -> tuple[Logits, Labels]:
    probs = np.zeros((len(chances), 10))
    probs[:, 0] = chances
    probs[:, 1] = 1 - probs[:, 0]
    return probs, np.where(right, 0, 9)


def test_calibration_error_is_what_the_definition_gives() -> None:
    probs, labels = chances_and_labels([0.95, 0.9, 0.55, 0.6], [1, 0, 1, 1])
    # Two bins of width: (0.5, 1] holds all. Ten: 0.9 and 0.6 are on upper edges of theirs.
    assert expected_calibration_error(probs, labels, bins=2) == pytest.approx(0.0)
    by_ten = (0.05 + 0.9 + abs(0.55 + 0.6 - 2)) / 4
    assert expected_calibration_error(probs, labels, bins=10) == pytest.approx(by_ten)
    by_mass = (abs(0.95 + 0.9 - 1) + abs(0.55 + 0.6 - 2)) / 4
    assert expected_calibration_error(probs, labels, bins=2, equal="mass") == pytest.approx(by_mass)


@untimed
@given(st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1), st.integers(1, 30))
def test_calibration_error_of_one_bin_is_least_and_order_does_not_matter(
    answers: list[tuple[float, bool]], bins: int
) -> None:
    probs, labels = chances_and_labels(*map(list, zip(*answers, strict=True)))
    overall = abs(probs.max(axis=1).mean() - (probs.argmax(axis=1) == labels).mean())
    for equal in ("width", "mass"):
        error = expected_calibration_error(probs, labels, bins, equal=equal)
        assert overall - 1e-12 <= error <= 1
        backwards = expected_calibration_error(probs[::-1], labels[::-1], bins, equal=equal)
        assert error == pytest.approx(backwards)


def test_scores_are_those_of_their_papers() -> None:
    logits, _ = draw_answers(4, 50, 2.0)
    calibration = Calibration(temperature=2.0, fitted_on=1)
    scores = {name: score(logits, calibration) for name, score in SCORES.items()}
    ordered = np.sort(logits, axis=1)
    assert scores["energy"] == pytest.approx(2 * logsumexp(logits / 2, axis=1))
    assert scores["logit"] == pytest.approx(ordered[:, -1])
    assert scores["margin"] == pytest.approx((ordered[:, -1] - ordered[:, -2]) / 2)
    assert scores["probability"] == pytest.approx(softmax_probs(logits / 2).max(axis=1))


def test_a_temperature_leaves_the_order_of_margins() -> None:
    """Which is why a promise may rest on the digits that the temperature was fitted on."""
    logits, _ = draw_answers(6, 500, 1.0)
    orders = {
        name: [
            score(logits, Calibration(temperature=temperature, fitted_on=1)).argsort().tolist()
            for temperature in (0.5, 2.0)
        ]
        for name, score in SCORES.items()
    }
    assert orders["margin"][0] == orders["margin"][1]
    assert orders["probability"][0] != orders["probability"][1]
