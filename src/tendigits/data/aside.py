"""Which pictures are set aside to measure on: each by its own content, whatever others there are.

A picture that is measured on today must not be learned from tomorrow, when more have joined, nor
its copy today. So a picture's sha256 says on which side it is, not its place in an order.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray


def aside_by_content(images: NDArray[np.uint8], share: float, least: int = 1) -> NDArray[np.bool_]:
    """Return which pictures are set aside, (N,).

    Args:
        images: (N, H, W), at least twice `least`.
        share: About this share of them, above 0 and below 1. What is set aside at one share is set
            aside at every larger one.
        least: But at least so many, and at least so many are not; only to have these, where there
            are few, may a picture change its side when others join.
    """
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    places = np.array([int.from_bytes(digest[:8], "big") / 2**64 for digest in digests])
    aside = places < share
    order = np.argsort(places, kind="stable")
    aside[order[:least]] = True
    aside[order[len(order) - least :]] = False
    return np.asarray(aside)
