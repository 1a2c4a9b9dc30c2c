import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import beta, binom  # type: ignore[import-untyped]

from tendigits.errors import DataFormatError, SettingError
from tendigits.evaluation.reject import (
    fewest_accepted,
    reject_curve,
    risk_at_reject,
    threshold_for,
)

untimed = settings(deadline=None, max_examples=50)

Answers = tuple[NDArray[np.float64], NDArray[np.bool_]]

ANSWERS = st.lists(  # few different confidences, so that many are equal
    st.tuples(st.integers(-3, 3).map(float), st.booleans()), min_size=1
).map(lambda rows: (np.array([row[0] for row in rows]), np.array([row[1] for row in rows])))


def accept(answers: Answers, threshold: float) -> tuple[int, int]:
    """Accepted answers and mistakes among them, counted in the plainest way."""
    accepted = [
        right for confidence, right in zip(*answers, strict=True) if confidence >= threshold
    ]
    return len(accepted), accepted.count(False)


@untimed
@given(ANSWERS)
def test_the_curve_is_what_each_threshold_accepts(answers: Answers) -> None:
    curve = reject_curve(*answers)
    assert curve.thresholds.tolist() == sorted(set(answers[0].tolist()), reverse=True)
    found = list(zip(curve.accepted.tolist(), curve.errors.tolist(), strict=True))
    assert found == [accept(answers, threshold) for threshold in curve.thresholds]
    assert curve.accepted[-1] == curve.count
    assert curve.errors[-1] == (~answers[1]).sum()


@untimed
@given(ANSWERS, st.floats(0, 0.99))
def test_no_more_is_rejected_than_asked_for_and_no_less_than_can_be(
    answers: Answers, share: float
) -> None:
    risk = risk_at_reject(*answers, share)
    count = len(answers[0])
    assert (risk.accepted, risk.errors) == accept(answers, risk.threshold)
    assert count - risk.accepted <= share * count + 1e-6
    for threshold in set(answers[0].tolist()):
        if threshold > risk.threshold:
            assert count - accept(answers, threshold)[0] > share * count
    assert risk.error_rate == risk.errors / risk.accepted
    assert risk.rejected_share == pytest.approx(1 - risk.accepted / count)


def test_shares_that_floating_point_misses_are_met() -> None:
    confidences = np.arange(100.0)
    assert risk_at_reject(confidences, np.ones(100, bool), 0.29).accepted == 71


def test_the_interval_is_clopper_and_pearsons() -> None:
    correct = np.ones(1_000, bool)
    correct[[3, 500, 501]] = False
    risk = risk_at_reject(np.arange(1_000.0), correct, 0.01)
    assert (risk.accepted, risk.errors) == (990, 2)
    expected = beta.ppf(0.025, 2, 989), beta.ppf(0.975, 3, 988)
    assert risk.interval == pytest.approx(expected, rel=1e-9)
    assert json.loads(json.dumps(risk.to_dict()))["interval"] == list(risk.interval)


@untimed
@given(st.integers(0, 40), st.floats(0.001, 0.5), st.floats(0.5, 0.999))
def test_so_many_prove_it_and_one_less_does_not(errors: int, error: float, level: float) -> None:
    fewest = fewest_accepted(errors, error, level)
    assert binom.cdf(errors, fewest, error) <= (1 - level) * (1 + 1e-6)
    assert fewest == errors + 1 or binom.cdf(errors, fewest - 1, error) > (1 - level) * (1 - 1e-6)


@untimed
@given(st.integers(0, 10_000), st.floats(0.01, 0.3), st.sampled_from([0.5, 0.9, 0.95]))
def test_a_promise_rests_on_its_figures_and_is_the_lowest(
    seed: int, error: float, level: float
) -> None:
    """Against the walk done in the plainest way, by scipy's bound."""
    random = np.random.default_rng(seed)
    confidences = random.integers(0, 200, 400) / 200
    correct = random.random(400) > 0.4 * (1 - confidences) ** 2
    least = max(200, fewest_accepted(0, error, level))
    thresholds = sorted(set(confidences.tolist()), reverse=True)
    counts = np.array([accept((confidences, correct), threshold) for threshold in thresholds])
    accepted, errors = counts.T
    bounds = beta.ppf(level, errors + 1, np.maximum(accepted - errors, 1e-9))
    lowest = None
    for threshold, count, bound in zip(thresholds, accepted, bounds, strict=True):
        if count >= least and bound > error:
            break
        if count >= least:
            lowest = threshold
    if lowest is None:
        with pytest.raises(SettingError, match="hold out"):
            threshold_for(confidences, correct, error, level)
        return
    promise = threshold_for(confidences, correct, error, level)
    assert promise.threshold == lowest
    assert (promise.accepted, promise.errors) == accept((confidences, correct), lowest)
    assert promise.upper_bound == pytest.approx(bounds[thresholds.index(lowest)], rel=1e-9)
    assert promise.upper_bound <= error
    assert json.loads(json.dumps(promise.to_dict())) == promise.to_dict()


@pytest.mark.parametrize(("error", "level"), [(0.05, 0.9), (0.08, 0.8)])
def test_a_promise_is_broken_no_more_often_than_it_says(error: float, level: float) -> None:
    """2,000 held-out sets, with a risk that is known exactly.

    Confidences c are uniform in [0, 1] and wrong with the chance (1 - c)^2 / 2, so what is accepted
    from the threshold t on is wrong at the rate (1 - t)^2 / 6: a promise is broken below t* = 1 -
    sqrt(6 error).
    """
    random = np.random.default_rng(12)
    lowest = 1 - np.sqrt(6 * error)
    draws = 2_000
    broken = 0
    for _ in range(draws):
        confidences = random.random(500)
        correct = random.random(500) >= (1 - confidences) ** 2 / 2
        with contextlib.suppress(SettingError):  # which promises nothing
            broken += threshold_for(confidences, correct, error, level).threshold < lowest
    assert binom.cdf(broken, draws, 1 - level) < 0.999
    assert broken > 0.1 * (1 - level) * draws  # a rule that never came near would prove nothing


def test_to_try_every_threshold_instead_would_break_the_promise() -> None:
    """The reason for the order, where confidence says nothing and every threshold is too bad."""
    random = np.random.default_rng(5)
    error, level, draws = 0.05, 0.8, 500
    broken = broken_by_search = 0
    for _ in range(draws):
        answers = random.random(500), random.random(500) >= error + 1e-9
        curve = reject_curve(*answers)
        bounds = beta.ppf(level, curve.errors + 1, np.maximum(curve.accepted - curve.errors, 1e-9))
        broken_by_search += bool((bounds <= error).any())
        with contextlib.suppress(SettingError):  # which promises nothing
            broken += threshold_for(*answers, error, level).error == error
    assert binom.sf(broken_by_search, draws, 1 - level) < 1e-6
    assert broken > 0
    assert binom.cdf(broken, draws, 1 - level) < 0.999


def test_too_few_held_out_answers_say_how_many_it_takes() -> None:
    confidences, correct = np.arange(2_994.0), np.ones(2_994, bool)
    with pytest.raises(SettingError, match=r"2,994 held-out answers .* hold out at least 2,995"):
        threshold_for(confidences, correct)
    enough = threshold_for(np.arange(2_995.0), np.ones(2_995, bool))
    assert (enough.threshold, enough.accepted, enough.errors) == (0, 2_995, 0)


def test_too_many_mistakes_say_how_many_accepted_it_takes() -> None:
    correct = np.ones(5_000, bool)
    correct[-1] = False
    with pytest.raises(SettingError, match=r"1 of the 2,995 surest .* takes 4,742 accepted"):
        threshold_for(np.arange(5_000.0), correct)


@pytest.mark.parametrize(("error", "level"), [(0, 0.9), (1, 0.9), (0.1, 1), (0.1, 0.4)])
def test_what_cannot_be_promised_is_refused(error: float, level: float) -> None:
    with pytest.raises(SettingError, match="cannot promise"):
        threshold_for(np.zeros(3), np.ones(3, bool), error, level)


@pytest.mark.parametrize("share", [-0.1, 1.0, np.nan])
def test_a_share_that_cannot_be_rejected_is_refused(share: float) -> None:
    with pytest.raises(SettingError, match="cannot reject"):
        risk_at_reject(np.zeros(3), np.ones(3, bool), share)


@pytest.mark.parametrize(
    ("confidences", "correct", "message"),
    [
        (np.empty(0), np.empty(0, bool), r"shape \(0,\)"),
        (np.zeros(3), np.ones(2, bool), r"answers \(2,\)"),
        (np.array([0, np.nan]), np.ones(2, bool), "1 confidences are NaN"),
        (np.zeros(2), np.ones(2, int), "answers are int64"),
    ],
)
def test_what_is_no_list_of_answers_is_refused(
    confidences: NDArray[np.float64], correct: NDArray[np.bool_], message: str
) -> None:
    with pytest.raises(DataFormatError, match=message):
        reject_curve(confidences, correct)
