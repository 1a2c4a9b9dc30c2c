"""What some corruptions draw over pictures: soft lines, and clouds."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tendigits.data.digits import SIDE

Floats = NDArray[np.float64]

LINE_FALL = 2.3  # pixels: at this height above or below a line the logarithm has its pole
LINE_REACH = LINE_FALL * (1 - np.exp(-1))  # pixels: from here on, about 1.45, there is no ink

CLOUD_SIDE = 256  # pixels, a power of two


def draw_lines(starts: Floats, ends: Floats) -> Floats:
    """Draw a line in each of N pictures, as MNIST-C does.

    At the height d above or below the line the ink is 1 + log(1 - d / 2.3), and no less than 0.

    Args:
        starts: (N, 2), column and row where each line begins, in pixels.
        ends: (N, 2), where it ends, to the right of where it begins.

    Returns:
        (N, 28, 28) in [0, 1].
    """
    places = np.arange(SIDE)
    columns, rows = starts[:, :1], starts[:, 1:]
    slopes = (ends[:, 1:] - rows) / (ends[:, :1] - columns)
    heights = np.abs(places[:, None] - (rows + slopes * (places - columns))[:, None, :])
    ink = 1 + np.log1p(-np.minimum(heights, LINE_REACH) / LINE_FALL)
    covered = (places >= np.floor(columns)) & (places < np.ceil(ends[:, :1]))
    return np.asarray(ink.clip(0, 1) * covered[:, None, :])


def make_clouds(generator: Generator, *, decay: float) -> NDArray[np.float32]:
    """Make clouds that go on over the edges: random midpoint displacement on a square.

    A. Fournier, D. Fussell and L. Carpenter, "Computer rendering of stochastic models", 1982, in
    the diamond-square form. Each new point is the mean of its four neighbours and a random number.

    Args:
        generator: Of random numbers.
        decay: How many times weaker the random numbers of the next finer level are, above 1.

    Returns:
        (256, 256) float32, from 0 to 1.
    """
    clouds = np.zeros((CLOUD_SIDE, CLOUD_SIDE), np.float32)
    amplitude, step = 1.0, CLOUD_SIDE
    while step > 1:
        half = step // 2
        corners, noise = clouds[::step, ::step], _noise(generator, CLOUD_SIDE // step, amplitude)
        across, down = corners + np.roll(corners, -1, 1), corners + np.roll(corners, -1, 0)
        middles = (across + np.roll(across, -1, 0)) / 4 + noise[0]
        clouds[half::step, half::step] = middles
        clouds[::step, half::step] = (across + middles + np.roll(middles, 1, 0)) / 4 + noise[1]
        clouds[half::step, ::step] = (down + middles + np.roll(middles, 1, 1)) / 4 + noise[2]
        amplitude, step = amplitude / decay, half
    clouds -= clouds.min()
    return np.asarray(clouds / clouds.max())


def _noise(generator: Generator, side: int, amplitude: float) -> NDArray[np.float32]:
    """Return three (side, side) layers of random numbers between -amplitude and amplitude."""
    return np.float32(amplitude) * (2 * generator.random((3, side, side), np.float32) - 1)
