"""Your own data: a folder of IDX files, or of pictures with a sub-folder for each digit."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tendigits.data import idx
from tendigits.data.aside import aside_by_content
from tendigits.data.digits import CLASSES, SIDE, Digits, DigitSet
from tendigits.errors import DataFormatError, DataNotFoundError

ASIDE_SHARE = 1 / 6  # of each class, about; a sixth, as 10,000 is of 60,000 in MNIST

# The names that MNIST and its successors use, such as train-images-idx3-ubyte,
# t10k-labels.idx1-ubyte, emnist-digits-test-images-idx3-ubyte and qmnist-train-labels-idx2-int.
IDX_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)-(?P<content>images|labels)"
    r"[-.]idx[123]-(?:ubyte|int)(?:\.gz)?"
)
TRANSPOSED_PREFIX = "emnist-"  # EMNIST is published with rows and columns exchanged

NOTHING = Digits(images=np.empty((0, SIDE, SIDE), np.uint8), labels=np.empty(0, np.uint8))

LAYOUTS = (
    "expected IDX files such as train-images-idx3-ubyte.gz (there, in raw/ or in */raw/), or a "
    "sub-folder of pictures for each digit 0 to 9 (there, or in train/ and test/)"
)


@dataclass(frozen=True, kw_only=True)
class IdxFiles:
    """Where the four IDX files of one set are; the test part may be missing.

    Attributes:
        folder: Where they are.
        prefix: What their names begin with, such as ``"emnist-digits-"``; for MNIST nothing.
        paths: By part (``"train"``, ``"test"``) and content (``"images"``, ``"labels"``).
    """

    folder: Path
    prefix: str
    paths: dict[tuple[str, str], Path]


def load_folder(folder: Path) -> DigitSet:
    """Load a set from a folder of IDX files or of pictures.

    IDX files, plain or .gz, have the usual names and lie in the folder, in its ``raw/``, or in the
    ``raw/`` of a sub-folder, as other tools leave them. EMNIST's files, known by their names, are
    turned upright. Pictures lie in a sub-folder for each digit, ``0`` to ``9``, directly or under
    ``train/`` and ``test/``; `pictures.read_pictures` says what happens to them.

    If there is no test part, about a sixth of each class, always the same, is set aside as one.

    Args:
        folder: The folder.

    Returns:
        The set, named after the folder, in an order that depends on nothing but the names.

    Raises:
        DataNotFoundError: The folder does not exist or holds no set.
        DataFormatError: A file is damaged, or is not what its name or place says.
    """
    found = _load(folder)
    if len(found.train) == 0:
        raise DataNotFoundError(f"{folder}: holds no pictures to train on: {LAYOUTS}")
    if len(found.test) == 0:
        raise DataNotFoundError(
            f"{folder}: has {len(found.train)} pictures and none to test on: expected at least two "
            "of a digit, or a test part"
        )
    return found


def load_available(folder: Path) -> DigitSet:
    """Load what there is of a set, as `load_folder` does, for a model to be measured on.

    Args:
        folder: The folder. It may hold only a test part, or pictures that are too few to divide.

    Returns:
        The set, as `load_folder` gives it, but its training part or its test part may be empty.

    Raises:
        DataNotFoundError: The folder does not exist or holds no digits.
        DataFormatError: A file is damaged, or is not what its name or place says.
    """
    found = _load(folder)
    if len(found.train) + len(found.test) == 0:
        raise DataNotFoundError(f"{folder}: holds no pictures: {LAYOUTS}")
    return found


def _load(folder: Path) -> DigitSet:
    """Return the set in a folder; a part that is not there is empty."""
    try:
        _require_folder(folder)
        train, test = _read_parts(folder)
    except OSError as error:
        raise DataNotFoundError(f"{folder}: cannot be read ({error}): {LAYOUTS}") from error
    name = name_of(folder)
    if train and not test:
        train, test = set_aside(train)
        return DigitSet(name=name, train=train, test=test, divided_here=True)
    return DigitSet(name=name, train=train or NOTHING, test=test or NOTHING)


def _require_folder(folder: Path) -> None:
    """Refuse a path that leads to no folder; `OSError` if that cannot be seen."""
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise DataNotFoundError(f"{folder}: there is no such folder: {LAYOUTS}") from None
    if not is_folder:
        raise DataNotFoundError(f"{folder}: is a file: give the folder that it lies in: {LAYOUTS}")


def name_of(folder: Path) -> str:
    """Return the name of the set in a folder: the folder's, fit to be written as UTF-8."""
    return os.fsencode(folder.resolve().name).decode("utf-8", "replace")


def find_idx_files(folder: Path) -> IdxFiles | None:
    """Find the IDX files of one set in `folder`, ``raw/`` or ``*/raw/``; None if there are none.

    Raises:
        DataFormatError: There are several sets, so that it is not clear which one is meant.
    """
    entries = sorted(entry for entry in folder.iterdir() if entry.name[0] != ".")
    for places in ([folder], [folder / "raw"], [entry / "raw" for entry in entries]):
        by_place = [sets for place in places if (sets := _find_in_place(place))]
        found = [files for sets in by_place for files in sets]
        # EMNIST's archive holds six sets; the one of digits alone is the one that can be meant.
        digits = [files for files in found if files.prefix == "emnist-digits-"]
        found = digits if len(digits) == 1 and len(by_place) == 1 else found
        if len(found) > 1:
            names = ", ".join(f"{files.folder / files.prefix}*" for files in found)
            raise DataFormatError(
                f"{folder}: holds several sets ({names}): expected one, give its own folder"
            )
        if found:
            return found[0]
    return None


def set_aside(digits: Digits) -> tuple[Digits, Digits]:
    """Divide off about a sixth of each class as a test part; a picture that joins moves no other.

    Args:
        digits: What there is.

    Returns:
        The part to train on and the part to test on, each in the order of `digits`; the latter is
        empty if no class has the two pictures that it takes to have one in each part.
    """
    aside = np.zeros(len(digits), np.bool_)
    for digit in range(CLASSES):
        places = np.flatnonzero(digits.labels == digit)
        if len(places) > 1:
            aside[places] = aside_by_content(digits.images[places], ASIDE_SHARE)
    return digits.take(np.flatnonzero(~aside)), digits.take(np.flatnonzero(aside))


def _read_parts(folder: Path) -> tuple[Digits | None, Digits | None]:
    """Return the training and the test part of a folder; None for one that is not there."""
    files = find_idx_files(folder)
    if files is not None:
        return _read_idx_part(files, "train"), _read_idx_part(files, "test")
    # Here, because OpenCV takes a tenth of a second to load and IDX files do not need it.
    from tendigits.data import pictures

    return pictures.read_parts(folder)


def _find_in_place(folder: Path) -> list[IdxFiles]:
    """Return the sets of IDX files that lie directly in `folder`, ordered by prefix."""
    sets: dict[str, dict[tuple[str, str], Path]] = {}
    try:
        # Reversed, so that of a file and its .gz the plain one, which comes first by name, remains.
        paths = sorted(folder.iterdir(), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    for path in paths:
        match = IDX_NAME.fullmatch(path.name)
        if match and not path.is_dir():
            part = "train" if match["part"] == "train" else "test"
            sets.setdefault(match["prefix"], {})[part, match["content"]] = path
    return [
        IdxFiles(folder=folder, prefix=prefix, paths=paths)
        for prefix, paths in sorted(sets.items())
    ]


def _read_idx_part(files: IdxFiles, part: str) -> Digits | None:
    """Read the pictures and labels of one part; None if both are missing or empty."""
    image_path, label_path = (files.paths.get((part, content)) for content in ("images", "labels"))
    if image_path is None and label_path is None:
        return None
    if image_path is None or label_path is None:
        missing = "pictures" if image_path is None else "labels"
        raise DataNotFoundError(
            f"{image_path or label_path}: has no file of {missing} beside it: expected both"
        )
    # Before a pixel is read: a small file may inflate to half a gigabyte.
    images_count, labels_count = idx.count_images(image_path), idx.count_labels(label_path)
    if images_count != labels_count:
        raise DataFormatError(
            f"{image_path}: holds {images_count:,} pictures and {label_path.name} "
            f"{labels_count:,} labels: expected a label for each picture"
        )
    images, labels = idx.read_images(image_path), idx.read_labels(label_path)
    if files.prefix.startswith(TRANSPOSED_PREFIX):
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return Digits(images=images, labels=labels) if len(images) else None
