"""Make IDX files of the sets that are published in another form: EMNIST's archive, USPS's text."""

import bz2
import shutil
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits import atomic
from tendigits.data import idx
from tendigits.data.digits import CLASSES, Digits
from tendigits.errors import DataFormatError

EMNIST_ARCHIVE = "gzip.zip"
EMNIST_FILES = tuple(
    f"emnist-digits-{part}-{content}.gz"
    for part in ("train", "test")
    for content in ("images-idx3-ubyte", "labels-idx1-ubyte")
)
EMNIST_MAX_BYTES = 2**28  # of one compressed file; the largest has about a sixth of it

USPS_FILES = {"train": "usps.bz2", "t10k": "usps.t.bz2"}
USPS_SIDE = 16  # pixels
USPS_MAX_BYTES = 2**27  # of text; the longer file has about a quarter of it
USPS_MARGIN = USPS_SIDE // 2  # of ground around a picture, whose ink may fill its box


def unpack_emnist(folder: Path) -> None:
    """Take the four files of digits out of EMNIST's archive, which lies in `folder`.

    Raises:
        DataFormatError: The archive is damaged or holds something else.
    """
    archive_path = folder / EMNIST_ARCHIVE
    try:
        with zipfile.ZipFile(archive_path) as archive:
            for name in EMNIST_FILES:
                member = archive.getinfo(f"gzip/{name}")
                if member.file_size > EMNIST_MAX_BYTES:
                    raise DataFormatError(
                        f"{archive_path}: {name} has {member.file_size:,} bytes: "
                        f"expected at most {EMNIST_MAX_BYTES:,}"
                    )
                with archive.open(member) as source, atomic.atomic_writer(folder / name) as target:
                    shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise DataFormatError(
            f"{archive_path}: is not EMNIST's archive ({error}): fetch it again"
        ) from error


def unpack_usps(folder: Path) -> None:
    """Write USPS's two text files, which lie in `folder`, as IDX files in MNIST's form.

    Raises:
        DataFormatError: A file is damaged or holds something else.
    """
    for part, name in USPS_FILES.items():
        digits = read_usps(folder / name)
        idx.write_idx(folder / f"{part}-images-idx3-ubyte.gz", digits.images)
        idx.write_idx(folder / f"{part}-labels-idx1-ubyte.gz", digits.labels)


def read_usps(path: Path) -> Digits:
    """Read USPS in libsvm's form: a line for each digit, ``label index:value index:value ...``.

    Labels are 1 to 10 for the digits 0 to 9; indices are 1 to 256, for 16x16 pixels; values are
    -1 (ground) to 1 (ink).

    Args:
        path: Text compressed with bzip2.

    Returns:
        The digits in MNIST's form.

    Raises:
        DataFormatError: The file is damaged, or a line is not as above.
    """
    # Here, because OpenCV takes a tenth of a second to load and no other set needs it.
    from tendigits import imaging

    images, labels = [], []
    for number, line in enumerate(_read_bzip2(path).splitlines(), start=1):
        try:
            label, grey = _parse_usps_line(line)
        except ValueError as error:
            raise DataFormatError(
                f"{path}: line {number} is not of the form 'label index:value ...' with labels 1 "
                f"to 10 and 16x16 values in [-1, 1] ({error}): fetch it again"
            ) from error
        images.append(imaging.to_mnist_form(np.pad(grey, USPS_MARGIN)))
        labels.append(label)
    return Digits(images=np.stack(images), labels=np.array(labels, np.uint8))


def _read_bzip2(path: Path) -> str:
    """Inflate text, up to a bound."""
    try:
        with bz2.open(path) as file:
            content = file.read(USPS_MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise DataFormatError(f"{path}: is not a bzip2 file ({error}): fetch it again") from error
    if not 0 < len(content) <= USPS_MAX_BYTES:
        raise DataFormatError(
            f"{path}: is empty or inflates to more than {USPS_MAX_BYTES:,} bytes: fetch it again"
        )
    return content.decode("ascii", "replace")


def _parse_usps_line(line: str) -> tuple[int, NDArray[np.float64]]:
    """Return the digit and its picture, (16, 16) in [0, 1]; ValueError if the line is malformed."""
    label, *cells = line.split()
    digit = int(label) - 1
    values = np.zeros(USPS_SIDE * USPS_SIDE)
    for cell in cells:
        index, _, value = cell.partition(":")
        if not 1 <= int(index) <= len(values):
            raise ValueError(f"index {index}")
        values[int(index) - 1] = float(value)
    if not 0 <= digit < CLASSES:
        raise ValueError(f"label {label}")
    if not (values.min() >= -1 and values.max() <= 1):
        raise ValueError(f"values from {values.min():g} to {values.max():g}")
    return digit, (values.reshape(USPS_SIDE, USPS_SIDE) + 1) / 2
