"""What lies around the paper on a picture: an envelope, a table, the black edge of a scan.

It is no ink, though it is as dark, and no paper, though it is wide. It shows at three sides of the
picture or at all; at fewer it may be a digit's straight strokes, in a tight picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import find_connected

Mask = NDArray[np.uint8]

LEAST_SIDES = 3  # of the four
RIM = 30  # grey levels: what is around the paper differs by more from it
DARK_SIDE = 0.6  # of a side of the picture: then it is not paper that lies there
NEAR = 5  # pixels: a square that reaches from what is around to what touches it


def without_rim(small: NDArray[np.uint8], grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a small picture without what is around the paper at three sides or all.

    Beside a black rim white paper looks like light ink. A rim goes as far inwards as the middle of
    a row of pixels is more like the outermost row's than like the middle of the picture.

    Args:
        small: (H, W) or (H, W, 3) uint8.
        grey: (H, W) uint8, its brightness.
    """
    high, wide = (max(1, side // 4) for side in grey.shape)
    middle = float(np.median(grey[high : high + 2 * high : 2, wide : wide + 2 * wide : 2]))
    sides = (grey, grey[::-1], grey.T, grey.T[::-1])
    edges = [float(np.median(side[0])) for side in sides]
    unlike = [abs(edge - middle) >= RIM for edge in edges]
    if sum(unlike) < LEAST_SIDES:
        return small
    cuts = [0, 0, 0, 0]
    for number, (side, edge) in enumerate(zip(sides, edges, strict=True)):
        rows = np.median(side[: len(side) // 3], axis=1)
        inside = np.abs(rows - middle) < np.abs(rows - edge)
        if unlike[number] and inside.any():
            cuts[number] = int(inside.argmax()) + 1
    top, bottom, left, right = cuts
    return np.ascontiguousarray(small[top : len(small) - bottom, left : small.shape[1] - right])


def find_surround(mask: Mask) -> Mask | None:
    """Return what may lie around the paper in a (H, W) mask; None where the paper has no dark rim.

    The rest of an envelope around its window, a table, the black edge of a scan: where three or
    all sides of a picture are dark, it is from each as far inwards as it is dark without a gap. Ink
    that touches it goes on inwards, and stays.
    """
    surround = np.zeros_like(mask)
    sides = 0
    for inwards, out in (
        (mask, surround),
        (mask[::-1], surround[::-1]),
        (mask.T, surround.T),
        (mask.T[::-1], surround.T[::-1]),
    ):
        if inwards[0].mean() < DARK_SIDE:
            continue
        sides += 1
        depth = np.where(inwards.all(axis=0), len(inwards), inwards.argmin(axis=0))
        reach = np.minimum(depth, 1.4 * np.quantile(depth, 0.75) + 2)
        out |= (np.arange(len(inwards))[:, None] < reach).astype(np.uint8)
    return surround if sides >= LEAST_SIDES else None


def is_around(surround: Mask, mask: Mask) -> bool:
    """Say whether most ink stands free of what may be around it, both (H, W).

    What is left of a digit that fills its picture does not.
    """
    pieces = find_connected(mask)
    near = np.asarray(cv2.dilate(surround, np.ones((NEAR, NEAR), np.uint8)), np.uint8)
    free = np.ones(len(pieces.measures), bool)
    free[np.unique(pieces.labels[near > 0])] = False
    free[0] = False
    areas = pieces.measures[:, cv2.CC_STAT_AREA]
    return bool(areas[free].sum() > areas[1:].sum() / 2)
