"""Checkpoints: everything a training needs to go on exactly, written so that a crash cannot hurt.

A checkpoint is a folder ``step-000000938`` with tensors (safetensors), numbers (JSON) and a
manifest of sha256. It is written under a temporary name, flushed to the disk and renamed; the one
before it is kept. Reading takes the newest whose manifest holds. There is no pickle anywhere.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from tendigits.atomic import sync_folder
from tendigits.errors import CheckpointError
from tendigits.training.advice import how_to_go_on, reason
from tendigits.weights import plain_tensor

FORMAT = 1
KEPT = 2  # the newest and the one before it
TENSORS, NUMBERS, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A training at rest.

    Attributes:
        step: How many steps it has made.
        tensors: Weights, optimizer state and random state, by name.
        numbers: Everything else, JSON-safe.
    """

    step: int
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write `checkpoint` into `folder`, whole or not at all, and drop those that are too old.

    Args:
        folder: Of the run's checkpoints; it is made if need be.
        checkpoint: What to write.

    Returns:
        The checkpoint's own folder.

    Raises:
        CheckpointError: The file system refused; what was there before is untouched.
    """
    final = checkpoint_path(folder, checkpoint.step)
    temporary = folder / f".{final.name}.part"
    try:
        folder.mkdir(exist_ok=True)
        if temporary.exists():  # left by a writer that died
            shutil.rmtree(temporary)
        temporary.mkdir()
        _write_files(temporary, checkpoint)
        sync_folder(temporary)
        if final.exists():  # damaged, and now trained past again
            shutil.rmtree(final)
        temporary.rename(final)
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise CheckpointError(_refusal(folder, final, error)) from error
    found = finished_checkpoints(folder)
    newest = found.index(final)
    # What is newer was damaged, or training would not have gone on from an older one.
    for old in (*found[:newest], *found[newest + KEPT :]):
        shutil.rmtree(old, ignore_errors=True)  # a leftover does no harm: it is never the newest
    return final


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest whole checkpoint in `folder`, or None where none was ever finished.

    Raises:
        CheckpointError: There are checkpoints, but none is whole; or they may not be read.
    """
    problems = []
    for name in finished_checkpoints(folder):
        try:
            return _read_files(name)
        except PermissionError as error:
            raise _unreadable(name, error) from error
        except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            problems.append(f"{name.name}: {error}")
    if problems:
        raise CheckpointError(
            f"no checkpoint in {folder} is whole ({'; '.join(problems)}): "
            "train again from the start"
        )
    return None


def finished_checkpoints(folder: Path) -> list[Path]:
    """Return the finished checkpoints in `folder`, the newest first; none where there is no folder.

    Raises:
        CheckpointError: The folder cannot be read.
    """
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(folder, error) from error
    return sorted((folder / name for name in names if name.startswith("step-")), reverse=True)


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return where in `folder` the checkpoint of `step` is."""
    return folder / f"step-{step:09d}"


def _write_files(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the three files of `checkpoint`, the manifest last, each flushed to the disk."""
    tensors = {name: plain_tensor(tensor) for name, tensor in checkpoint.tensors.items()}
    numbers = {"format": FORMAT, "step": checkpoint.step, **checkpoint.numbers}
    contents = {
        TENSORS: safetensors.torch.save(tensors),
        NUMBERS: json.dumps(numbers, allow_nan=False).encode(),
    }
    manifest = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    contents[MANIFEST] = json.dumps(manifest, indent=2).encode()
    for name, content in contents.items():
        with open(folder / name, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _read_files(folder: Path) -> Checkpoint:
    """Return the checkpoint in `folder` if its manifest holds."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    contents = {name: (folder / name).read_bytes() for name in (TENSORS, NUMBERS)}
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != manifest[name]:
            raise ValueError(f"{name} does not have the sha256 that the manifest states")
    numbers = json.loads(contents[NUMBERS])
    if numbers.pop("format") != FORMAT:
        raise ValueError(f"it is not of format {FORMAT}")
    tensors = safetensors.torch.load(contents[TENSORS])
    return Checkpoint(step=numbers.pop("step"), tensors=tensors, numbers=numbers)


def _refusal(folder: Path, wanted: Path, error: OSError) -> str:
    """Return the line that tells of a checkpoint that could not be written."""
    good = [name for name in finished_checkpoints(folder) if name != wanted]
    last = f"the last good one is {good[0]}" if good else "there is none before it"
    return (
        f"could not write checkpoint {wanted} ({reason(error)}): {last}; "
        f"{how_to_go_on(error, folder.parent)}"
    )


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    """Return the error that tells of checkpoints that cannot be read as things are."""
    return CheckpointError(
        f"cannot read {path} ({reason(error)}): make it readable, so that the run can go "
        "on from its last checkpoint"
    )
