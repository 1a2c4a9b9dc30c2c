"""Exported models, run by ONNX Runtime and held against torch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tendigits import export
from tendigits.data import DigitSet
from tendigits.errors import SettingError, WeightsError
from tendigits.evaluation.predict import predict_logits
from tendigits.export import export_int8, export_model, export_onnx, run_onnx
from tendigits.models import CnnConfig, MlpConfig, build_model
from tendigits.training.batches import Batches
from tendigits.training.examples import Examples
from tendigits.training.loop import train_steps
from tendigits.training.recipe import changed
from tendigits.training.recipes import recipe_named
from tendigits.training.state import TrainingState
from tendigits.weights import ModelInfo, save_model


@pytest.fixture(scope="module")
def network(few_digits: DigitSet) -> torch.nn.Module:
    """A small CNN that has learned something."""
    recipe = changed(
        recipe_named("article-cnn"), model=CnnConfig(channels=(8, 16), mean=0.13, std=0.3)
    )
    state = TrainingState(recipe, seed=0)
    batches = Batches(few_digits.train, batch_size=recipe.batch_size, seed=0)
    examples = Examples(recipe, few_digits.train)
    train_steps(state, batches, recipe, 180, examples)  # 0.90 of the test digits are read right
    return state.model


def test_the_exported_network_gives_the_same_logits(
    network: torch.nn.Module, few_digits: DigitSet, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(network, path, few_digits.train.images)
    expected = predict_logits(network, few_digits.test.images)
    found = run_onnx(path, few_digits.test.images)
    assert np.abs(found - expected).max() < 1e-4
    assert (found.argmax(1) == expected.argmax(1)).all()
    assert run_onnx(path, few_digits.test.images[:1]).shape == (1, 10)


def test_int8_answers_as_well_in_a_smaller_file(
    network: torch.nn.Module, few_digits: DigitSet, tmp_path: Path
) -> None:
    exact, small = tmp_path / "model.onnx", tmp_path / "int8.onnx"
    export_onnx(network, exact, few_digits.train.images)
    export_int8(exact, small, few_digits.train.images)
    right = [
        (run_onnx(path, few_digits.test.images).argmax(1) == few_digits.test.labels).mean()
        for path in (exact, small)
    ]
    assert right[0] > 0.85
    assert right[1] > right[0] - 0.01
    assert small.stat().st_size < exact.stat().st_size / 2


def test_an_export_that_is_not_the_same_network_is_not_written(
    network: torch.nn.Module,
    few_digits: DigitSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "run_onnx", lambda path, images: np.full((len(images), 10), np.nan))
    with pytest.raises(WeightsError, match="the exported logits differ"):
        export_onnx(network, tmp_path / "model.onnx", few_digits.train.images)
    assert not list(tmp_path.iterdir())


def test_a_model_file_is_exported_beside_itself(tmp_path: Path) -> None:
    info = ModelInfo(recipe="article-mlp", seed=0, data="mnist", train_fingerprint="")
    config = MlpConfig(hidden=(16,))
    save_model(tmp_path / "model.safetensors", build_model(config), config, info)
    assert export_model(tmp_path) == tmp_path / "model.onnx"
    assert run_onnx(tmp_path / "model.onnx", np.zeros((2, 28, 28), np.uint8)).shape == (2, 10)


def test_another_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"model.ort cannot be .*: expected .* ends in .onnx"):
        export_model(tmp_path / "none", out=tmp_path / "model.ort")
