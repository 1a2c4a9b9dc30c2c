"""A model file whose bytes or tensors are not as they were written is refused in one line."""

import pickle
import random
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from model_files import INFO, rewrite
from tendigits.errors import WeightsError
from tendigits.models import MlpConfig, build_model
from tendigits.weights import load_model, save_model


@pytest.mark.parametrize("length", [0, 7, 100, 5_000, -1])
def test_a_truncated_file_is_refused(mlp_file: Path, length: int) -> None:
    mlp_file.write_bytes(mlp_file.read_bytes()[:length])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(mlp_file)


@pytest.mark.parametrize("place", [2_000, 500_000, -1])
def test_a_flipped_bit_is_refused(mlp_file: Path, place: int) -> None:
    content = bytearray(mlp_file.read_bytes())
    content[place] ^= 1
    mlp_file.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        load_model(mlp_file)


def stating(length: int) -> bytes:
    """Return a file that states the length of its header, and holds a small one."""
    return struct.pack("<Q", length) + b"{}"


@pytest.mark.parametrize("length", [0, 1, 3, 10**8, 2**40, 2**63, 2**64 - 1])
def test_a_header_of_another_length_than_stated_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(stating(length))
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(path)


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
def test_infinity_is_refused(mlp_file: Path, value: float) -> None:
    tensors = safetensors.torch.load_file(mlp_file)
    tensors["layers.4.bias"][9] = value
    rewrite(mlp_file, tensors=tensors)
    with pytest.raises(WeightsError, match=r"layers\.4\.bias holds values that are not finite"):
        load_model(mlp_file)


def test_finite_weights_with_infinite_answers_are_refused(mlp_file: Path) -> None:
    tensors = safetensors.torch.load_file(mlp_file)
    rewrite(mlp_file, tensors={**tensors, "normalise.std": torch.tensor(0.0)})
    with pytest.raises(WeightsError, match="does not answer a picture with ten finite numbers"):
        load_model(mlp_file)


@pytest.mark.parametrize(
    "kind", [torch.float16, torch.float64, torch.int32, torch.bool, torch.float8_e4m3fn], ids=str
)
def test_tensors_of_another_type_are_refused(mlp_file: Path, kind: torch.dtype) -> None:
    tensors = safetensors.torch.load_file(mlp_file)
    tensors["layers.0.weight"] = tensors["layers.0.weight"].to(kind)
    rewrite(mlp_file, tensors=tensors)
    with pytest.raises(WeightsError, match=r"'layers\.0\.weight' is .*, expected float32 \(256, "):
        load_model(mlp_file)


def test_tensors_too_many_or_too_few_are_refused(mlp_file: Path) -> None:
    whole = safetensors.torch.load_file(mlp_file)
    rewrite(mlp_file, tensors={**whole, "a\nb": torch.zeros(3)})
    with pytest.raises(WeightsError, match=r"tensor 'a\\nb' is float32 \(3,\), expected missing"):
        load_model(mlp_file)
    del whole["layers.2.bias"]
    rewrite(mlp_file, tensors=whole)
    with pytest.raises(WeightsError, match=r"'layers\.2\.bias' is missing, expected float32"):
        load_model(mlp_file)


def test_tensors_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, build_model(MlpConfig(hidden=(8,))), MlpConfig(), INFO)
    with pytest.raises(WeightsError, match="does not fit the network"):
        load_model(path)
