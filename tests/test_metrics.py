import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest  # type: ignore[import-untyped]
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from tendigits.errors import DataFormatError, WeightsError
from tendigits.evaluation.metrics import (
    Evaluation,
    error_interval,
    evaluate_logits,
    softmax_probs,
    worst_mistakes,
)

Logits = NDArray[np.float32]
Labels = NDArray[np.uint8]


@pytest.fixture
def answers() -> tuple[Logits, Labels]:
    """700 answers, most of them right."""
    random = np.random.default_rng(5)
    labels = random.integers(10, size=700).astype(np.uint8)
    logits = random.normal(size=(700, 10)).astype(np.float32)
    logits[np.arange(700), labels] += 2
    return logits, labels


def test_figures_are_those_of_scikit_learn(answers: tuple[Logits, Labels]) -> None:
    logits, labels = answers
    predictions = logits.argmax(axis=1)
    measured = evaluate_logits(logits, labels)

    precision, recall, _, support = precision_recall_fscore_support(labels, predictions)
    assert measured.confusion.tolist() == confusion_matrix(labels, predictions).tolist()
    assert [figures.precision for figures in measured.per_class] == pytest.approx(precision)
    assert [figures.recall for figures in measured.per_class] == pytest.approx(recall)
    assert [figures.support for figures in measured.per_class] == support.tolist()
    assert measured.loss == pytest.approx(log_loss(labels, softmax_probs(logits)), rel=1e-9)
    assert measured.accuracy == pytest.approx((labels == predictions).mean())
    assert measured.errors == (labels != predictions).sum()
    assert measured.errors_per_10_000 == pytest.approx(10_000 * measured.errors / 700)
    assert measured.count == 700


def test_loss_is_torchs_cross_entropy(answers: tuple[Logits, Labels]) -> None:
    logits, labels = (torch.from_numpy(array) for array in answers)
    expected = torch.nn.functional.cross_entropy(logits.double(), labels.long())
    assert evaluate_logits(*answers).loss == pytest.approx(expected.item(), rel=1e-12)


def test_huge_logits_have_a_finite_loss() -> None:
    logits = np.full((1, 10), -1e30, np.float32)
    logits[0, 3] = 1e30
    assert evaluate_logits(logits, np.array([3])).loss == 0
    assert evaluate_logits(logits, np.array([4])).loss == pytest.approx(2e30)
    assert softmax_probs(logits)[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


def test_a_class_without_answers_or_pictures_has_no_share() -> None:
    measured = evaluate_logits(np.eye(10)[[0, 0, 1]], np.array([0, 2, 1]))
    zero, one, two, three = measured.per_class[:4]
    assert (zero.precision, zero.recall) == (0.5, 1)
    assert (one.precision, one.recall) == (1, 1)
    assert (two.precision, two.recall, two.support) == (None, 0, 1)
    assert (three.precision, three.recall, three.support) == (None, None, 0)


def test_figures_are_json(answers: tuple[Logits, Labels]) -> None:
    measured = evaluate_logits(*answers)
    figures = json.loads(json.dumps(measured.to_dict(), allow_nan=False))
    assert figures == measured.to_dict()
    assert figures["confusion"] == measured.confusion.tolist()
    assert figures["error_interval"] == list(measured.error_interval)
    assert figures["per_class"][7] == {
        "label": 7,
        "precision": measured.per_class[7].precision,
        "recall": measured.per_class[7].recall,
        "support": measured.per_class[7].support,
    }


@settings(deadline=None)
@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_that_of_scipy(trial: tuple[int, int]) -> None:
    expected = binomtest(*trial).proportion_ci(method="exact")
    assert error_interval(*trial) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_interval_of_the_extremes() -> None:
    assert error_interval(0, 10_000) == pytest.approx((0, 1 - 0.025 ** (1 / 10_000)))
    assert error_interval(10_000, 10_000) == pytest.approx((0.025 ** (1 / 10_000), 1))
    wide, narrow = error_interval(90, 10_000, level=0.99), error_interval(90, 10_000, level=0.9)
    assert wide[0] < narrow[0] < 0.009 < narrow[1] < wide[1]


def test_worst_mistakes_are_the_surest(answers: tuple[Logits, Labels]) -> None:
    logits, labels = answers
    probs = softmax_probs(logits)
    wrong = [i for i in range(700) if probs[i].argmax() != labels[i]]
    expected = sorted(wrong, key=lambda i: -probs[i].max())
    assert worst_mistakes(logits, labels, 7).tolist() == expected[:7]
    assert worst_mistakes(logits, labels, 1_000).tolist() == expected


def test_no_mistakes_are_no_indices() -> None:
    assert worst_mistakes(np.eye(10), np.arange(10), 5).tolist() == []


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.empty((0, 10)), np.empty(0, int), "no pictures"),
        (np.zeros((3, 9)), np.zeros(3, int), r"shape \(3, 9\): expected \(3, 10\)"),
        (np.zeros((2, 10)), np.array([0, 10]), "labels go from 0 to 10"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    logits: NDArray[np.float64], labels: NDArray[np.int64], message: str
) -> None:
    with pytest.raises(DataFormatError, match=message):
        evaluate_logits(logits, labels)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answers_that_are_not_finite_are_refused(value: float) -> None:
    logits = np.zeros((5, 10), np.float32)
    logits[2, 4] = value
    with pytest.raises(WeightsError, match="1 of 5 pictures are not finite"):
        evaluate_logits(logits, np.zeros(5, int))


def test_an_evaluation_cannot_be_changed(answers: tuple[Logits, Labels]) -> None:
    measured: Evaluation = evaluate_logits(*answers)
    with pytest.raises(AttributeError):
        measured.loss = 0.0  # type: ignore[misc]
