"""The 15 corruptions of MNIST-C, at the strength of MNIST-C, each a seeded function of pictures.

Norman Mu and Justin Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", 2019
(arXiv 1906.02337). What each does and its constants are those of the code that made MNIST-C
(https://github.com/google-research/mnist-c, corruptions.py), at the severity that is the default
there. Random numbers are drawn in another order, so single pictures differ from the published ones.

Every function takes (N, 28, 28) uint8, ink 255 on 0, and a generator of random numbers, and returns
new pictures of the same form. Lengths are in pixels, grey levels in shares of 255.
"""

import itertools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from tendigits.data.digits import SIDE
from tendigits.data.drawing import draw_lines, make_clouds
from tendigits.errors import UnknownNameError

Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating]
Corruption = Callable[[Pixels, Generator], Pixels]

MIDDLE = (SIDE - 1) / 2  # pixels: where the centre of a picture lies

SHOT_QUANTA = 3  # quanta of light that a pixel full of ink sends, on average
IMPULSE_SHARE = 0.17  # of the pixels, half of which become white and half black
GLASS_SIGMA, GLASS_ROUNDS = 0.7, 2  # pixels; passes over the picture
MOTION_SIGMA, MOTION_TAPS = 3.0, 21  # pixels: of the trail's fall, and its length
MOTION_ANGLE = 45  # degrees: the most that the trail rises or falls
SHEAR = 0.4  # radians
SHRINKING = 0.7  # new size / old size
TURN = 0.4  # radians
SHIFT = 3  # pixels, along both axes
LIGHT = 0.5  # grey added to every pixel
STRIPE = slice(7, 21)  # the columns that are left alone
FOG = 3.0  # brightest fog / full ink
FOG_DECAY = 1.4**2  # amplitude of a level / the next finer one's; MNIST-C squares 1.4
MUD = 63 / 255  # grey of a splash
MUD_MEAN, MUD_DEVIATION, MUD_LEVEL = 0.65, 0.3, 0.65  # of the noise that splashes are cut from
MUD_SIGMA, MUD_EDGE_SIGMA, MUD_THICK = 1.0, 1.5, 0.8  # pixels; pixels; share that counts as mud
DASH = 2  # pixels: length of the dashes and of the gaps of a dotted line
ZIGZAG_STEP, ZIGZAG_HEIGHT = 4, 2  # pixels between bends along the axis; from the axis to a bend
ZIGZAG_COLUMNS, ZIGZAG_FALL = (2, 25), 5  # of its axis: ends; rows that it climbs or falls at most
EDGE_SIGMA, EDGE_LOW, EDGE_HIGH = 1.0, 0.1, 0.2  # pixels; Sobel gradients of pictures in [0, 1]
EDGE_SCALE = 4096  # so that gradients, at most 4, keep three digits as 16-bit integers


def make_corrupted(images: Pixels, name: str, seed: int) -> Pixels:
    """Return `images` corrupted; the same seed always gives the same pictures.

    Args:
        images: (N, 28, 28) uint8, ink 255 on 0; they stay as they are.
        name: A key of `CORRUPTIONS`.
        seed: Of everything random.

    Returns:
        (N, 28, 28) uint8.

    Raises:
        UnknownNameError: No corruption has this name.
    """
    if name not in CORRUPTIONS:
        raise UnknownNameError("corruption", name, CORRUPTIONS)
    return CORRUPTIONS[name](images, np.random.default_rng(seed))


def shot_noise(images: Pixels, generator: Generator) -> Pixels:
    """Count light in quanta: a pixel of ink x becomes Poisson(3 x) / 3."""
    return _as_pixels(generator.poisson(images * (SHOT_QUANTA / 255)) / SHOT_QUANTA)


def impulse_noise(images: Pixels, generator: Generator) -> Pixels:
    """Make 17 % of the pixels black or white, as likely the one as the other."""
    wild = generator.random(images.shape) < IMPULSE_SHARE
    return np.where(wild, generator.integers(0, 2, images.shape, np.uint8) * 255, images)


def glass_blur(images: Pixels, generator: Generator) -> Pixels:
    """Exchange pixels with neighbours above and to the left at random, between two blurs.

    The blur is vertical: where MNIST-C was made, the columns of a grey picture were taken for its
    colour channels, which a blur does not mix.
    """
    shuffled = (_blur(images / 255, 0, GLASS_SIGMA) * 255).astype(np.uint8)
    for _ in range(GLASS_ROUNDS):
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                chosen = np.flatnonzero(generator.random(len(images)) < 0.5)
                up, left = generator.integers(0, 2, (2, len(chosen)))
                here, there = (chosen, row, column), (chosen, row - up, column - left)
                shuffled[here], shuffled[there] = shuffled[there], shuffled[here]
    return _as_pixels(_blur(shuffled / 255, 0, GLASS_SIGMA))


def motion_blur(images: Pixels, generator: Generator) -> Pixels:
    """Draw a trail to the left, half a Gaussian of sigma 3, that rises or falls.

    Its angle is up to 45 degrees. The trail goes from pixel to pixel, as ImageMagick draws it.
    """
    weights = np.exp(-(np.arange(MOTION_TAPS) ** 2) / (2 * MOTION_SIGMA**2))
    angles = np.deg2rad(generator.uniform(-MOTION_ANGLE, MOTION_ANGLE, len(images)))
    pictures, place = np.arange(len(images))[:, None, None], np.arange(SIDE)
    blurred = np.zeros(images.shape)
    for distance, weight in enumerate(weights / weights.sum()):
        down, right = (np.rint(distance * f(angles)).astype(int) for f in (np.sin, np.cos))
        rows = (down[:, None] + place).clip(0, SIDE - 1)[:, :, None]
        columns = (right[:, None] + place).clip(0, SIDE - 1)[:, None, :]
        blurred += weight * images[pictures, rows, columns]
    return _as_pixels(blurred / 255)


def shear(images: Pixels, generator: Generator) -> Pixels:
    """Slant by 0.4 radians to the left or the right, which also makes the digit a little taller."""
    angles = SHEAR * _signs(generator, len(images))
    return _warp(images, [[[1, -np.sin(a)], [0, np.cos(a)]] for a in angles])


def scale(images: Pixels, generator: Generator) -> Pixels:
    """Shrink to 0.7 times the size; `generator` is not used."""
    return _warp(images, [np.eye(2) / SHRINKING] * len(images))


def rotate(images: Pixels, generator: Generator) -> Pixels:
    """Turn by 0.4 radians (23 degrees) to the left or the right."""
    angles = TURN * _signs(generator, len(images))
    return _warp(images, [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])


def brightness(images: Pixels, generator: Generator) -> Pixels:
    """Add half of full ink to every pixel; `generator` is not used."""
    return _as_pixels(images / 255 + LIGHT)


def translate(images: Pixels, generator: Generator) -> Pixels:
    """Move by 3 pixels to the left or the right, and by 3 up or down."""
    moved = np.zeros_like(images)
    shifts = SHIFT * _signs(generator, (len(images), 2))
    for image, source, (down, right) in zip(moved, images, shifts, strict=True):
        padded = np.pad(source, SHIFT)
        image[:] = padded[SHIFT - down :, SHIFT - right :][:SIDE, :SIDE]
    return moved


def stripe(images: Pixels, generator: Generator) -> Pixels:
    """Invert the left and the right quarter; `generator` is not used."""
    inverted = 255 - images
    inverted[:, :, STRIPE] = images[:, :, STRIPE]
    return inverted


def fog(images: Pixels, generator: Generator) -> Pixels:
    """Add clouds up to three times as bright as ink, and darken all until that is full ink."""
    foggy = np.empty(images.shape)
    for image, source in zip(foggy, images / 255, strict=True):
        brightest = source.max()
        clouds = FOG * make_clouds(generator, decay=FOG_DECAY)[:SIDE, :SIDE]
        image[:] = (source + clouds) * brightest / (brightest + FOG)
    return _as_pixels(foggy)


def spatter(images: Pixels, generator: Generator) -> Pixels:
    """Splash dark grey mud over the picture: blurred noise, cut at a level, with soft edges."""
    noise = generator.normal(MUD_MEAN, MUD_DEVIATION, images.shape)
    splashes = (_blur(noise, MUD_SIGMA, MUD_SIGMA) > MUD_LEVEL).astype(np.float64)
    mud = _blur(splashes, MUD_EDGE_SIGMA, MUD_EDGE_SIGMA)
    mud[mud < MUD_THICK] = 0
    return _as_pixels(images / 255 * (1 - mud) + MUD * mud)


def dotted_line(images: Pixels, generator: Generator) -> Pixels:
    """Draw a dotted line from the left edge to the right one, each end at any height."""
    rows = generator.integers(0, SIDE - 1, (len(images), 2))
    starts = np.column_stack([np.zeros(len(images)), rows[:, 0]])
    ends = np.column_stack([np.full(len(images), SIDE - 1), rows[:, 1]])
    dashes = np.arange(SIDE) // DASH % 2
    return _as_pixels(images / 255 + draw_lines(starts, ends) * dashes)


def zigzag(images: Pixels, generator: Generator) -> Pixels:
    """Draw a zigzag from left to right that climbs or falls by up to 5 pixels on its way."""
    first, last = ZIGZAG_COLUMNS
    start = generator.integers(0, SIDE - 1, len(images))
    fall = generator.integers(-ZIGZAG_FALL, ZIGZAG_FALL, len(images))
    points = _place_bends(start, np.arctan(fall / (last - first)), np.hypot(fall, last - first))
    drawn = images / 255
    for begin, end in itertools.pairwise(points):
        drawn = (drawn + draw_lines(begin, end)).clip(0, 1)
    return _as_pixels(drawn)


def canny_edges(images: Pixels, generator: Generator) -> Pixels:
    """Keep the edges of the ink only, as Canny (1986) finds them; `generator` is not used."""
    smooth = EDGE_SCALE * _blur(images / 255, EDGE_SIGMA, EDGE_SIGMA)
    low, high = EDGE_LOW * EDGE_SCALE, EDGE_HIGH * EDGE_SCALE
    edges = np.empty_like(images)
    for image, source in zip(edges, smooth, strict=True):
        rightward, downward = (cv2.Sobel(source, cv2.CV_16S, x, 1 - x) for x in (1, 0))
        cv2.Canny(rightward, downward, low, high, image, L2gradient=True)
    return edges


CORRUPTIONS: dict[str, Corruption] = {
    function.__name__: function
    for function in (
        *(shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness),
        *(translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges),
    )
}


def _as_pixels(shares: Floats) -> Pixels:
    """Turn grey in shares of 255 into uint8, cutting off what is out of range."""
    return np.asarray(np.rint(shares.clip(0, 1) * 255), np.uint8)


def _signs(generator: Generator, shape: int | tuple[int, ...]) -> NDArray[np.int64]:
    """Return -1 or 1, as likely the one as the other, in an array of `shape`."""
    return 2 * generator.integers(0, 2, shape) - 1


def _warp(images: Pixels, matrices: ArrayLike) -> Pixels:
    """Take picture i at matrices[i], (2, 2), times each (x, y), from the middle; black outside."""
    warped = np.empty_like(images)
    for image, source, matrix in zip(warped, images, np.array(matrices), strict=True):
        shift = MIDDLE - matrix.sum(axis=1, keepdims=True) * MIDDLE
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(source, np.hstack([matrix, shift]), (SIDE, SIDE), image, flags)
    return warped


def _place_bends(start: NDArray[np.int64], angle: Floats, length: Floats) -> Floats:
    """Return (bends, N, 2), column and row, of N zigzags along axes that begin at a row `start`."""
    first, last = ZIGZAG_COLUMNS
    steps = np.arange(ZIGZAG_STEP / 2, last - first, ZIGZAG_STEP)
    bends = np.broadcast_to(steps[:, None], (len(steps), len(length)))
    along = np.vstack([np.zeros(len(length)), bends, length])
    across = np.pad(ZIGZAG_HEIGHT * (-1.0) ** np.arange(len(steps)), 1)[:, None]
    columns = first + along * np.cos(angle) - across * np.sin(angle)
    rows = start + along * np.sin(angle) + across * np.cos(angle)
    return np.stack([columns, rows], axis=-1)


def _blur(images: Floats, across: float, down: float) -> Floats:
    """Blur (N, H, W) by Gaussians of these sigmas, going on with the border's values outside."""
    blurred = np.empty_like(images)
    bells = _bell(across), _bell(down)
    for image, source in zip(blurred, images, strict=True):
        cv2.sepFilter2D(source, -1, *bells, image, borderType=cv2.BORDER_REPLICATE)
    return blurred


def _bell(sigma: float) -> Floats:
    """Return a Gaussian out to four sigma, of sum 1; for sigma 0 a single 1."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * max(sigma, 1e-9) ** 2))
    return np.asarray(weights / weights.sum())
