"""An examination of this installation, in a form to paste into a bug report."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tendigits.atomic import try_folder
from tendigits.data import load_mnist
from tendigits.environment import (
    available_cores,
    available_devices,
    choose_device,
    describe_device,
    describe_environment,
    package_version,
)
from tendigits.errors import ExtraMissingError, TendigitsError


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A thing that was looked at.

    Attributes:
        name: What it is.
        value: What was found.
        healthy: False where something has to be done.
    """

    name: str
    value: str
    healthy: bool = True


def examine(folder: Path = Path()) -> list[Finding]:
    """Look at versions, threads, devices, the data's checksums and write access.

    Args:
        folder: Where run folders would be made.
    """
    environment = describe_environment()
    packages = environment.pop("packages")
    findings = [Finding(name=name, value=str(value)) for name, value in environment.items()]
    findings += [
        Finding(name=name, value=version or "not installed")
        for name, version in packages.items()
        if name != "safetensors"
    ]
    return [
        *findings,
        _look("safetensors", _safetensors),
        _look("onnxruntime", _onnxruntime),
        _look("threads", _threads),
        _look("devices", _devices),
        _look("data", _data),
        _look("write access", lambda: _write_access(folder)),
    ]


def _look(name: str, what: Callable[[], str]) -> Finding:
    """Return what `what` finds, or the error that it meets."""
    try:
        return Finding(name=name, value=what())
    except ExtraMissingError as error:
        return Finding(name=name, value=str(error))  # a base installation is a healthy one
    except Exception as error:  # whatever is broken, the report is to be whole
        kind = "" if isinstance(error, TendigitsError) else f"{type(error).__name__}: "
        return Finding(name=name, value=kind + " ".join(str(error).split()), healthy=False)


def _safetensors() -> str:
    import safetensors

    return str(safetensors.__version__)


def _onnxruntime() -> str:
    import onnxruntime

    return str(onnxruntime.__version__)


def _threads() -> str:
    said = [f"{available_cores()} cores to use"]
    if package_version("torch") is not None:
        import torch

        said.append(f"torch takes {torch.get_num_threads()}")
    if "OMP_NUM_THREADS" in os.environ:
        said.append(f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}")
    return ", ".join(said)


def _devices() -> str:
    names = ", ".join(describe_device(choose_device(name)) for name in available_devices())
    return f"{names}; the first is chosen"


def _data() -> str:
    mnist = load_mnist()
    return f"MNIST is whole: {len(mnist.train):,} + {len(mnist.test):,} digits, sha256 as published"


def _write_access(folder: Path) -> str:
    try_folder(folder)
    return f"run folders can be made in {folder.resolve()}"
