"""A model file whose description is odd or out of bounds is refused in one line."""

import warnings
from pathlib import Path

import pytest
import safetensors.torch

from model_files import INFO, rewrite
from tendigits.errors import WeightsError
from tendigits.models import CompactConfig, MlpConfig, build_model
from tendigits.weights import FORMAT, load_model, save_model


@pytest.mark.parametrize(
    "config",
    [
        ["a"],
        5,
        {"architecture": ["mlp"]},
        {"architecture": "compact", "channels": [1, 2]},
        {"architecture": "compact", "channels": 3},
        {"architecture": "mlp", "hidden": ["wide"]},
        {"architecture": "mlp", "mean": "dark"},
    ],
    ids=str,
)
def test_an_odd_description_is_refused_in_one_line(mlp_file: Path, config: object) -> None:
    rewrite(mlp_file, config=config)
    with pytest.raises(WeightsError, match="does not fit the network that it names") as caught:
        load_model(mlp_file)
    assert len(str(caught.value).splitlines()) == 1


def test_the_sha256_covers_the_description(mlp_file: Path) -> None:
    info = {"recipe": 5, "seed": "<b>", "data": "mnist", "train_fingerprint": "00"}
    rewrite(mlp_file, honest=False, info=info)
    with pytest.raises(WeightsError, match="is damaged"):
        load_model(mlp_file)


@pytest.mark.parametrize(
    "config",
    [
        {"architecture": "mlp", "hidden": [10**30]},
        {"architecture": "mlp", "hidden": [10**8]},  # 314 GB of weights
        {"architecture": "mlp", "hidden": [-8]},
        {"architecture": "mlp", "hidden": [0]},
        {"architecture": "mlp", "mean": float("inf")},
        {"architecture": "mlp", "std": float("nan")},
        {"architecture": "mlp", "std": 10**400},
        {"architecture": "compact", "margin": 20},
    ],
    ids=str,
)
def test_settings_out_of_bounds_are_refused_before_they_cost_anything(
    mlp_file: Path, config: object
) -> None:
    rewrite(mlp_file, config=config)
    with pytest.raises(WeightsError, match="does not fit the network that it names") as caught:
        load_model(mlp_file)
    assert len(str(caught.value).splitlines()) == 1


def test_a_margin_that_leaves_no_picture_is_refused(tmp_path: Path) -> None:
    path, config = tmp_path / "model.safetensors", CompactConfig(margin=13)
    save_model(path, build_model(config), config, INFO)
    with pytest.raises(WeightsError, match="does not fit the network that it names"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")  # when it is written
def test_a_layer_of_no_units_is_refused_without_a_warning(tmp_path: Path) -> None:
    path, config = tmp_path / "model.safetensors", MlpConfig(hidden=(0,))
    save_model(path, build_model(config), config, INFO)
    with (
        warnings.catch_warnings(action="error"),
        pytest.raises(WeightsError, match=r"tensor 'layers\.0\.bias' is empty"),
    ):
        load_model(path)


@pytest.mark.parametrize(
    "info",
    [
        None,
        [],
        {"recipe": "a"},
        {"recipe": 5, "seed": 3, "data": "mnist", "train_fingerprint": "00"},
        {"recipe": "a", "seed": "<b>", "data": "mnist", "train_fingerprint": "00"},
        {"recipe": "a", "seed": 3, "data": None, "train_fingerprint": "00"},
    ],
    ids=str,
)
def test_an_odd_origin_is_refused(mlp_file: Path, info: object) -> None:
    rewrite(mlp_file, info=info)
    with pytest.raises(WeightsError, match="does not fit the network that it names"):
        load_model(mlp_file)


@pytest.mark.parametrize("depth", [500, 5_000, 1_000_000])
def test_a_description_nested_without_end_is_refused(mlp_file: Path, depth: int) -> None:
    tensors = safetensors.torch.load_file(mlp_file)
    nested = f'{{"format": {FORMAT}, "config": {"[" * depth}{"]" * depth}}}'
    mlp_file.write_bytes(safetensors.torch.save(tensors, {"tendigits": nested}))
    with pytest.raises(WeightsError) as caught:
        load_model(mlp_file)
    assert len(str(caught.value).splitlines()) == 1
