"""The models that come with tendigits: which there are, where their files lie, what they measured.

Everything here comes from ``pretrained/index.json``, which `scripts/bench ship` writes beside the
files themselves. Neither torch nor ONNX Runtime is needed to look.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from tendigits.errors import UnknownNameError, WeightsError

INDEX = "index.json"


@dataclass(frozen=True, kw_only=True)
class ShippedModel:
    """A model inside the package.

    Attributes:
        name: What it is asked for by, which is the recipe that trained it.
        seed: Of its training.
        test_accuracy: Share of MNIST's 10,000 test pictures that it reads right.
        parameters: Numbers that training changed.
        multiply_adds: Multiplications with an addition to read one picture.
        licence: Under which it may be used.
        sha256: Of each of its files, by the file's ending: ``safetensors``, ``onnx``.
    """

    name: str
    seed: int
    test_accuracy: float
    parameters: int
    multiply_adds: int
    licence: str
    sha256: dict[str, str]


def folder() -> Path:
    """Return the folder that the files lie in."""
    return Path(str(resources.files("tendigits"))) / "pretrained"


@cache
def shipped_models() -> dict[str, ShippedModel]:
    """Return the models inside the package, by name.

    Raises:
        WeightsError: The installed index is damaged.
    """
    path = folder() / INDEX
    try:
        entries = [ShippedModel(**entry) for entry in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}): the installation is damaged, install tendigits again"
        ) from error
    return {entry.name: entry for entry in entries}


def shipped_file(name: str, ending: str) -> Path:
    """Return the file of a model inside the package, seen to be the one that was shipped.

    Args:
        name: Such as ``"small"``.
        ending: ``"safetensors"`` or ``"onnx"``.

    Raises:
        UnknownNameError: There is no such model.
        WeightsError: Its file is missing or is not the one that was shipped.
    """
    models = shipped_models()
    if name not in models:
        raise UnknownNameError("model", name, models)
    path = folder() / f"{name}.{ending}"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}): install tendigits again"
        ) from error
    if found != models[name].sha256.get(ending):
        raise WeightsError(
            f"{path} is damaged: its sha256 begins {found[:12]}, which is not that of the file "
            "that was shipped; install tendigits again"
        )
    return path


def locate(model: Path | str) -> Path:
    """Return the file or folder that a user means by `model`.

    Args:
        model: A path; or the name of a shipped model, where nothing in the current folder has that
            name.
    """
    path = Path(model)
    if path.name == str(model) and not path.exists() and path.name in shipped_models():
        return shipped_file(path.name, "safetensors")
    return path
