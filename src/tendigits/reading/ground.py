"""A decoded picture -> how much ink each pixel has, whatever the light, the paper and the colour.

The ground is what remains of the brightness when everything as narrow as a stroke is taken away (a
morphological closing; an opening where the ink is light). Ink is the share of the ground's light
that it swallows, so that shadows and gradients fall out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.reading.surround import find_paper, find_surround, is_around, without_rim

Ink = NDArray[np.float32]
Mask = NDArray[np.uint8]

MOST_SIDE = (
    2_400  # pixels: larger pictures are shrunk to this; a page's digits stay 25 or more high
)
LEAST_SIDE = 24  # pixels: the shorter side of smaller pictures is enlarged to this or more
LOOK_SIDE = 256  # pixels: on which colour and polarity are decided
INK_SHARE = 0.7  # percent of a picture: there is more ink on it than this
UNUSUAL = 0.9  # light ink, or one channel alone, has to show more clearly than dark ink in grey
DARKEST = 120  # grey levels: a darker ground counts as this one, or ratios would be noise
WIDEST_STROKE = 0.3  # of the shorter side; a stroke is narrower, or it is no stroke
MOST_WIDTH = 121  # pixels: nor is it wider than this in a large picture
WINDOW_STROKES = 3.0  # strokes: the ground is what is wider than these, once strokes are known

FULL = 0.6  # of the ink: what is darker than so much of it is as dark as ink is

LEAST_CONTRAST = 0.08  # of the ground's light: paler than this is a blank picture
LEAST_SEPARATION = 3.5  # standard deviations of the ground between the means of ground and ink
WEAK = 0.75  # of the threshold: ink as pale as this counts where it touches darker ink


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """A picture, divided into ink and ground.

    Attributes:
        ink: (H, W) float32, 0 (ground) to 1 (as dark as ink is), 0.5 at the edge of the ink.
        mask: (H, W) uint8, 1 where there is ink; all 0 if the picture is blank.
        stroke: Width of the strokes, in pixels of the working size.
        matrix: (2, 3) float64, takes a point (x, y) of the working size to the picture.
    """

    ink: Ink
    mask: Mask
    stroke: float
    matrix: NDArray[np.float64]

    @property
    def rows(self) -> tuple[float, float]:
        """Where the page begins and ends in the picture, from its upper edge, in pixels."""
        top = float(self.matrix[1, 2])
        return top, top + float(self.matrix[1, 1]) * len(self.mask)


def find_ink(pixels: NDArray[np.uint8]) -> Ground:
    """Divide a picture into ink and ground.

    Where it shows a sheet on a table, only the sheet is looked at.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.

    Returns:
        How much ink each pixel has, and where there is ink.
    """
    pixels, scale = to_working_size(pixels)
    if pixels.ndim == 3 and is_grey(pixels):  # as a browser sends what is drawn
        pixels = np.ascontiguousarray(pixels[..., 0])
    matrix = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]])
    small = look_at(pixels)
    found = find_paper(split_channels(small, (0,))[0])
    if found is not None:
        corners = (found + 0.5) * (np.array(pixels.shape[1::-1]) / small.shape[1::-1]) - 0.5
        left, top = np.maximum(0, np.floor(corners.min(axis=0))).astype(int)
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
        sheet = pixels[top:bottom, left:right]
        table = np.ones(sheet.shape[:2], np.uint8)
        cv2.fillConvexPoly(table, np.round(corners - [left, top]).astype(np.int32), 0)
        moved = chain(matrix, np.array([[1.0, 0, left], [0, 1.0, top]]))
        ground = divide(sheet, look_at(sheet), moved, table)
        if is_around(table, ground.mask):  # else it was a bar of chalk
            return ground
    return divide(pixels, small, matrix)


def divide(
    pixels: NDArray[np.uint8],
    small: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    surround: Mask | None = None,
) -> Ground:
    """Divide a picture, (H, W) or (H, W, 3), into ink and ground.

    It is done twice: with the widest stroke that there may be, then with the strokes found.

    Args:
        pixels: Of the working size.
        small: The same, as `look_at` returns it.
        matrix: See `Ground`.
        surround: (H, W) uint8, 1 where it is known that there is no paper.
    """
    smooth = np.asarray(cv2.GaussianBlur(show_ink_dark(pixels, small), (0, 0), 0.8), np.uint8)
    width = min(int(WIDEST_STROKE * min(smooth.shape)), MOST_WIDTH)
    swallowed = measure_swallowed(smooth, width, surround)
    mask, threshold = find_mask(swallowed)
    rim = find_surround(mask) if surround is None else None
    if rim is not None:
        within = measure_swallowed(smooth, width, rim)
        inner, inner_threshold = find_mask(within)
        if is_around(rim, inner):
            surround, swallowed, mask, threshold = rim, within, inner, inner_threshold
    stroke = measure_stroke(mask)
    if 0 < WINDOW_STROKES * stroke < width / 1.5:
        swallowed = measure_swallowed(smooth, round(WINDOW_STROKES * stroke), surround)
        mask, threshold = find_mask(swallowed)
    if not mask.any():
        return Ground(ink=np.zeros(mask.shape, np.float32), mask=mask, stroke=0.0, matrix=matrix)
    full = value_at(swallowed[mask > 0], FULL)
    ink = 0.5 + 0.5 * (swallowed - threshold) / max(full - threshold, 1e-3)
    return Ground(ink=ink.clip(0, 1), mask=mask, stroke=measure_stroke(mask), matrix=matrix)


def turn(ground: Ground, slope: float) -> Ground:
    """Turn a page until lines that fall by `slope` for one to the right are level."""
    height, width = ground.mask.shape
    cosine, sine = np.cos(np.arctan(slope)), np.sin(np.arctan(slope))
    rotation = np.array([[cosine, sine], [-sine, cosine]])
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)]) @ rotation.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    matrix = np.hstack([rotation, -low[:, None]])
    size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
    ink = np.asarray(cv2.warpAffine(ground.ink, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
    back = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    return Ground(
        ink=ink,
        mask=(ink > 0.5).astype(np.uint8),
        stroke=ground.stroke,
        matrix=chain(ground.matrix, back),
    )


def chain(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that does what `inner` does, then what `outer` does."""
    return np.asarray((np.vstack([outer, [0, 0, 1]]) @ np.vstack([inner, [0, 0, 1]]))[:2])


def to_working_size(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Shrink what is large and enlarge what is tiny; returns the pixels and the factor."""
    longest, shortest = max(pixels.shape[:2]), min(pixels.shape[:2])
    scale = min(1.0, MOST_SIDE / longest)
    if shortest * scale < LEAST_SIDE:
        scale = min(LEAST_SIDE / shortest, MOST_SIDE / longest)
    if scale == 1:
        return pixels, 1.0
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method)), scale


def show_ink_dark(pixels: NDArray[np.uint8], small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the (H, W) channel that shows the ink best, with the ink dark.

    Of grey, red, green and blue, each as it is and inverted, it is the one in which a few pixels
    are darkest beside the median of their neighbourhood: blue ink is dark in the red channel, and
    chalk is dark when inverted.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        small: The same, as `look_at` returns it.
    """
    channels = split_channels(without_rim(small, *split_channels(small, (0,))))
    best, is_light, most = 0, False, -1.0
    for number, channel in enumerate(channels):
        dark, light = darkest_and_lightest(channel.astype(np.int16) - wide_median(channel))
        for found, inverted in ((-dark, False), (UNUSUAL * light, True)):
            found *= UNUSUAL if number else 1.0
            if found > most:
                best, is_light, most = number, inverted, found
    shown = split_channels(pixels, (best,))[0]
    return np.ascontiguousarray(255 - shown if is_light else shown)


def split_channels(
    pixels: NDArray[np.uint8], chosen: Sequence[int] = range(4)
) -> list[NDArray[np.uint8]]:
    """Return the chosen ones of grey, red, green and blue; grey alone where there is no colour."""
    if pixels.ndim == 2:
        return [pixels]
    return [
        pixels[..., number - 1]
        if number
        else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        for number in chosen
    ]


def darkest_and_lightest(excess: NDArray[np.int16]) -> tuple[float, float]:
    """Return what `INK_SHARE` percent of (H, W) values are below, and what as many are above."""
    beyond = round(INK_SHARE / 100 * (excess.size - 1))
    places = [beyond, excess.size - 1 - beyond]
    dark, light = np.partition(excess, places, axis=None)[places].tolist()
    return float(dark), float(light)


def wide_median(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the median around each pixel of a (H, W) picture, found on every second pixel."""
    half = np.ascontiguousarray(small[::2, ::2])
    window = min(int(0.6 * min(half.shape)), 255) | 1
    median = cv2.medianBlur(half, max(3, window))
    size = small.shape[::-1]
    return np.asarray(cv2.resize(median, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Say whether a (H, W, 3) picture has no colour."""
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return bool((red == green).all() and (green == blue).all())


def look_at(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture, (H, W) or (H, W, 3), small and smooth, to decide on."""
    scale = min(1.0, LOOK_SIDE / max(pixels.shape[:2]))
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        size = (width, height)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.blur(pixels, (3, 3)), np.uint8)


def measure_swallowed(smooth: NDArray[np.uint8], width: int, surround: Mask | None = None) -> Ink:
    """Return which share of the ground's light each pixel of a (H, W) picture swallows.

    Args:
        smooth: (H, W) uint8, ink dark.
        width: Pixels that no stroke is as wide as.
        surround: (H, W) uint8, 1 where there is no paper, and so no ink; None for nowhere.
    """
    if surround is not None:
        # Black there, the closing takes its edge for ink, and finds the paper's light next to it.
        dark = np.where(surround > 0, np.uint8(0), smooth)
        return np.where(surround > 0, np.float32(0), measure_swallowed(dark, width))
    step = max(1, width // 24)  # a wide closing of a small picture is as good, and much quicker
    small = smooth
    if step > 1:
        size = tuple(max(1, side // step) for side in smooth.shape[::-1])
        small = np.asarray(cv2.resize(smooth, size, interpolation=cv2.INTER_AREA), np.uint8)
    kernel = np.ones((max(3, width // step | 1),) * 2, np.uint8)
    ground = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), (5, 5))
    if step > 1:
        ground = cv2.resize(ground, smooth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    light = np.maximum(ground, DARKEST).astype(np.float32)
    return np.asarray(((ground - smooth.astype(np.float32)) / light).clip(0, 1), np.float32)


def find_mask(swallowed: Ink) -> tuple[Mask, float]:
    """Return where there is ink, (H, W) uint8, all 0 if the picture is blank, and the threshold.

    Otsu's threshold parts ink from ground. Paler ink counts too where it is connected to ink.
    """
    levels = np.asarray(swallowed * 255, np.uint8)
    threshold, found = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    strong = np.asarray(found, np.uint8)
    if not strong.any() or strong.all() or not is_separate(swallowed, strong):
        return np.zeros(swallowed.shape, np.uint8), 1.0
    weak = (levels > WEAK * threshold).astype(np.uint8)
    count, pieces = cv2.connectedComponents(weak, connectivity=8)
    holds_ink = np.zeros(count, np.uint8)
    holds_ink[pieces[strong > 0]] = 1
    holds_ink[0] = 0
    return np.take(holds_ink, np.asarray(pieces)), WEAK * threshold / 255


def is_separate(swallowed: Ink, mask: Mask) -> bool:
    """Say whether ink stands out from the ground, or both are grains of the same paper."""
    ink, _ = cv2.meanStdDev(swallowed, mask=mask)
    ground, spread = cv2.meanStdDev(swallowed, mask=1 - mask)
    contrast = float(ink[0, 0] - ground[0, 0])
    return contrast >= max(LEAST_CONTRAST, LEAST_SEPARATION * float(spread[0, 0]))


def measure_stroke(mask: Mask) -> float:
    """Return the width of the strokes in a (H, W) mask, in pixels; 0 if there are none.

    It is what covers the middle one of all ink pixels: area over half of the outline, piece by
    piece, would let one blot decide.
    """
    if not mask.any():
        return 0.0
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    # Through a stroke of width w, depths rise evenly from 0 to w / 2: their mean is w / 4.
    return 4 * value_at(depth[depth > 0], 0.5) - 1


def value_at(values: NDArray[Any], share: float) -> float:
    """Return the value that a share of some values lies below; quicker than `np.quantile`."""
    place = min(int(share * len(values)), len(values) - 1)
    return float(np.partition(values, place)[place])
