import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tendigits.data.digits import Digits, DigitSet
from tendigits.errors import UnknownNameError, WeightsError
from tendigits.evaluation.confidence import Calibration
from tendigits.evaluation.measure import (
    Accepted,
    Answers,
    answer,
    part_named,
    part_to_measure,
    spread,
)
from tendigits.evaluation.predict import predict_logits
from tendigits.models import Cnn, CnnConfig, Mlp, MlpConfig
from tendigits.weights import ModelInfo, save_model

ELSEWHERE = ModelInfo(recipe="mine", seed=3, data="other", train_fingerprint="0" * 64)


def random_digits(count: int, seed: int = 0) -> Digits:
    random = np.random.default_rng(seed)
    return Digits(
        images=random.integers(256, size=(count, 28, 28), dtype=np.uint8),
        labels=random.integers(10, size=count, dtype=np.uint8),
    )


@pytest.fixture
def digit_set() -> DigitSet:
    return DigitSet(name="mine", train=random_digits(25), test=random_digits(5, seed=1))


@pytest.fixture
def cnn() -> Cnn:
    torch.manual_seed(0)
    return Cnn(CnnConfig(channels=(4, 8), hidden=16))


def test_logits_are_those_of_the_network(cnn: Cnn) -> None:
    images = random_digits(23).images
    with torch.no_grad():
        expected = cnn(torch.tensor(images)[:, None] / 255).numpy()
    for batch_size in (1, 10, 23, 1_000):
        logits = predict_logits(cnn, images, batch_size=batch_size)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_no_pictures_have_no_logits(cnn: Cnn) -> None:
    assert predict_logits(cnn, random_digits(0).images).shape == (0, 10)


def test_pictures_need_not_be_writable_or_contiguous(cnn: Cnn) -> None:
    images = random_digits(8).images
    images.flags.writeable = False
    upside_down: NDArray[np.uint8] = images[:, ::-1]
    expected = predict_logits(cnn, upside_down.copy())
    np.testing.assert_array_equal(predict_logits(cnn, upside_down), expected)


class Watchful(nn.Module):
    """Remembers what it is given, and in which mode."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen, self.dropout, self.linear = nn.Dropout(), nn.Dropout(), nn.Linear(784, 10)
        self.frozen.eval()
        self.batches: list[Tensor] = []
        self.modes: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        self.batches.append(images)
        self.modes.append(self.dropout.training or torch.is_grad_enabled())
        logits: Tensor = self.linear(images.flatten(1))
        return logits


def test_batches_are_small_and_in_range_and_need_no_gradients() -> None:
    model = Watchful()
    predict_logits(model, random_digits(25).images, batch_size=10)
    assert [tuple(batch.shape) for batch in model.batches] == [
        (10, 1, 28, 28),
        (10, 1, 28, 28),
        (5, 1, 28, 28),
    ]
    assert {batch.dtype for batch in model.batches} == {torch.float32}
    assert all(batch.min() >= 0 and batch.max() == 1 for batch in model.batches)
    assert model.modes == [False, False, False]


def test_each_module_gets_its_mode_back() -> None:
    model = Watchful()
    predict_logits(model, random_digits(2).images)
    assert model.training
    assert model.dropout.training
    assert not model.frozen.training
    model.eval()
    predict_logits(model, random_digits(2).images)
    assert not any(module.training for module in model.modules())


def test_memory_format_is_kept(cnn: Cnn) -> None:
    images = random_digits(4).images
    expected = predict_logits(cnn, images)
    changed = cnn.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    np.testing.assert_allclose(predict_logits(changed, images), expected, atol=1e-6)
    assert changed.features[3].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_part_is_what_its_name_says(digit_set: DigitSet) -> None:
    assert part_named(digit_set, "train") is digit_set.train
    assert part_named(digit_set, "test") is digit_set.test
    assert part_named(digit_set, "all").fingerprint() == digit_set.all().fingerprint()


def test_the_test_part_is_measured_where_the_source_has_one(digit_set: DigitSet) -> None:
    assert part_to_measure(digit_set, ELSEWHERE) == "test"


def test_a_set_without_test_part_is_measured_whole(digit_set: DigitSet) -> None:
    assert part_to_measure(replace(digit_set, divided_here=True), ELSEWHERE) == "all"


def test_pictures_that_were_trained_on_are_not_measured(digit_set: DigitSet) -> None:
    divided = replace(digit_set, divided_here=True)
    same_pictures = replace(ELSEWHERE, train_fingerprint=divided.train.fingerprint())
    assert part_to_measure(divided, same_pictures) == "test"
    grown_since = replace(ELSEWHERE, data=divided.name)
    assert part_to_measure(divided, grown_since) == "test"


def test_the_first_pictures_are_shown_unless_they_come_class_by_class() -> None:
    digits = random_digits(40)
    assert spread(digits, 5).tolist() == [0, 1, 2, 3, 4]
    assert spread(digits, 100).tolist() == list(range(40))
    by_class = digits.take(np.argsort(digits.labels, kind="stable"))
    assert spread(by_class, 5).tolist() == [0, 9, 19, 29, 39]
    assert spread(by_class, 100).tolist() == list(range(40))


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = MlpConfig(hidden=(16,))
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    save_model(path, Mlp(config), config, ELSEWHERE)
    return path


def test_a_file_answers_the_mnist_test_set(model_file: Path, mnist: DigitSet) -> None:
    answers = answer(model_file.parent, device="cpu")
    assert (answers.data, answers.part, answers.trained_on) == ("mnist", "test", False)
    assert answers.digits.fingerprint() == mnist.test.fingerprint()
    figures = json.loads(json.dumps(answers.to_dict(), allow_nan=False))
    assert figures["count"] == 10_000
    assert figures["part"] == "test"
    assert figures["accuracy"] == answers.evaluate().accuracy


def test_a_limited_answer_is_the_beginning_of_the_whole(model_file: Path) -> None:
    few = answer(model_file, limit=5, device="cpu")
    assert few.digits.labels.tolist() == [7, 2, 1, 0, 4]
    assert few.logits.shape == (5, 10)


def test_an_unknown_part_is_refused(model_file: Path) -> None:
    with pytest.raises(UnknownNameError, match="no part 'tset': did you mean 'test'"):
        answer(model_file, part="tset")


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no model at"):
        answer(tmp_path / "none.safetensors", device="cpu")


def test_blank_pictures_are_rejected_by_a_calibrated_model() -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    answers = Answers(
        info=ModelInfo(recipe="any", seed=0, data="any", train_fingerprint=""),
        data="blank",
        classes=tuple("0123456789"),
        part="test",
        trained_on=False,
        digits=Digits(images=images, labels=np.array([1, 7, 1], np.uint8)),
        logits=np.array([[0.0] * 10, [0.1] + [0.0] * 9, [0.0, 9.0] + [0.0] * 8], np.float32),
        calibration=Calibration(temperature=0.5, fitted_on=10, threshold=0.9),
    )
    assert answers.accepted() == Accepted(threshold=0.9, count=1, errors=0)
    assert answers.to_dict()["accepted"] == {"threshold": 0.9, "count": 1, "errors": 0}
    assert replace(answers, calibration=None).accepted() is None
