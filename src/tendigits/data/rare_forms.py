"""Twos, fours and nines as many hands write them, and MNIST's rarely, made from MNIST's.

A 2 begins with a curl; a 4 is a hook with a stem that begins at its bar; a 9 is an S whose bow
stays open, a small hook with a stem, or a P.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.data.digits import SIDE, Digits
from tendigits.imaging import centre, cut_to_ink, scale_to_box

FINE = 4  # worked on at so many times the size, for soft edges
MARGIN = 6  # pixels around the picture, for strokes that reach beyond it
INK = 128  # of 255: from here on a pixel counts to the stroke
PEN = (0.8, 1.1)  # of the stroke's width, that of a new stroke
STEM_LEFT = (0.0, 0.5)  # of the stem above the bar, what stays of it
ARM_ROWS = (0.2, 0.6)  # of the ink's height, between which a bar joins arm and stem
HOOK = (0.0, 0.45)  # of the ink's height, the length of the hook on a 4
HOOK_RISE = (-0.15, 0.5)  # of its length, by which it climbs
CURL_DEPTH = (0.08, 0.32)  # of the ink's height, by which the curl of a 2 falls
CURL_REACH = (0.05, 0.45)  # of its height, by which the curl then goes to the right
TURNED_SHARE = 0.3  # of the nines are turned into a P
LEAST_HOLE = 40  # fine pixels: a smaller one is a blot
LEAST_LEFT = 0.75  # of a nine's ink, or its stem was cut off
ABOVE_SHARE = 0.75  # of the other nines are open where bow and stem meet, the rest below
ABOVE = (-25.0, 0.0)  # degrees, where the gap begins; 0 is to the right, 90 upwards
ABOVE_GAP = (30.0, 55.0)  # degrees, that the gap goes on
BELOW = (180.0, 215.0)
BELOW_GAP = (60.0, 90.0)


def make_rare(digits: Digits, seed: int) -> Digits:
    """Return the twos, fours and nines of a set, written as they rarely are in MNIST.

    Args:
        digits: Pictures in MNIST form.
        seed: Fixes every stroke.

    Returns:
        A picture in MNIST form for each two with a start to its left, each four with an arm and a
        stem and each nine that is turned or has a bow and a stem, in their order; others are
        left out.
    """
    random = np.random.default_rng(seed)
    chosen = digits.take(np.flatnonzero(np.isin(digits.labels, list(FORMS))))
    images, labels = [np.zeros((SIDE, SIDE), np.uint8)], [0]  # so that there is one to stack
    for image, label in zip(chosen.images, chosen.labels.tolist(), strict=True):
        changed = FORMS[label](enlarge(image), random)
        if changed is not None:
            images.append(reduce(changed))
            labels.append(label)
    return Digits(images=np.stack(images)[1:], labels=np.array(labels[1:], np.uint8))


def curl_two(ink: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return a 2 that begins with a curl inside its bow; None if it does not begin on the left.

    Args:
        ink: (H, W) uint8, enlarged.
        random: Draws the curl.
    """
    rows = np.flatnonzero((ink >= INK).any(axis=1))
    if not len(rows):
        return None
    top, height = int(rows[0]), len(rows)
    upper = ink[top : top + height // 2] >= INK
    column = int(np.flatnonzero(upper.any(axis=0))[0])
    at_start = np.flatnonzero(upper[:, column])
    x, y = float(column), float(top + at_start[-1])
    pen = stroke_width(ink)
    if y < top + 0.1 * height:  # it begins with its top stroke, as a Z does
        return None
    deep, reach = height * random.uniform(*CURL_DEPTH), height * random.uniform(*CURL_REACH)
    x += pen / 2
    points = [
        (x, y - pen / 2),
        (x, y + 0.5 * deep),
        (x + 0.3 * reach, y + 0.9 * deep),
        (x + 0.7 * reach, y + deep),
        (x + reach, y + deep * random.uniform(0.6, 1.1)),
    ]
    curled = ink.copy()
    draw(curled, points, pen * random.uniform(*PEN))
    return curled


def open_four(ink: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return a 4 whose stem begins near its bar and whose arm has a hook; None without an arm.

    Args:
        ink: (H, W) uint8, enlarged.
        random: Draws the strokes.
    """
    rows = np.flatnonzero((ink >= INK).any(axis=1))
    if not len(rows):
        return None
    top, height = int(rows[0]), len(rows)
    first, last = (top + round(share * height) for share in ARM_ROWS)
    joined = next((row for row in range(first, last) if len(runs_of(ink[row])) == 1), None)
    both = [row for row in range(top, joined or top) if len(runs_of(ink[row])) == 2]
    if joined is None or len(both) < 0.1 * height:
        return None
    pen = float(np.median([right - left for row in both for left, right in runs_of(ink[row])]))
    opened = ink.copy()
    left_from = joined - random.uniform(*STEM_LEFT) * (joined - both[0])
    for row in range(top, round(left_from)):
        runs = runs_of(ink[row])
        if len(runs) == 2 or (len(runs) == 1 and runs[0][0] > runs_of(ink[both[0]])[1][0] - pen):
            opened[row, round(runs[-1][0] - pen / 2) :] = 0
    start = (sum(runs_of(ink[both[0]])[0]) / 2, both[0] + pen / 2)
    long = height * random.uniform(*HOOK)
    rise = long * random.uniform(*HOOK_RISE)
    middle, end = (
        (start[0] + 0.45 * long, start[1] - rise),
        (start[0] + long, start[1] - 0.7 * rise),
    )
    draw(opened, [start, middle, end], pen * random.uniform(*PEN))
    return opened


def change_nine(ink: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return a 9 turned into a P, or with a gap in its bow; None if there is no bow, or no stem."""
    if random.random() < TURNED_SHARE:
        return ink[:, ::-1].copy() if (ink >= INK).any() else None
    return open_nine(ink, random)


def open_nine(ink: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return a 9 with a gap in its bow; None if there is no bow, or no stem.

    Args:
        ink: (H, W) uint8, enlarged.
        random: Draws the gap.
    """
    count, parts, figures, middles = cv2.connectedComponentsWithStats(
        (ink < INK).astype(np.uint8), connectivity=4
    )
    holes = [part for part in range(1, count) if figures[part, 0] > 0]
    hole = max(holes, key=lambda part: int(figures[part, cv2.CC_STAT_AREA]), default=None)
    if hole is None or figures[hole, cv2.CC_STAT_AREA] < LEAST_HOLE:
        return None
    where, gap = (ABOVE, ABOVE_GAP) if random.random() < ABOVE_SHARE else (BELOW, BELOW_GAP)
    begin, wide = random.uniform(*where), random.uniform(*gap)
    x, y = middles[hole]
    down, across = np.indices(ink.shape)
    angle = np.degrees(np.arctan2(y - down, across - x))
    reach = cv2.distanceTransform((parts != hole).astype(np.uint8), cv2.DIST_L2, 3)
    outer = cv2.distanceTransform((ink >= INK).astype(np.uint8), cv2.DIST_L2, 3).max() * 2 + FINE
    opened = ink.copy()
    opened[((angle - begin) % 360 < wide) & (reach <= outer)] = 0
    left = keep_largest(opened)
    return left if left.sum() >= LEAST_LEFT * ink.sum() else None


def keep_largest(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W) ink without any but its largest part."""
    _, parts, figures, _ = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8))
    largest = 1 + int(figures[1:, cv2.CC_STAT_AREA].argmax())
    return np.where(parts == largest, ink, np.uint8(0))


FORMS = {2: curl_two, 4: open_four, 9: change_nine}


def stroke_width(ink: NDArray[np.uint8]) -> float:
    """Return twice the usual distance from the middle of a stroke to its edge, in pixels."""
    inside = cv2.distanceTransform((ink >= INK).astype(np.uint8), cv2.DIST_L2, 3)
    return 2 * float(np.median(inside[inside >= 0.7 * inside.max()]))


def runs_of(row: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return where ink begins and ends in a row, (W,)."""
    edges = np.flatnonzero(np.diff(np.pad(row >= INK, 1).astype(np.int8)))
    return [(int(left), int(right)) for left, right in edges.reshape(-1, 2)]


def draw(ink: NDArray[np.uint8], points: list[tuple[float, float]], pen: float) -> None:
    """Draw a broken line through points (x, y) into (H, W) ink, in place; `pen` in pixels."""
    corners = np.array([[round(x), round(y)] for x, y in points], np.int32)
    cv2.polylines(ink, [corners], False, 255, max(1, round(pen)), cv2.LINE_AA)


def enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a (28, 28) picture with a margin, `FINE` times as large."""
    paper = np.pad(image, MARGIN)
    size = (FINE * paper.shape[1], FINE * paper.shape[0])
    return np.asarray(cv2.resize(paper, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def reduce(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an enlarged picture in MNIST form."""
    size = (ink.shape[1] // FINE, ink.shape[0] // FINE)
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    return centre(scale_to_box(cut_to_ink(small.astype(np.float32) / np.float32(255))))
