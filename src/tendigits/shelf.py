"""A folder of models that were taught one after the other, and the one that is in use.

    taught/001/small.onnx, model.safetensors, lesson.json, parent
    taught/002/...
    taught/current          # holds 002, or nothing: then the shipped model is in use

A model is complete before `current` names it, and `current` changes at once: a server that looks
there never sees half a model. Nothing is ever deleted, so that every step can be taken back.
"""

import errno
import os
import re
from pathlib import Path

from tendigits.atomic import write_text
from tendigits.errors import SettingError, WeightsError

CURRENT = "current"
PARENT = "parent"  # in a model's folder: the name of the model it was taught from, or nothing
TRIES = 100  # at a number that another lesson takes at the same time
NUMBER = re.compile(r"\d{3,}")


def current_model(shelf: Path) -> Path | None:
    """Return the folder of the model in use; None where it is the shipped one.

    Raises:
        WeightsError: What `current` names is not there.
        OSError: It cannot be read.
    """
    try:
        return _named_in(shelf / CURRENT, shelf)
    except FileNotFoundError:
        return None


def put_on_shelf(shelf: Path, finished: Path) -> Path:
    """Move a finished model's folder onto the shelf and put it into use.

    Args:
        shelf: The folder of all taught models; made where it is missing.
        finished: On the same file system.

    Returns:
        Its new place.
    """
    shelf.mkdir(parents=True, exist_ok=True)
    parent = current_model(shelf)
    write_text(finished / PARENT, f"{parent.name if parent else ''}\n")
    number = 1 + max((int(name) for name in _numbers(shelf)), default=0)
    for place in (shelf / f"{each:03d}" for each in range(number, number + TRIES)):
        try:
            os.rename(finished, place)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue
            raise
        use(shelf, place)
        return place
    raise WeightsError(f"{shelf}: no number is free from {number:03d} on")


def use(shelf: Path, model: Path | None) -> None:
    """Put a model of the shelf into use; None for the shipped one."""
    write_text(shelf / CURRENT, f"{model.name if model else ''}\n")


def undo(shelf: Path) -> Path | None:
    """Put the model that the one in use was taught from into use again.

    Returns:
        Its folder; None for the shipped model.

    Raises:
        SettingError: No taught model is in use.
        WeightsError: As `current_model`; or the model that it was taught from is not there.
    """
    current = current_model(shelf)
    if current is None:
        raise SettingError(f"{shelf}: the shipped model is in use: there is nothing to undo")
    before = _named_in(current / PARENT, shelf)
    use(shelf, before)
    return before


def _named_in(path: Path, shelf: Path) -> Path | None:
    """Return the folder of the model that a file names; None where it names none."""
    name = path.read_text("ascii", errors="replace").strip()
    if not name:
        return None
    if not NUMBER.fullmatch(name) or not (shelf / name).is_dir():
        raise WeightsError(f"{path}: names {name!r}: expected a model of this folder")
    return shelf / name


def _numbers(shelf: Path) -> list[str]:
    """Return the names of the models on a shelf, oldest first."""
    return sorted((path.name for path in shelf.iterdir() if NUMBER.fullmatch(path.name)), key=int)
