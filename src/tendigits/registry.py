"""The models that come with tendigits: which there are, where their files lie, what they measured.

Everything here comes from ``pretrained/index.json``, which `scripts/bench ship` writes beside the
files themselves. Neither torch nor ONNX Runtime is needed to look.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from tendigits.errors import UnknownNameError, WeightsError

INDEX = "index.json"
LINE_INDEX = "line.json"  # of the network over whole lines, which is trained apart


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


@dataclass(frozen=True, kw_only=True)
class ShippedLineNetwork:
    """The network inside the package that reads whole lines.

    Attributes:
        name: Of its file, without the ending.
        command: That trained it.
        lines_right: Share of the lines made of held-out training digits that it reads right alone.
        parameters: Numbers that training changed.
        licence: Under which it may be used.
        sha256: Of its ONNX file.
    """

    name: str
    command: str
    lines_right: float
    parameters: int
    licence: str
    sha256: str


def folder() -> Path:
    """Return the folder that the files lie in."""
    return Path(str(resources.files("tendigits"))) / "pretrained"


@cache
def shipped_models() -> dict[str, ShippedModel]:
    """Return the models inside the package, by name.

    Raises:
        WeightsError: The installed index is damaged.
    """
    with _read(INDEX) as entries:
        models = [ShippedModel(**entry) for entry in entries]
    return {model.name: model for model in models}


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
    check_file(path, models[name].sha256.get(ending))
    return path


def line_network() -> ShippedLineNetwork:
    """Return what is known of the network that reads whole lines.

    Raises:
        WeightsError: The installed index is damaged.
    """
    with _read(LINE_INDEX) as entry:
        return ShippedLineNetwork(**entry)


@contextlib.contextmanager
def _read(index: str) -> Iterator[Any]:
    """Give the block what an index says; what it cannot take apart is damaged."""
    path = folder() / index
    try:
        yield json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}): the installation is damaged, install tendigits again"
        ) from error


def line_file() -> Path:
    """Return the ONNX file of the network that reads whole lines, seen to be the shipped one.

    Raises:
        WeightsError: It is missing or is not the one that was shipped.
    """
    network = line_network()
    path = folder() / f"{network.name}.onnx"
    check_file(path, network.sha256)
    return path


def check_file(path: Path, sha256: str | None) -> None:
    """See that a file is the one that was shipped.

    Raises:
        WeightsError: It is missing, or has another sha256.
    """
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}): install tendigits again"
        ) from error
    if found != sha256:
        raise WeightsError(
            f"{path} is damaged: its sha256 begins {found[:12]}, which is not that of the file "
            "that was shipped; install tendigits again"
        )


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
