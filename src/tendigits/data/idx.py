"""Read and write IDX, the format in which MNIST and its successors are published.

A file is two zero bytes, a type byte, the number of dimensions, each dimension as a big-endian
32-bit number, and the items in C order; often the whole is compressed with gzip. Reading is strict:
a file is exactly what its header says, or it is refused. The header is read before anything is
allocated or inflated, so a small file cannot claim the machine's memory.
"""

import contextlib
import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits import atomic
from tendigits.data.digits import CLASSES, SIDE
from tendigits.errors import DataFormatError, DataNotFoundError

MAX_BYTES = 2**29  # of items: 684,000 pictures; the largest set that tendigits knows has 240,000

GZIP_MAGIC = b"\x1f\x8b"
SLICE_BYTES = 2**20  # read at a time: `gzip` makes a copy of as much as it is asked for
ITEM_TYPES: dict[int, np.dtype[Any]] = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}
CONTENTS = {1: "labels", 2: "a table of labels", 3: "pictures"}  # by the number of dimensions


def read_idx(path: Path, *, max_bytes: int = MAX_BYTES) -> NDArray[Any]:
    """Read one IDX file, plain or compressed with gzip, whatever its name says.

    Args:
        path: The file.
        max_bytes: The most that its header may claim for the items, in bytes.

    Returns:
        uint8 or int32, with one to three dimensions.

    Raises:
        DataNotFoundError: There is no such file, or it may not be read.
        DataFormatError: It is not IDX, is damaged, or is longer or shorter than its header says.
    """
    with _open_idx(path) as file:
        return _read_plain(file, str(path), max_bytes)


def count_images(path: Path) -> int:
    """Return how many pictures in MNIST form an IDX file claims to hold, by its header alone.

    Raises:
        DataNotFoundError: As `read_idx`.
        DataFormatError: It is not IDX, or it holds something else, such as the labels.
    """
    with _open_idx(path) as file:
        dtype, shape = _read_header(file, str(path))
    if len(shape) != 3:
        raise DataFormatError(
            f"{path}: holds {CONTENTS[len(shape)]} where pictures are expected: "
            "are the files of pictures and labels swapped?"
        )
    if dtype != np.uint8 or shape[1:] != (SIDE, SIDE):
        raise DataFormatError(
            f"{path}: holds pictures of {shape[1]}x{shape[2]} {dtype.name}: "
            f"expected {SIDE}x{SIDE} uint8"
        )
    return shape[0]


def count_labels(path: Path) -> int:
    """Return how many labels an IDX file claims to hold, by its header alone.

    Raises:
        DataNotFoundError: As `read_idx`.
        DataFormatError: It is not IDX, or it holds pictures.
    """
    with _open_idx(path) as file:
        _, shape = _read_header(file, str(path))
    if len(shape) == 3:
        raise DataFormatError(
            f"{path}: holds pictures where labels are expected: "
            "are the files of pictures and labels swapped?"
        )
    return shape[0]


def read_images(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file that should hold pictures in MNIST form.

    Args:
        path: The file.

    Returns:
        (N, 28, 28) uint8.

    Raises:
        DataNotFoundError: As `read_idx`.
        DataFormatError: As `read_idx`, or it holds something else, such as the labels.
    """
    count_images(path)
    return read_idx(path)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file that should hold labels; of a table (QMNIST's), the first column.

    Args:
        path: The file.

    Returns:
        (N,) uint8, 0 to 9.

    Raises:
        DataNotFoundError: As `read_idx`.
        DataFormatError: As `read_idx`, or it holds pictures, or a label is not 0 to 9.
    """
    count_labels(path)
    items = read_idx(path)
    labels = items if items.ndim == 1 else items[:, :1].reshape(-1)
    wrong = np.flatnonzero((labels < 0) | (labels >= CLASSES))
    if len(wrong):
        raise DataFormatError(
            f"{path}: label {labels[wrong[0]]} at position {wrong[0]}: "
            f"expected 0 to {CLASSES - 1}, a digit for each picture"
        )
    return labels.astype(np.uint8)


def write_idx(path: Path, items: NDArray[Any]) -> None:
    """Write an IDX file, whole or not at all; a name that ends in ``.gz`` is compressed.

    The same items always give the same bytes.

    Args:
        path: The file to write.
        items: uint8 or int32, one to three dimensions.

    Raises:
        ValueError: Another type or number of dimensions.
        OSError: The file system refused.
    """
    content = idx_header(items) + _big_endian(items).tobytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    atomic.write_bytes(path, content)


def idx_header(items: NDArray[Any]) -> bytes:
    """Return the bytes that come before `items` in an IDX file.

    >>> idx_header(np.zeros((5, 28, 28), np.uint8)).hex(" ", 4)
    '00000803 00000005 0000001c 0000001c'
    """
    dtype = _big_endian(items).dtype
    codes = [code for code, known in ITEM_TYPES.items() if known == dtype]
    if not codes or items.ndim not in CONTENTS:
        raise ValueError(f"cannot write {items.dtype} of {items.ndim} dimensions as IDX")
    return struct.pack(f">HBB{items.ndim}I", 0, codes[0], items.ndim, *items.shape)


@contextlib.contextmanager
def _open_idx(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file to read IDX from, inflating it if it begins as gzip does."""
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            if not compressed:
                yield file
                return
            with _gzip_errors(str(path)), gzip.GzipFile(fileobj=file) as inflated:
                yield inflated
    except OSError as error:
        raise DataNotFoundError(
            f"{path}: cannot be read ({error.strerror or error}): expected an IDX file"
        ) from error


def _read_plain(file: BufferedIOBase, name: str, max_bytes: int) -> NDArray[Any]:
    """Read header, items and the end of the file, and nothing beyond one byte of excess."""
    dtype, shape = _read_header(file, name)
    # A dimension of nought counts as one: NumPy cannot make an array of 0 x 4 thousand million.
    if math.prod(max(length, 1) for length in shape) * dtype.itemsize > max_bytes:
        raise DataFormatError(
            f"{name}: its header claims {' x '.join(map(str, shape))} items of {dtype.itemsize} "
            f"bytes: expected at most {max_bytes:,} bytes"
        )
    claimed = math.prod(shape) * dtype.itemsize
    items = np.empty(shape, dtype)
    received = _fill(file, items.reshape(-1).view(np.uint8).data)
    if received < claimed:
        raise DataFormatError(
            f"{name}: ends after {received:,} of {claimed:,} bytes of items: it is truncated, "
            "fetch it again"
        )
    if file.read(1):
        raise DataFormatError(
            f"{name}: goes on after the {claimed:,} bytes of items that its header states: "
            "fetch it again"
        )
    return items.astype(dtype.newbyteorder("="), copy=False)


def _read_header(file: BufferedIOBase, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the type and the shape that an IDX header states."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise DataFormatError(
            f"{name}: begins with {start.hex(' ') or 'nothing'}: expected an IDX file, "
            "which begins with 00 00"
        )
    if start[2] not in ITEM_TYPES or start[3] not in CONTENTS:
        raise DataFormatError(
            f"{name}: has IDX type 0x{start[2]:02x} and {start[3]} dimensions: expected type "
            "0x08 (uint8) or 0x0c (int32) and 1 to 3 dimensions"
        )
    dimensions = file.read(4 * start[3])
    if len(dimensions) < 4 * start[3]:
        raise DataFormatError(f"{name}: ends inside its header: it is truncated, fetch it again")
    shape: tuple[int, ...] = struct.unpack(f">{start[3]}I", dimensions)
    return ITEM_TYPES[start[2]], shape


def _fill(file: BufferedIOBase, target: memoryview) -> int:
    """Read into `target` until it is full or the file ends; return the bytes received."""
    received = 0
    while received < len(target):
        count = file.readinto(target[received : received + SLICE_BYTES])
        if not count:
            break
        received += count
    return received


@contextlib.contextmanager
def _gzip_errors(name: str) -> Iterator[None]:
    """Turn what `gzip` raises for a damaged file into one line."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataFormatError(
            f"{name}: is a damaged or truncated gzip file ({error}): fetch it again"
        ) from error


def _big_endian(items: NDArray[Any]) -> NDArray[Any]:
    """Return `items` in C order, each most significant byte first."""
    return np.ascontiguousarray(items, items.dtype.newbyteorder(">"))
