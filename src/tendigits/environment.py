"""What this machine has: versions, processor, memory and the devices that torch can train on.

Torch is imported inside functions only, so that a base installation can describe itself too.
"""

import importlib.metadata
import os
import platform
import re
import sys
from typing import TYPE_CHECKING, Any

from tendigits.errors import ExtraMissingError, SettingError, UnknownNameError
from tendigits.version import __version__

if TYPE_CHECKING:
    import torch

PACKAGES = ("numpy", "pillow", "opencv-python-headless", "safetensors", "torch", "matplotlib")
DEVICES = ("cuda", "mps", "xpu", "cpu")  # in the order in which they are preferred


def describe_environment() -> dict[str, Any]:
    """Return the facts of this machine that a figure or a bug report depends on, JSON-safe."""
    return {
        "tendigits": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": available_cores(),
        "memory_gib": memory_gib(),
        "packages": {name: package_version(name) for name in PACKAGES},
    }


def package_version(name: str) -> str | None:
    """Return the installed version of the distribution `name`, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def available_cores() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """Return what the processor calls itself."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux: ask the standard library
    return platform.processor() or platform.machine()


def memory_gib() -> float | None:
    """Return the machine's memory in GiB, or None where the system does not say."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)


def require_torch() -> None:
    """Raise an `ExtraMissingError` where torch is not installed."""
    if package_version("torch") is None:
        raise ExtraMissingError("a neural network in training", "train")


def available_devices() -> list[str]:
    """Return the kinds of device that torch can use here, the preferred one first."""
    require_torch()
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
        "cpu": True,
    }
    return [name for name in DEVICES if present[name]]


def choose_device(name: str | None = None) -> "torch.device":
    """Return the device `name`, or the best one here: CUDA, else Apple, else Intel, else the CPU.

    Args:
        name: ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"xpu"`` or ``"cpu"``; None chooses.

    Raises:
        UnknownNameError: There is no such kind of device.
        SettingError: There is such a kind, but not on this machine.
        ExtraMissingError: Torch is not installed.
    """
    present = available_devices()
    import torch

    if name is None:
        return torch.device(present[0])
    match = re.fullmatch(r"([a-z]+)(?::(0|[1-9][0-9]*))?", name)
    if match is None or match[1] not in DEVICES:
        raise UnknownNameError("device", name, DEVICES)
    kind, index = match.groups()
    count = torch.get_device_module(kind).device_count() if kind in present else 0
    if int(index or 0) >= count:
        raise SettingError(f"device {name!r} is not on this machine: it has {', '.join(present)}")
    return torch.device(name)


def computes_in_bfloat16(device: "torch.device") -> bool:
    """Say whether `device` multiplies bfloat16 numbers itself, and faster than float32.

    Intel's processors with AVX512_BF16 multiply no more of them at a time than float32 numbers, and
    so lose what the conversions cost; with AMX they do, and AMD's do (LOG, 2026-11-25).
    """
    if device.type == "cpu":
        features = processor_features()
        return "amx_bf16" in features or ("avx512_bf16" in features and not made_by_intel())
    import torch

    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def processor_features() -> set[str]:
    """Return the extensions that the processor lists; none where the system does not tell."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:  # not Linux
        return set()
    return set(flags.partition(":")[2].split())


def made_by_intel() -> bool:
    """Return whether the processor says that it is Intel's."""
    return "Intel" in processor_name()


def describe_device(device: "torch.device") -> str:
    """Return the device's name as a person would say it, such as ``"cpu (AMD EPYC, 2 cores)"``."""
    if device.type == "cpu":
        return f"cpu ({processor_name()}, {available_cores()} cores)"
    if device.type == "mps":
        return "mps (Apple)"
    import torch

    return f"{device} ({torch.get_device_module(device.type).get_device_name(device)})"
