"""Any picture of one digit -> (28, 28) uint8, ink 255 on 0, as MNIST was made.

MNIST began as black and white scans of 128x128 pixels. They were cut to the ink, scaled until the
longest side was 20 pixels (the grey comes from averaging), and placed in 28x28 with the centre of
mass in the middle: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", 1998. `to_mnist_form` does the same to any picture, one step a function.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.imaging.connected import find_connected
from tendigits.imaging.decoding import Picture, decode

WORKING_SIDE = 512  # pixels: larger pictures are shrunk to this; MNIST's scans had 128
MIN_CONTRAST = 24  # grey levels of 255 between ink and ground; less is a blank picture
SPECK_SHARE = 0.03  # of the largest piece of ink: a smaller piece is dirt

SIDE = 28  # pixels: height and width of the result
BOX_SIDE = 20  # pixels: the longest side of the ink in the result
THIN_STROKE = 1.85  # pixels of the result: 95 in 100 of MNIST's training digits are wider
FINE_SIDE = 8 * BOX_SIDE  # pixels: the least longest side of ink whose strokes are widened
GRAIN = 0.75  # pixels of the result: smaller holes and gaps are the paper's, not the writer's
CENTRE = 14  # index of the row and the column that the centre of mass is rounded to, as in MNIST


def to_mnist_form(picture: Picture) -> NDArray[np.uint8]:
    """Bring a picture of one digit into the form that MNIST's pictures have.

    Args:
        picture: A file, the bytes of one, an image of Pillow's, or an array: (H, W), (H, W, 3) or
            (H, W, 4), uint8 or bool, or floating point in [0, 1]. Ink may be darker or lighter
            than the ground.

    Returns:
        (28, 28) uint8, ink 255 on 0; all 0 if the picture is blank.

    Raises:
        DataNotFoundError: There is no such file.
        DataFormatError: It cannot be decoded, is too large, or the array is not as above.
    """
    grey = shrink(to_grey(decode(picture)))
    flat = flatten_ground(make_ink_bright(grey))
    ink = cut_to_ink(measure_coverage(flat))
    return centre(scale_to_box(widen_thin_strokes(ink)))


def to_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn (H, W, 3) colours into (H, W) brightness; grey stays as it is."""
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def shrink(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average a (H, W) picture down until its longest side is at most 512 pixels."""
    return _scale(grey, WORKING_SIDE) if max(grey.shape) > WORKING_SIDE else grey


def make_ink_bright(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Invert a (H, W) picture if its ink is darker than its ground.

    The ground is what the border shows most. Ink is the extreme that is farther from it, seen
    through a blur of three pixels so that a single wild pixel does not decide.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(border))
    blurred = cv2.blur(grey, (3, 3))
    ink_is_dark = ground - float(blurred.min()) >= float(blurred.max()) - ground
    return 255 - grey if ink_is_dark else grey


def flatten_ground(bright: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Subtract the ground, and with it shadows and gradients, from (H, W) bright ink.

    The ground is a morphological opening: what remains of the brightness when everything narrower
    than half of the picture is taken away. A stroke always is.
    """
    side = max(bright.shape) // 2 + 1
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.morphologyEx(bright, cv2.MORPH_TOPHAT, kernel))


def measure_coverage(flat: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Say how much of each pixel ink covers.

    Otsu's threshold parts ink from ground. Between the mean of the ground and the mean of the ink,
    brightness is taken for coverage: a pixel on an edge is partly ink. Dirt is removed.

    Args:
        flat: (H, W) uint8, bright ink on a ground near 0.

    Returns:
        (H, W) float32, 0 (ground) to 1 (ink); all 0 if the picture is blank.
    """
    mask = _find_ink(flat)
    ground = float(flat[mask == 0].mean())
    ink = float(flat[mask == 1].mean()) if mask.any() else ground
    if ink - ground < MIN_CONTRAST:
        return np.zeros(flat.shape, np.float32)
    coverage: NDArray[np.float32] = (flat.astype(np.float32) - ground) / (ink - ground)
    coverage[_grow(_drop_specks(mask)) == 0] = 0
    return coverage.clip(0, 1)


def cut_to_ink(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smallest rectangle that holds all pixels of which ink covers half or more."""
    rows, columns = np.nonzero(coverage >= 0.5)
    if not len(rows):
        return coverage[:0, :0]
    return coverage[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def widen_thin_strokes(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw strokes that would come out thinner than MNIST's as wide as its thinnest.

    MNIST's writers used one kind of pen on one kind of form. A fine pen, or large writing, leaves
    less than two pixels of a stroke in the result, faint and broken.

    Args:
        ink: (H, W) float32 in [0, 1], cut to the ink.

    Returns:
        (H, W) float32 in [0, 1], cut to the ink: the same array if its strokes are wide enough,
        else one with a longest side of at least 160 pixels.
    """
    if not ink.size:
        return ink
    # Only enlarged, never shrunk: the finest strokes would be lost.
    fine = _scale(ink, FINE_SIDE) if max(ink.shape) < FINE_SIDE else ink
    unit = max(fine.shape) / BOX_SIDE  # pixels here for each of the result
    mask = _close_grain(np.pad(fine >= 0.5, round(THIN_STROKE * unit)), unit)
    missing = THIN_STROKE * unit - _stroke_width(mask) if mask.any() else 0
    if missing <= 0:
        return ink
    # The edge of the ink lies half a pixel before the middle of the first pixel outside.
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return cut_to_ink((outside - 0.5 <= missing / 2).astype(np.float32))


def scale_to_box(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale (H, W) until the longest side is 20 pixels, keeping the proportions."""
    return _scale(ink, BOX_SIDE) if ink.size else ink


def centre(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Place ink in 28x28 with its centre of mass in the middle, by whole pixels as in MNIST.

    Args:
        ink: (H, W) float32 in [0, 1], at most 20x20; an empty one gives a blank picture.

    Returns:
        (28, 28) uint8.
    """
    placed = np.zeros((SIDE, SIDE), np.uint8)
    mass = float(ink.sum())
    if mass == 0:
        return placed
    height, width = ink.shape
    top = _offset(ink.sum(axis=1) / mass)
    left = _offset(ink.sum(axis=0) / mass)
    placed[top : top + height, left : left + width] = np.rint(ink * 255)
    return placed


def _close_grain(mask: NDArray[np.bool_], unit: float) -> NDArray[np.uint8]:
    """Fill the small holes that a pencil, or a coarse screen, leaves in the strokes of a mask."""
    side = 2 * round(GRAIN * unit / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc))


def _stroke_width(mask: NDArray[np.uint8]) -> float:
    """Return the mean width of the strokes in a (H, W) mask that is 1 at ink, in pixels.

    Across a stroke of width w the distance to its edge goes from 0 to w / 2, and is w / 4 on
    average; OpenCV measures to the middle of the first pixel outside, half a pixel farther.
    """
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return 4 * (float(inside[mask == 1].mean()) - 0.5)


def _offset(profile: NDArray[np.float32]) -> int:
    """Return where a profile of mass, whose sum is 1, begins so that its mean is at the centre."""
    mean = float(profile @ np.arange(len(profile)))
    return min(max(CENTRE - round(mean), 0), SIDE - len(profile))


def _scale(pixels: NDArray[Any], longest: int) -> NDArray[Any]:
    """Scale (H, W) so that the longest side is `longest` and no side vanishes."""
    factor = longest / max(pixels.shape)
    height, width = (max(1, round(length * factor)) for length in pixels.shape)
    # Averaging areas is right when pixels are merged; it would give steps when they are invented.
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method))


def _find_ink(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a (H, W) mask, 1 where it is brighter than Otsu's threshold."""
    _, mask = cv2.threshold(flat, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(mask, np.uint8)


def _drop_specks(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Remove from a (H, W) mask the pieces that are tiny beside the largest."""
    pieces = find_connected(mask)
    areas = pieces.measures[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0  # piece 0 is the ground
    kept = areas >= SPECK_SHARE * areas.max()
    kept[0] = False
    return pieces.where(kept)


def _grow(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Widen a (H, W) mask by about one pixel of the result, to take in the soft edge of the ink."""
    rows, columns = np.nonzero(mask)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    side = 2 * max(1, round(longest / BOX_SIDE)) + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)))
