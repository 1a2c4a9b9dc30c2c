"""Ensembles: the mean of probabilities, saved and read back, and what may not be combined."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.ensemble import make_groups, together
from torch.nn import functional

from tendigits.combine import combine_models
from tendigits.data import DigitSet
from tendigits.errors import SettingError
from tendigits.models import (
    CompactConfig,
    Ensemble,
    EnsembleConfig,
    ModelConfig,
    VggConfig,
    build_model,
)
from tendigits.weights import ModelInfo, load_model, save_model

CONFIGS: tuple[ModelConfig, ...] = (
    CompactConfig(channels=(4, 8, 8)),
    VggConfig(stages=((4,), (8, 8))),
)
INFO = ModelInfo(recipe="best", seed=0, data="mnist", train_fingerprint="ab", hold_out=5000)


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    torch.manual_seed(0)
    paths = [tmp_path / f"{number}.safetensors" for number in range(len(CONFIGS))]
    for path, config in zip(paths, CONFIGS, strict=True):
        save_model(path, build_model(config), config, INFO)
    return paths


def test_an_ensemble_answers_with_the_mean_probability(models: list[Path], tmp_path: Path) -> None:
    out = combine_models(models, tmp_path / "both.safetensors")
    ensemble = load_model(out)
    assert ensemble.config == EnsembleConfig(members=CONFIGS)
    assert ensemble.info == replace(INFO, recipe="ensemble")
    images = torch.rand(5, 1, 28, 28)
    with torch.inference_mode():
        logits = [load_model(path).model(images) for path in models]
        mean = torch.stack([one.softmax(1) for one in logits]).mean(0)
        found = ensemble.model(images)
    assert torch.allclose(found.softmax(1), mean, atol=1e-6)
    assert torch.allclose(found.exp().sum(1), torch.tensor(1.0), atol=1e-5)
    halves = [one.numpy().astype(np.float16) for one in logits]
    assert np.allclose(together(halves), found.numpy(), atol=0.01)


def test_what_cannot_be_calibrated_is_combined_and_said(
    models: list[Path], tmp_path: Path, mnist: DigitSet
) -> None:
    info = replace(INFO, train_fingerprint=mnist.train.fingerprint(), hold_out=4)
    for path in models:
        loaded = load_model(path)
        save_model(path, loaded.model, loaded.config, info)
    notes: list[str] = []
    both = combine_models(models, tmp_path / "both.safetensors", notes.append)
    assert load_model(both).calibration is None
    assert notes[0].startswith("the model is not calibrated: ")


def test_in_training_each_picture_is_shown_to_one_member_in_turn() -> None:
    torch.manual_seed(0)
    ensemble = build_model(EnsembleConfig(members=(CONFIGS[1], CONFIGS[1], CONFIGS[0])))
    assert isinstance(ensemble, Ensemble)
    images = torch.rand(8, 1, 28, 28)  # dealt 3, 3 and 2
    expected = [member(images[place::3]) for place, member in enumerate(ensemble.members)]
    logits = ensemble(images)
    assert all(torch.equal(logits[place::3], own) for place, own in enumerate(expected))
    functional.cross_entropy(logits[1::3], torch.zeros(3, dtype=torch.int64)).backward()
    taught = [
        any(weight.grad is not None and bool(weight.grad.any()) for weight in member.parameters())
        for member in ensemble.members
    ]
    assert taught == [False, True, False]


def test_models_of_other_training_pictures_are_not_combined(
    models: list[Path], tmp_path: Path
) -> None:
    save_model(models[1], build_model(CONFIGS[1]), CONFIGS[1], replace(INFO, hold_out=0))
    with pytest.raises(SettingError, match="not trained on the same pictures"):
        combine_models(models, tmp_path / "both.safetensors")


def test_one_model_is_no_ensemble_and_other_names_are_refused(
    models: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="expected at least 2"):
        combine_models(models[:1], tmp_path / "one.safetensors")
    with pytest.raises(SettingError, match=r"ends in \.safetensors"):
        combine_models(models, tmp_path / "both.onnx")


def test_groups_of_trainings_are_disjoint() -> None:
    assert make_groups({"best": [0, 1, 2, 4], "small": [0, 2, 3]}, 3) == [
        [("best", 0), ("small", 0)],
        [("best", 2), ("small", 2)],
    ]
    assert make_groups({"member": [0, 1, 2, 5, 6]}, 2) == [
        [("member", 0), ("member", 1)],
        [("member", 2), ("member", 5)],
    ]
