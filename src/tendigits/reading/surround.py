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
PLAIN = 0.8  # of the pixels at a side of paper have its colour
DARK_SIDE = 0.6  # of a side of the picture: then it is not paper that lies there
LEAST_SEEN = 8  # pixels: a smaller picture shows no paper in a rim
NEAR = 3  # pixels: a square that reaches from what is around to what touches it
SAME_SIDE = 0.8  # of a side of the picture is table, where paper lies on one
LEAST_PAPER = 0.01  # of the picture
LEAST_STRAIGHT = 0.9  # of the smallest rectangle around it: a sheet fills it, a digit does not
LEAST_SOLID = 0.7  # of its hull: what is written on it covers less than the rest
MARGIN = 1.0  # pixel of a small picture, by which paper ends before its edge
BESIDE = 9  # pixels of a small picture: a square from the sheet to where its shadow has ended
WIDE = 31  # pixels of a small picture: a square that is more table than anything on it
MOST_SEEN = 0.001  # of a picture: more is something that lies or is written beside the sheet


def find_paper(grey: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Return the corners, (4, 2), x and y, of a sheet on a darker table; None where there is none.

    Of what is brighter than Otsu's threshold, hardly anything is at three sides or at all, and the
    largest piece is a rectangle, but for what is written on it. The rest is plain: a label on a
    page of writing is no sheet. A bar of chalk may be one; nothing is written on it (`is_around`).

    Args:
        grey: (H, W) uint8, small and smooth.
    """
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    sides = [float(side.mean()) for side in (bright[0], bright[-1], bright[:, 0], bright[:, -1])]
    if sum(share <= 1 - SAME_SIDE for share in sides) < LEAST_SIDES:
        return None
    pieces = find_connected(np.asarray(bright, np.uint8))
    areas = pieces.measures[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    if areas.max() < LEAST_PAPER * grey.size:
        return None
    largest = np.arange(len(areas)) == areas.argmax()
    outlines, _ = cv2.findContours(
        pieces.where(largest), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    middle, (wide, high), angle = cv2.minAreaRect(outlines[0])
    hull = cv2.convexHull(outlines[0])
    covered = cv2.contourArea(hull) + cv2.arcLength(hull, closed=True) / 2
    if covered < LEAST_STRAIGHT * (wide + 1) * (high + 1) or areas.max() < LEAST_SOLID * covered:
        return None
    size = (max(1.0, wide + 1 - 2 * MARGIN), max(1.0, high + 1 - 2 * MARGIN))
    corners = np.asarray(cv2.boxPoints((middle, size, angle)), np.float32)
    return corners if is_plain_around(grey, corners) else None


def is_plain_around(grey: NDArray[np.uint8], corners: NDArray[np.float32]) -> bool:
    """Say whether nothing is to be seen on a (H, W) picture but a sheet with these corners, (4, 2).

    What is seen differs from the median around it, so that light may fall unevenly.
    """
    outside = np.ones(grey.shape, np.uint8)
    cv2.fillConvexPoly(outside, np.round(corners).astype(np.int32), 0)
    outside = np.asarray(cv2.erode(outside, np.ones((BESIDE, BESIDE), np.uint8)), np.uint8)
    table = grey.copy()
    table[outside == 0] = np.median(grey[outside > 0]) if outside.any() else 0
    seen = cv2.absdiff(table, cv2.medianBlur(table, WIDE)) >= RIM
    return bool((seen & (outside > 0)).sum() <= MOST_SEEN * grey.size)


def without_rim(small: NDArray[np.uint8], grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a small picture without what is around the paper at three sides or all.

    Beside a black rim white paper looks like light ink. A rim goes as far inwards as the middle of
    a row of pixels is more like the outermost row's than like the middle of the picture.

    Args:
        small: (H, W) or (H, W, 3) uint8.
        grey: (H, W) uint8, its brightness.
    """
    if min(grey.shape) < LEAST_SEEN:
        return small
    high, wide = (side // 4 for side in grey.shape)
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
    within = (slice(top, len(grey) - bottom), slice(left, grey.shape[1] - right))
    if not is_plain_at_sides(grey[within]):  # it is a digit's strokes that begin there
        return small
    return np.ascontiguousarray(small[within])


def is_plain_at_sides(grey: NDArray[np.uint8]) -> bool:
    """Say whether hardly a pixel at each side of a (H, W) picture differs from the others there."""
    sides = (grey[0], grey[-1], grey[:, 0], grey[:, -1])
    return all((np.abs(side - np.median(side)) < RIM).mean() >= PLAIN for side in sides)


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
