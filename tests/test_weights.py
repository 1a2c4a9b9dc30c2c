"""Model files: they come back the same; none, or one of another hand, is refused in one line."""

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from model_files import INFO, rewrite
from tendigits.errors import WeightsError
from tendigits.evaluation.confidence import Calibration
from tendigits.models import CnnConfig, MlpConfig, build_model, channels_last
from tendigits.weights import FORMAT, ModelInfo, load_model, save_model


def test_a_model_comes_back_from_its_own_file_alone(tmp_path: Path) -> None:
    config = CnnConfig(channels=(4, 8), mean=0.1307, std=0.3081)
    model = channels_last(build_model(config)).eval()
    path = tmp_path / "model.safetensors"
    save_model(path, model, config, INFO)
    loaded = load_model(path)
    images = torch.rand(5, 1, 28, 28)
    assert (loaded.config, loaded.info) == (config, INFO)
    torch.testing.assert_close(loaded.model(images), model(images))
    assert load_model(tmp_path).info == INFO  # a run folder names its model


def test_the_same_weights_make_the_same_bytes(tmp_path: Path) -> None:
    model = build_model(MlpConfig())
    for name in ("a", "b"):
        save_model(tmp_path / name, model, MlpConfig(), INFO)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no model at"):
        load_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize("seen", [True, False], ids=["file", "folder"])
def test_what_may_not_be_read_is_not_called_missing(
    mlp_file: Path, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    if not seen:
        monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(WeightsError, match=r"cannot be read \(Permission denied\): expected a"):
        load_model(mlp_file)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(tmp_path)
    with pytest.raises(WeightsError, match="there is no model at"):
        load_model(tmp_path / "model.safetensors")


def test_a_file_of_another_version_or_hand_is_refused(mlp_file: Path) -> None:
    tensors = safetensors.torch.load_file(mlp_file)
    rewrite(mlp_file, format=99)
    with pytest.raises(WeightsError, match="has model format 99"):
        load_model(mlp_file)
    rewrite(mlp_file, format=FORMAT, config={"architecture": "rnn"})
    with pytest.raises(WeightsError, match="there is no architecture 'rnn'"):
        load_model(mlp_file)
    safetensors.torch.save_file(tensors, mlp_file)
    with pytest.raises(WeightsError, match="not written by tendigits"):
        load_model(mlp_file)


def test_a_calibration_is_saved_with_the_weights(tmp_path: Path) -> None:
    config = MlpConfig(hidden=(4,))
    info = ModelInfo(recipe="mlp", seed=1, data="mnist", train_fingerprint="ab")
    calibration = Calibration(temperature=0.5, fitted_on=100)
    save_model(tmp_path / "a.safetensors", build_model(config), config, info, calibration)
    assert load_model(tmp_path / "a.safetensors").calibration == calibration
    save_model(tmp_path / "b.safetensors", build_model(config), config, info)
    assert load_model(tmp_path / "b.safetensors").calibration is None
