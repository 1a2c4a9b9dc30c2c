"""How a line of digits is written: one slant, one pen, one size."""

from dataclasses import dataclass

import numpy as np

Random = np.random.Generator

CARE = (0.35, 0.35, 1.0)  # how far a hand strays from its usual digit: two in three are neat


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How a line is written. Lengths are in heights of a digit unless said otherwise.

    Attributes:
        height: Of a usual digit, in pixels, at least 8.
        slant: To the right for one upwards.
        pen: Width of a stroke.
        gap: Between two digits, where they come closest; below 0 they overlap.
        gap_spread: Standard deviation of the gap.
        size_spread: Standard deviation of the logarithm of a digit's size.
        ones: Size of a 1, times that of other digits.
        zeros: Size of a 0, times that of other digits.
        stands: Whether smaller and larger digits stand on one line (1), have their middles at one
            height (0), or something between.
        width: Of a digit, times that of MNIST's.
        width_spread: Standard deviation of the logarithm of a digit's width.
        drift: Standard deviation of a digit's height above the line.
        climb: How much the line rises for one to the right; 0.27 is 15 degrees.
        broken: The chance that a digit's stroke has a gap.
        marks: The chance of points, commas and dashes.
        european: The chance that a 7 is crossed and a 1 has a flag.
        flourish: The chance that a 9 ends in a hook, a 0 has a tail, a 4 is closed and the bar of
            a 5 is long.
        wobble: Standard deviation of how far a digit's strokes stray, in pixels of MNIST's form.
    """

    height: float = 40
    slant: float = 0.1
    pen: float = 0.11
    gap: float = 0.2
    gap_spread: float = 0.05
    size_spread: float = 0.06
    ones: float = 1.0
    zeros: float = 1.0
    stands: float = 0.0
    width: float = 1.0
    width_spread: float = 0.0
    drift: float = 0.03
    climb: float = 0.0
    broken: float = 0.0
    marks: float = 0.0
    european: float = 0.0
    flourish: float = 0.0
    wobble: float = 0.0


def sample_hand(random: Random) -> Hand:
    """Return a hand such as there are: mostly neat, some touching, few overlapping."""
    strays = float(random.choice(CARE))
    return Hand(
        height=float(np.exp(random.uniform(np.log(15), np.log(64)))),
        slant=float(random.normal(0.18, 0.24)),
        pen=float(np.exp(random.normal(np.log(0.11), 0.33)).clip(0.05, 0.25)),
        gap=float(random.choice([random.uniform(0.05, 0.6), random.normal(0.04, 0.06)])),
        gap_spread=float(random.uniform(0.01, 0.12)),
        size_spread=strays * float(random.uniform(0.02, 0.2)),
        ones=float(random.choice([1.0, random.uniform(1.0, 1.5)])),
        zeros=float(random.choice([1.0, random.uniform(0.5, 1.0)])),
        stands=float(random.uniform(0, 1)),
        width=float(np.exp(random.normal(0.08, 0.2))),
        width_spread=strays * float(random.uniform(0, 0.22)),
        drift=strays * float(random.uniform(0, 0.1)),
        climb=float(random.normal(0, 0.04)),
        broken=float(random.choice([0.0, 0.15])),
        marks=float(random.choice([0.0, 0.7])),
        european=float(random.choice([0.0, 0.9])),
        flourish=float(random.choice([0.0, 0.5])),
        wobble=strays * float(random.uniform(0, 1.0)),
    )
