"""Sets of digits from other hands than MNIST's, for measuring only.

They lie in a folder with a sub-folder for each: `.npz` files of bitmaps, or pictures listed in a
`.csv`. Every picture is brought to MNIST form by the code that serves users' pictures.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits.data import Digits
from tendigits.data.digits import DIGIT_NAMES
from tendigits.errors import DataFormatError, DataNotFoundError
from tendigits.imaging import Picture, to_mnist_form

MARGIN_SHARE = 2  # a bitmap's side / the width of the ground that is put around it


@dataclass(frozen=True, kw_only=True)
class ForeignSet:
    """A set as it is stored.

    Attributes:
        name: Of the set.
        pictures: Files, or (H, W) uint8; (H, W) may differ between sets.
        labels: (N,) uint8, 0 to 9.
    """

    name: str
    pictures: Sequence[Picture]
    labels: NDArray[np.uint8]

    def to_digits(self) -> Digits:
        """Return the set in MNIST form.

        Raises:
            DataNotFoundError: A listed picture is missing.
            DataFormatError: A picture or a label is not as above.
        """
        images = np.stack([to_mnist_form(picture) for picture in self.pictures])
        return Digits(images=images, labels=self.labels)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a set is, and how it is read.

    Attributes:
        file: Path in the folder of all sets.
        read: Takes the file; returns pictures and labels.
    """

    file: str
    read: Callable[[Path], tuple[Sequence[Picture], NDArray[np.uint8]]]


def read_bitmaps(path: Path, images: str, labels: str) -> tuple[list[Picture], NDArray[np.uint8]]:
    """Read bitmaps with ink on 0 that fill their box, and put ground around each.

    `to_mnist_form` takes for ground what the border shows most, and what is wider than half of the
    picture. Where ink fills the box, both may be ink: a thick digit would be read as dark on light.

    Args:
        path: An `.npz` file.
        images: Name of its array (N, H, W) uint8, ink 255 on 0.
        labels: Name of its array (N,), 0 to 9.

    Raises:
        DataFormatError: There is no such array in it.
    """
    with np.load(path) as arrays:
        try:
            pixels, digits = arrays[images], arrays[labels]
        except KeyError as error:
            raise DataFormatError(f"{path}: expected arrays {images} and {labels}") from error
    margin = max(pixels.shape[1:]) // MARGIN_SHARE
    return [np.pad(bitmap, margin) for bitmap in pixels], digits.astype(np.uint8)


def read_listed(path: Path, picture: str) -> tuple[list[Picture], NDArray[np.uint8]]:
    """Read what a `.csv` lists: a column of files, relative to it, and a column `label`.

    Args:
        path: The list.
        picture: Name of the column of files.

    Raises:
        DataFormatError: A column is missing, or a label is no digit.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        labels = [DIGIT_NAMES.index(row["label"]) for row in rows]
        return [path.parent / row[picture] for row in rows], np.array(labels, np.uint8)
    except (KeyError, ValueError) as error:
        raise DataFormatError(
            f"{path}: expected columns {picture} and label, 0 to 9 ({error})"
        ) from error


def bitmaps(file: str, images: str = "x", labels: str = "y") -> Source:
    """Return where the bitmaps in an `.npz` file are."""
    return Source(file=file, read=lambda path: read_bitmaps(path, images, labels))


def listed(file: str, picture: str) -> Source:
    """Return where the pictures listed in a `.csv` are."""
    return Source(file=file, read=lambda path: read_listed(path, picture))


SOURCES = {
    "usps": bitmaps("usps/usps.npz", "x_test", "y_test"),
    "optdigits-tra": bitmaps("optdigits/optdigits.npz", "x_tra", "y_tra"),
    "optdigits-windep": bitmaps("optdigits/optdigits.npz", "x_windep", "y_windep"),
    "semeion": bitmaps("semeion/semeion.npz"),
    "mfeat": bitmaps("mfeat/mfeat.npz"),
    "hwd1000": listed("hwd1000/dataset.csv", "image"),
    "swiss": listed("swiss/digits.csv", "file"),
}


def read_sets(folder: Path) -> Iterator[ForeignSet]:
    """Yield every set that is in `folder`, as it is stored.

    Raises:
        DataNotFoundError: There is none.
        DataFormatError: A file is not as expected.
    """
    here = {name: source for name, source in SOURCES.items() if (folder / source.file).is_file()}
    if not here:
        files = ", ".join(dict.fromkeys(source.file for source in SOURCES.values()))
        raise DataNotFoundError(f"{folder}: holds no set of digits: expected one of {files}")
    for name, source in here.items():
        pictures, labels = source.read(folder / source.file)
        yield ForeignSet(name=name, pictures=pictures, labels=labels)
