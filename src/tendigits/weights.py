"""Model files: weights as safetensors, with everything needed to build the network again.

A model file carries, beside the tensors, the settings of its network, the recipe and the seed that
made it, what it was trained on, how its answers become chances, and the sha256 of all that. It is
checked before it is used.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from tendigits.atomic import write_bytes
from tendigits.errors import UsageError, WeightsError
from tendigits.evaluation.confidence import Calibration
from tendigits.models import (
    ModelConfig,
    build_model,
    channels_last,
    config_from_dict,
    config_to_dict,
)
from tendigits.registry import locate

FORMAT = 2  # of the description that is saved beside the tensors
MODEL_FILE = "model.safetensors"  # in a run folder
# What comes of settings that make no network, or of tensors that are not its own.
UNFIT = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    UsageError,
)


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """Where the weights of a model come from.

    Attributes:
        recipe: Name of the recipe that trained it.
        seed: Its seed.
        data: Name of the set that it was trained on.
        train_fingerprint: sha256 of the training part of that set, with what was held out of it.
        hold_out: How many of its training pictures it never saw, as `Digits.hold_out` chooses them.
    """

    recipe: str
    seed: int
    data: str
    train_fingerprint: str
    hold_out: int = 0


class LoadedModel(NamedTuple):
    """A network with its weights, in evaluation mode on the CPU, and where they come from.

    The calibration is None where no pictures were held out to fit one by.
    """

    model: nn.Module
    config: ModelConfig
    info: ModelInfo
    calibration: Calibration | None


def save_model(
    path: Path,
    model: nn.Module,
    config: ModelConfig,
    info: ModelInfo,
    calibration: Calibration | None = None,
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: Where to; an older file of this name is replaced.
        model: The network.
        config: The settings that `build_model` made it from.
        info: Where its weights come from.
        calibration: How its answers become chances, fitted on pictures that it never saw.

    Raises:
        OSError: The file system refused.
    """
    tensors = {name: plain_tensor(tensor) for name, tensor in model.state_dict().items()}
    description = {
        "format": FORMAT,
        "config": config_to_dict(config),
        "info": asdict(info),
        "calibration": calibration and calibration.to_dict(),
    }
    description["sha256"] = model_sha256(tensors, description)
    write_bytes(path, safetensors.torch.save(tensors, {"tendigits": json.dumps(description)}))


def load_model(model: Path | str) -> LoadedModel:
    """Read a model file, the one in a run folder, or a shipped one, and build its network.

    Args:
        model: A ``.safetensors`` file that `save_model` wrote; a folder that holds
            ``model.safetensors``; or the name of a shipped model, such as ``"best"``.

    Raises:
        WeightsError: It is missing, unreadable, damaged, of another version, or its tensors do not
            fit its network or hold values that are not finite.
    """
    path = locate(model)
    if os.path.isdir(path):  # unlike `Path.is_dir`, False for what may not be seen
        path = path / MODEL_FILE
    tensors, description = _read(path)
    if description.get("format") != FORMAT:
        raise WeightsError(
            f"{path} has model format {description.get('format')!r}: this version of tendigits "
            f"reads format {FORMAT}; use the version that wrote it, or train again"
        )
    try:
        _check_sha256(path, tensors, description)
        json.dumps(description, allow_nan=False)  # JSON has no infinity, but Python reads one
        info = _read_info(description["info"])
        fitted = description.get("calibration")
        calibration = None if fitted is None else Calibration.from_dict(fitted)
        config = config_from_dict(description["config"])
        _check_fit(config, tensors)
        _check_finite(path, tensors)
        return LoadedModel(_build(config, tensors), config, info, calibration)
    except UNFIT as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"{path} does not fit the network that it names: {reason}") from error


def _check_sha256(path: Path, tensors: Mapping[str, Tensor], description: dict[str, Any]) -> None:
    """Take the sha256 off the description; an error unless it is that of the content."""
    if description.pop("sha256", None) != model_sha256(tensors, description):
        raise WeightsError(
            f"{path} is damaged: its content does not have the sha256 it states; copy it again"
        )


def _read_info(saved: Mapping[str, Any]) -> ModelInfo:
    """Return the info that is `saved`; a `TypeError` where it is something else."""
    info = ModelInfo(**saved)
    for name, kind in get_type_hints(ModelInfo).items():
        if type(getattr(info, name)) is not kind:
            raise TypeError(f"{name} is {getattr(info, name)!r}: expected {kind.__name__}")
    return info


def _check_fit(config: ModelConfig, tensors: Mapping[str, Tensor]) -> None:
    """Raise a `ValueError` unless `tensors` are those of the network that `config` describes."""
    # On the meta device a network has shapes and no values, so that settings which ask for more
    # memory than there is cost none.
    with torch.device("meta"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        expected = build_model(config).state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        found, wanted = (_describe(name, those) for those in (tensors, expected))
        if found != wanted:
            raise ValueError(f"tensor {name!r} is {found}, expected {wanted}")
        if tensors[name].numel() == 0:
            raise ValueError(f"tensor {name!r} is empty")


def _describe(name: str, tensors: Mapping[str, Tensor]) -> str:
    """Return type and shape of a tensor in words."""
    if name not in tensors:
        return "missing"
    return f"{str(tensors[name].dtype).removeprefix('torch.')} {tuple(tensors[name].shape)}"


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise a `WeightsError` unless all values of `tensors` are finite."""
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(
                f"{path} is unusable: tensor {name} holds values that are not finite"
            )


def _build(config: ModelConfig, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return the network in evaluation mode, tried out on a picture."""
    model = build_model(config)
    model.load_state_dict(tensors)
    channels_last(model).eval()
    with torch.inference_mode():
        logits = model(torch.full((1, 1, 28, 28), 0.5))
    if logits.shape != (1, 10) or not bool(logits.isfinite().all()):
        raise ValueError("it does not answer a picture with ten finite numbers")
    return model


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the description in the file `path`, unchecked."""
    try:
        path.open("rb").close()  # safetensors calls a file that it may not read a missing one
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise WeightsError(
            f"there is no model at {path}: give a .safetensors file or the folder of a finished run"
        ) from None
    except PermissionError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}): expected a .safetensors file or the folder "
            "of a finished run, and the right to read it"
        ) from error
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file: {error}") from error
    try:
        description = json.loads(metadata["tendigits"])
    except (KeyError, ValueError, RecursionError):  # the last where it is nested thousands deep
        raise WeightsError(f"{path} was not written by tendigits: it has no description") from None
    if not isinstance(description, dict):
        raise WeightsError(f"{path} was not written by tendigits: its description is no object")
    return tensors, description


def plain_tensor(tensor: Tensor) -> Tensor:
    """Return `tensor` as it is stored: on the CPU, row-major."""
    return tensor.detach().to("cpu", memory_format=torch.contiguous_format).contiguous()


def model_sha256(tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> str:
    """Return the sha256 over the description, as sorted JSON, and the tensors of a model file."""
    text = json.dumps(description, sort_keys=True) + tensors_sha256(tensors)
    return hashlib.sha256(text.encode()).hexdigest()


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names, types, shapes and values of `tensors`, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        values = tensor.contiguous().reshape(-1)  # a single number has no bytes to view
        digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()
