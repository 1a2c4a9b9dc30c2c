"""A line of ink -> atoms: pieces that are a digit, or a part of one, but never parts of two.

Every connected piece of ink is an atom; one that is wide enough to be two digits is cut along
seams: paths from the top of the line to the bottom that cross as little ink as they can.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.reading.segment import LINE_HEIGHT

Mask = NDArray[np.uint8]
Costs = NDArray[np.float32]

CUT_WIDTH = 0.42 * LINE_HEIGHT  # pixels: a narrower piece is not cut
LEAST_PART = 0.1 * LINE_HEIGHT  # pixels: from where a seam is looked for to the piece's ends
MOST_CUT = 0.5 * LINE_HEIGHT  # pixels of ink: a seam that crosses more cuts a digit through
SIDEWAYS = 0.15  # pixels of ink: what a step to the side costs a seam, so that it is no detour
LEVELS = (0.2, 0.35, 0.5, 0.65, 0.8)  # of a piece's height: a seam is looked for at each of these
SEAM_SPACE = 0.2 * LINE_HEIGHT  # pixels of a piece for each of its seams, to bound time
APART = 0.08 * LINE_HEIGHT  # pixels: the mean distance of two seams, or they are one
VALLEY = 2  # pixels to both sides: a seam crosses less ink than those next to it
MOST_ATOMS = 120  # on a line; more is a texture or a scribble
GRAIN = 12.0  # pixels of ink, of 48x48: a smaller piece is dirt


@dataclass(frozen=True, kw_only=True, eq=False)
class Atoms:
    """The atoms of a line, left to right.

    Attributes:
        labels: (H, W) int32, 0 on the ground, atom 0 is 1 and so on.
        boxes: (N, 4) int64: left, top, right, bottom; right and bottom are outside.
        areas: (N,) float64: pixels of ink.
        cuts: (N + 1,) float64: pixels of ink that were cut through before each atom and after the
            last; 0 where there was a gap.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]
    areas: NDArray[np.float64]
    cuts: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.areas)


def find_atoms(mask: Mask) -> Atoms:
    """Divide a line into atoms.

    Args:
        mask: (H, W) uint8, 1 where there is ink; a usual digit is 48 pixels high.
    """
    _, found, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    labels = np.asarray(found, np.int32)
    seams = Seams(mask)
    numbers: list[int] = []  # of the atoms, in `labels`
    costs: dict[int, float] = {}  # of the seam on the left of an atom
    count = len(statistics)
    for number, (left, top, width, height, area) in enumerate(statistics[1:].tolist(), 1):
        if area < GRAIN:
            continue
        numbers.append(number)
        if width < CUT_WIDTH:
            continue
        own = labels[top : top + height, left : left + width]
        rest = own == number
        for cost, columns in seams.through(left, top, width, height):
            right = rest & (np.arange(left, left + width) >= columns[top : top + height, None])
            if right.sum() < GRAIN or rest.sum() - right.sum() < GRAIN:
                continue
            own[right] = count
            costs[count] = cost
            numbers.append(count)
            rest = right
            count += 1
    return _collect(labels, numbers, costs, count)


def _collect(
    labels: NDArray[np.int32], numbers: list[int], costs: dict[int, float], count: int
) -> Atoms:
    """Number the atoms from left to right."""
    rows, columns = np.nonzero(labels)
    owners = labels[rows, columns]
    areas = np.bincount(owners, minlength=count).astype(np.float64)
    kept = np.array([number for number in numbers if areas[number] > 0], np.int64)
    left, top = (np.full(count, 2**31) for _ in range(2))
    right, bottom = (np.zeros(count, np.int64) for _ in range(2))
    np.minimum.at(left, owners, columns)
    np.minimum.at(top, owners, rows)
    np.maximum.at(right, owners, columns + 1)
    np.maximum.at(bottom, owners, rows + 1)
    kept = kept[np.argsort((left + right)[kept], kind="stable")][:MOST_ATOMS]
    renumber = np.zeros(count, np.int32)
    renumber[kept] = np.arange(1, len(kept) + 1)
    return Atoms(
        labels=renumber[labels],
        boxes=np.stack([left, top, right, bottom], axis=1)[kept].astype(np.int64),
        areas=areas[kept],
        cuts=np.array([costs.get(int(number), 0.0) for number in kept] + [0.0]),
    )


class Seams:
    """The cheapest ways through a line of ink, from the top to the bottom."""

    def __init__(self, mask: Mask) -> None:
        costs, back = _descend(np.stack([mask, mask[::-1]], axis=1))
        self.down, self.up = costs[:, 0], costs[::-1, 1]
        self.back_down: list[list[int]] = back[:, 0].tolist()  # lists: quicker to follow
        self.back_up: list[list[int]] = back[::-1, 1].tolist()
        self.total = self.down + self.up - mask  # a pixel's own ink is in both

    def through(
        self, left: int, top: int, width: int, height: int
    ) -> list[tuple[float, NDArray[np.int64]]]:
        """Return the seams that may part a piece of ink, left to right.

        Args:
            left: Of the piece, and so on.
            top: In pixels.
            width: In pixels.
            height: In pixels.

        Returns:
            For each seam, pixels of ink that it crosses, and its column in each row, (H,).
        """
        inner = np.arange(int(np.ceil(LEAST_PART)), width - int(np.ceil(LEAST_PART)))
        places = []  # cost, row, column
        rows = sorted({top + int(level * (height - 1)) for level in LEVELS})
        profiles = self.total[rows, left : left + width]
        good = (profiles <= MOST_CUT) & are_valleys(profiles)
        for row, profile, here in zip(rows, profiles, good, strict=True):
            low = inner[here[inner]].tolist()
            places += [(float(profile[place]), row, left + place) for place in low]
        chosen: list[tuple[float, NDArray[np.int64]]] = []
        parts = np.empty((0, height), np.int64)  # of the chosen, within the piece
        for cost, row, column in sorted(places):
            if len(chosen) * SEAM_SPACE > width:
                break
            seam = self._trace(row, column)
            part = seam[top : top + height]
            if (np.abs(parts - part).mean(axis=1) >= APART).all():
                chosen.append((cost, seam))
                parts = np.vstack([parts, part])
        return sorted(chosen, key=lambda found: float(found[1][top : top + height].mean()))

    def _trace(self, row: int, column: int) -> NDArray[np.int64]:
        """Return the column in each row of the cheapest seam through a pixel."""
        columns = [column] * len(self.total)
        place = column
        for above in range(row, 0, -1):
            place += self.back_down[above][place]
            columns[above - 1] = place
        place = column
        for below in range(row, len(columns) - 1):
            place += self.back_up[below][place]
            columns[below + 1] = place
        return np.array(columns)


def are_valleys(profiles: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where each of some profiles, (R, W), is as low as anywhere within a few pixels."""
    around = np.pad(profiles, ((0, 0), (VALLEY, VALLEY)), mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(around, 2 * VALLEY + 1, axis=1).min(axis=2)
    return np.asarray(profiles <= lowest + 1e-3)


def _descend(masks: Mask) -> tuple[Costs, NDArray[np.int8]]:
    """Return what the cheapest way from the top to each pixel costs, and where it came from.

    Args:
        masks: (H, M, W): M masks beside each other, 1 where there is ink.

    Returns:
        (H, M, W) float32: pixels of ink crossed, and something for each step to the side; and
        (H, M, W) int8: the step to the column in the row above.
    """
    height, count, width = masks.shape
    padded = np.full((height, count, width + 2), np.inf, np.float32)
    cost = padded[..., 1:-1]
    cost[0] = masks[0]
    aside = np.empty((count, width + 2), np.float32)
    for row in range(1, height):
        np.add(padded[row - 1], np.float32(SIDEWAYS), out=aside)
        np.minimum(aside[:, :-2], aside[:, 2:], out=cost[row])
        np.minimum(cost[row], cost[row - 1], out=cost[row])
        np.add(cost[row], masks[row], out=cost[row])
    above = padded[:-1]
    ways = np.stack([above[..., 1:-1], above[..., :-2], above[..., 2:]])
    ways[1:] += np.float32(SIDEWAYS)
    back = np.zeros((height, count, width), np.int8)
    back[1:] = np.array([0, -1, 1], np.int8)[ways.argmin(axis=0)]
    return cost, back
