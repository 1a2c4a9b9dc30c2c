"""Any picture -> its pixels, upright, on white: a file, bytes, an image of Pillow's, or an array.

The pictures come from strangers. Pillow decodes, with an allow-list of formats; a picture that is
too large is refused by its header, before a pixel of it is decoded; whatever a damaged file makes a
decoder raise becomes a `DataFormatError`.
"""

import io
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tendigits.errors import DataFormatError, DataNotFoundError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # Pillow's names; no other decoder runs
MAX_PIXELS = 25_000_000  # a picture from a good phone camera has 12 to 24 million
MAX_SIDE = 10_000  # pixels
WHITES = (2**8 - 1, 2**12 - 1, 2**16 - 1)  # of cameras and scanners that save more than 8 bits

BLOCK_ROWS = 256  # rows that are turned into uint8 at a time, to spare memory

Picture = Path | str | bytes | Image.Image | NDArray[Any]

# Python's list of warning filters belongs to all threads at once.
_FILTERS_LOCK = threading.Lock()


def decode(picture: Picture) -> NDArray[np.uint8]:
    """Decode a picture, upright, on white where it is transparent.

    Of a file with several frames or pages it is the first. Of more than 8 bits of grey, white is
    the most that 8, 12 or 16 bits hold, whichever is the least that holds the picture.

    Args:
        picture: A file, the bytes of one, an image of Pillow's, or an array: (H, W), (H, W, 3) or
            (H, W, 4), uint8 or bool, or floating point in [0, 1].

    Returns:
        (H, W) or (H, W, 3) uint8.

    Raises:
        DataNotFoundError: There is no such file, or it may not be read.
        DataFormatError: It cannot be decoded, is too large, or is an array of another form.
    """
    if isinstance(picture, np.ndarray):
        return _decode_array(picture)
    if isinstance(picture, Image.Image):
        return _decode_safely(picture, "the picture")
    if isinstance(picture, bytes | bytearray | memoryview):
        return _decode_file(io.BytesIO(picture), "the picture")
    if not isinstance(picture, str | Path):
        raise DataFormatError(
            f"the picture is a {type(picture).__name__}: expected a path, bytes, an image of "
            "Pillow's or a numpy array"
        )
    path = Path(picture)
    try:
        if not path.is_file():
            raise DataNotFoundError(f"{path}: there is no such file: expected a picture")
        with path.open("rb") as file:
            return _decode_file(file, str(path))
    except OSError as error:  # of finding, opening or reading; what decoding raises is ours by now
        raise DataNotFoundError(f"{path}: cannot be read ({error.strerror or error})") from error


def _decode_file(file: Any, name: str) -> NDArray[np.uint8]:
    """Decode an open file, after a look at the size that its header states."""
    try:
        with _FILTERS_LOCK, warnings.catch_warnings():
            # Pillow only warns of a picture that is too large, and our own limit is lower.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
    except Exception as error:
        raise _undecodable(name, error) from error
    with image:
        return _decode_safely(image, name)


def _decode_safely(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Decode an image of Pillow's; every error is a `DataFormatError`."""
    _check_size(image.height, image.width, name)
    try:
        return _decode_image(image, name)
    except DataFormatError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen kinds of error at damaged files
        raise _undecodable(name, error) from error


def _undecodable(name: str, error: Exception) -> DataFormatError:
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnidentifiedImageError):  # it would name an object in memory
        reason = "it is no picture, or of another kind"
    return DataFormatError(
        f"{name}: cannot be decoded ({reason}): expected a {', '.join(FORMATS)} picture of at "
        f"most {MAX_PIXELS:,} pixels"
    )


def _decode_image(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Turn an image of Pillow's into (H, W) or (H, W, 3) uint8."""
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        return _from_floats(np.asarray(image), name)
    if image.mode.startswith("I"):
        return _from_integers(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _decode_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn an array of one of the forms that `decode` takes into uint8."""
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,), (4,)) or array.size == 0:
        raise DataFormatError(
            f"the array has the shape {array.shape}: expected (H, W), (H, W, 3) or (H, W, 4)"
        )
    _check_size(array.shape[0], array.shape[1], "the array")
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.floating):
        array = _from_floats(array, "the array")
    if array.dtype != np.uint8:
        raise DataFormatError(
            f"the array is {array.dtype}: expected uint8, bool, or floating point in [0, 1]"
        )
    if array.shape[2:] == (4,):
        return _decode_image(Image.fromarray(array), "the array")
    return np.ascontiguousarray(array)


def _from_floats(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Turn brightness in [0, 1] into uint8, some rows at a time."""
    # Written so that NaN, which compares as false with everything, is refused too.
    if not (array.min() >= 0 and array.max() <= 1):
        raise DataFormatError(
            f"{name} has values from {array.min():g} to {array.max():g}: expected floating point "
            "in [0, 1] and no NaN"
        )
    pixels = np.empty(array.shape, np.uint8)
    for top in range(0, len(array), BLOCK_ROWS):
        rows = slice(top, top + BLOCK_ROWS)
        pixels[rows] = np.rint(array[rows].astype(np.float32) * 255)
    return pixels


def _from_integers(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn up to 16 bits of brightness into uint8: of the 8, 12 or 16 that hold the brightest."""
    brightest = min(int(array.max()), WHITES[-1])
    white = next(white for white in WHITES if brightest <= white)
    pixels = np.empty(array.shape, np.uint8)
    for top in range(0, len(array), BLOCK_ROWS):
        rows = slice(top, top + BLOCK_ROWS)
        pixels[rows] = np.clip(array[rows], 0, white).astype(np.int32) * 255 // white
    return pixels


def _check_size(height: int, width: int, name: str) -> None:
    """Refuse a picture that is empty or too large before any of it is decoded."""
    if min(height, width) < 1 or max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise DataFormatError(
            f"{name}: has {width}x{height} pixels: expected 1 to {MAX_SIDE:,} on a side and at "
            f"most {MAX_PIXELS:,} in all"
        )
