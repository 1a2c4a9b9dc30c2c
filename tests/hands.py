"""Digits of a hand that no shipped model knows."""

import numpy as np

from tendigits.data import Digits, DigitSet


def mirrored_sevens(mnist: DigitSet, count: int) -> Digits:
    """What somebody who writes sevens the other way round would correct."""
    sevens = mnist.test.take(np.flatnonzero(mnist.test.labels == 7)[:count])
    return Digits(images=sevens.images[:, :, ::-1].copy(), labels=sevens.labels)
