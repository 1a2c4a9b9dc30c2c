"""Model files: they come back the same, and anything wrong with them is refused in one line."""

import json
import pickle
import random
import struct
import warnings
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from tendigits.errors import WeightsError
from tendigits.evaluation.confidence import Calibration
from tendigits.models import CnnConfig, CompactConfig, MlpConfig, build_model, channels_last
from tendigits.weights import FORMAT, ModelInfo, load_model, model_sha256, save_model

INFO = ModelInfo(recipe="article-mlp", seed=3, data="mnist", train_fingerprint="00")


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_model(path, build_model(MlpConfig()), MlpConfig(), INFO)
    return path


def rewrite(
    path: Path,
    *,
    honest: bool = True,
    tensors: dict[str, torch.Tensor] | None = None,
    **changes: object,
) -> None:
    """Change a model file, and its sha256 as well if the writer is honest."""
    tensors = safetensors.torch.load_file(path) if tensors is None else tensors
    with safetensors.safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["tendigits"])
    stated = description.pop("sha256")
    description |= changes
    description["sha256"] = model_sha256(tensors, description) if honest else stated
    path.write_bytes(safetensors.torch.save(tensors, {"tendigits": json.dumps(description)}))


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
    model_file: Path, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    if not seen:
        monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(WeightsError, match=r"cannot be read \(Permission denied\): expected a"):
        load_model(model_file)


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
def test_an_odd_description_is_refused_in_one_line(model_file: Path, config: object) -> None:
    rewrite(model_file, config=config)
    with pytest.raises(WeightsError, match="does not fit the network that it names") as caught:
        load_model(model_file)
    assert len(str(caught.value).splitlines()) == 1


def test_the_sha256_covers_the_description(model_file: Path) -> None:
    info = {"recipe": 5, "seed": "<b>", "data": "mnist", "train_fingerprint": "00"}
    rewrite(model_file, honest=False, info=info)
    with pytest.raises(WeightsError, match="is damaged"):
        load_model(model_file)


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
    model_file: Path, config: object
) -> None:
    rewrite(model_file, config=config)
    with pytest.raises(WeightsError, match="does not fit the network that it names") as caught:
        load_model(model_file)
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
def test_an_odd_origin_is_refused(model_file: Path, info: object) -> None:
    rewrite(model_file, info=info)
    with pytest.raises(WeightsError, match="does not fit the network that it names"):
        load_model(model_file)


@pytest.mark.parametrize("depth", [500, 5_000, 1_000_000])
def test_a_description_nested_without_end_is_refused(model_file: Path, depth: int) -> None:
    tensors = safetensors.torch.load_file(model_file)
    nested = f'{{"format": {FORMAT}, "config": {"[" * depth}{"]" * depth}}}'
    model_file.write_bytes(safetensors.torch.save(tensors, {"tendigits": nested}))
    with pytest.raises(WeightsError) as caught:
        load_model(model_file)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("length", [0, 7, 100, 5_000, -1])
def test_a_truncated_file_is_refused(model_file: Path, length: int) -> None:
    model_file.write_bytes(model_file.read_bytes()[:length])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(model_file)


@pytest.mark.parametrize("place", [2_000, 500_000, -1])
def test_a_flipped_bit_is_refused(model_file: Path, place: int) -> None:
    content = bytearray(model_file.read_bytes())
    content[place] ^= 1
    model_file.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        load_model(model_file)


def stating(length: int) -> bytes:
    """Return a file that states the length of its header, and holds a small one."""
    return struct.pack("<Q", length) + b"{}"


@pytest.mark.parametrize("length", [0, 1, 3, 10**8, 2**40, 2**63, 2**64 - 1])
def test_a_header_of_another_length_than_stated_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(stating(length))
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(path)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(tmp_path)
    with pytest.raises(WeightsError, match="there is no model at"):
        load_model(tmp_path / "model.safetensors")


def mutate(content: bytes, place: random.Random) -> bytes:
    """Return a file with a few bytes changed, lost or added, mostly in its header."""
    changed = bytearray(content)
    header = 8 + int.from_bytes(content[:8], "little")
    at = place.randrange(header if place.random() < 0.8 else len(content))
    kind = place.randrange(4)
    if kind == 0:
        changed[at] ^= 1 << place.randrange(8)
    elif kind == 1:
        del changed[at : at + place.randrange(1, 40)]
    elif kind == 2:
        changed[at:at] = place.randbytes(place.randrange(1, 40))
    else:
        changed[at : at + 8] = place.randbytes(8)
    return bytes(changed)


def test_no_mutation_is_believed_or_escapes(tmp_path: Path) -> None:
    path, config = tmp_path / "model.safetensors", MlpConfig(hidden=(4,))
    save_model(path, build_model(config), config, INFO)
    content, place = path.read_bytes(), random.Random(0)
    for number in range(300):
        mutated = mutate(content, place)
        assert mutated != content
        path.write_bytes(mutated)
        with pytest.raises(WeightsError) as caught:
            load_model(path)
        assert len(str(caught.value).splitlines()) == 1, f"mutation {number}"


def test_a_renamed_pickle_is_refused_unopened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, ("raise SystemExit('the pickle ran')",))

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(path)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    model = build_model(MlpConfig())
    with torch.no_grad():
        next(model.parameters())[0, 0] = torch.nan
    path = tmp_path / "model.safetensors"
    save_model(path, model, MlpConfig(), INFO)
    with pytest.raises(WeightsError, match=r"layers\.0\.weight holds values that are not finite"):
        load_model(path)


@pytest.mark.parametrize("value", [torch.inf, -torch.inf])
def test_infinity_is_refused(model_file: Path, value: float) -> None:
    tensors = safetensors.torch.load_file(model_file)
    tensors["layers.4.bias"][9] = value
    rewrite(model_file, tensors=tensors)
    with pytest.raises(WeightsError, match=r"layers\.4\.bias holds values that are not finite"):
        load_model(model_file)


def test_finite_weights_with_infinite_answers_are_refused(model_file: Path) -> None:
    tensors = safetensors.torch.load_file(model_file)
    rewrite(model_file, tensors={**tensors, "normalise.std": torch.tensor(0.0)})
    with pytest.raises(WeightsError, match="does not answer a picture with ten finite numbers"):
        load_model(model_file)


@pytest.mark.parametrize(
    "kind", [torch.float16, torch.float64, torch.int32, torch.bool, torch.float8_e4m3fn], ids=str
)
def test_tensors_of_another_type_are_refused(model_file: Path, kind: torch.dtype) -> None:
    tensors = safetensors.torch.load_file(model_file)
    tensors["layers.0.weight"] = tensors["layers.0.weight"].to(kind)
    rewrite(model_file, tensors=tensors)
    with pytest.raises(WeightsError, match=r"'layers\.0\.weight' is .*, expected float32 \(256, "):
        load_model(model_file)


def test_tensors_too_many_or_too_few_are_refused(model_file: Path) -> None:
    whole = safetensors.torch.load_file(model_file)
    rewrite(model_file, tensors={**whole, "a\nb": torch.zeros(3)})
    with pytest.raises(WeightsError, match=r"tensor 'a\\nb' is float32 \(3,\), expected missing"):
        load_model(model_file)
    del whole["layers.2.bias"]
    rewrite(model_file, tensors=whole)
    with pytest.raises(WeightsError, match=r"'layers\.2\.bias' is missing, expected float32"):
        load_model(model_file)


def test_tensors_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, build_model(MlpConfig(hidden=(8,))), MlpConfig(), INFO)
    with pytest.raises(WeightsError, match="does not fit the network"):
        load_model(path)


def test_a_file_of_another_version_or_hand_is_refused(model_file: Path) -> None:
    tensors = safetensors.torch.load_file(model_file)
    rewrite(model_file, format=99)
    with pytest.raises(WeightsError, match="has model format 99"):
        load_model(model_file)
    rewrite(model_file, format=FORMAT, config={"architecture": "rnn"})
    with pytest.raises(WeightsError, match="there is no architecture 'rnn'"):
        load_model(model_file)
    safetensors.torch.save_file(tensors, model_file)
    with pytest.raises(WeightsError, match="not written by tendigits"):
        load_model(model_file)


def test_a_calibration_is_saved_with_the_weights(tmp_path: Path) -> None:
    config = MlpConfig(hidden=(4,))
    info = ModelInfo(recipe="mlp", seed=1, data="mnist", train_fingerprint="ab")
    calibration = Calibration(temperature=0.5, fitted_on=100)
    save_model(tmp_path / "a.safetensors", build_model(config), config, info, calibration)
    assert load_model(tmp_path / "a.safetensors").calibration == calibration
    save_model(tmp_path / "b.safetensors", build_model(config), config, info)
    assert load_model(tmp_path / "b.safetensors").calibration is None
