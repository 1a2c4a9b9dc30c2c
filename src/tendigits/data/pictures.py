"""A folder of pictures with a sub-folder for each digit -> digits in MNIST form."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits import imaging
from tendigits.data.digits import DIGIT_NAMES, SIDE, Digits

CLUTTER = {"thumbs.db", "desktop.ini"}  # what file managers leave behind; hidden files are too
BLACK = 32  # grey levels of 255: a border darker than this is the ground of MNIST form


def read_parts(folder: Path) -> tuple[Digits | None, Digits | None]:
    """Read the training and the test part of a folder of pictures.

    Args:
        folder: It holds ``train/`` and perhaps ``test/``, each with a sub-folder for each digit;
            or the sub-folders themselves, which are then the training part.

    Returns:
        Both parts; None for one that holds no pictures.

    Raises:
        DataFormatError: As `read_pictures`.
    """
    train = read_pictures(folder / "train") or read_pictures(folder)
    return train, read_pictures(folder / "test")


def read_pictures(folder: Path) -> Digits | None:
    """Read the pictures in the sub-folders ``0`` to ``9`` of `folder`, at any depth.

    A picture that already is in MNIST form is taken as it is: 28x28, one channel, and a
    border of which at least half is practically black. Every other one goes through
    `imaging.to_mnist_form`.

    Args:
        folder: Need not exist. Sub-folders with other names are left alone.

    Returns:
        The digits, by digit and then by name; None if there are none.

    Raises:
        DataFormatError: A file in a digit's sub-folder cannot be read as a picture.
        OSError: A sub-folder may not be read.
    """
    paths, labels = [], []
    for digit, name in enumerate(DIGIT_NAMES):
        found = files_inside(folder / name)
        paths += found
        labels += [digit] * len(found)
    if not paths:
        return None
    images = np.stack([read_picture(path) for path in paths])
    return Digits(images=images, labels=np.array(labels, np.uint8))


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read one picture in MNIST form, (28, 28) uint8; see `read_pictures`."""
    pixels = imaging.decode(path)
    return pixels if _is_mnist_form(pixels) else imaging.to_mnist_form(pixels)


def files_inside(folder: Path) -> list[Path]:
    """Return the files in a folder, at any depth, also where links lead, by name.

    Args:
        folder: Need not exist. What is hidden, or what systems leave in folders, is left out; links
            that lead nowhere are not.

    Raises:
        OSError: A folder may not be read.
    """

    def refuse(error: OSError) -> None:  # else `os.walk` leaves a folder out in silence
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise error

    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        if (real := os.path.realpath(place)) in seen:  # a link led back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name[0] != ".")
        found += [Path(place, name) for name in names]
    return sorted(
        path for path in found if path.name[0] != "." and path.name.lower() not in CLUTTER
    )


def _is_mnist_form(pixels: NDArray[np.uint8]) -> bool:
    """Say whether decoded pixels are 28x28, one channel, bright on black."""
    if pixels.shape != (SIDE, SIDE):
        return False
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return bool(np.median(border) < BLACK)
