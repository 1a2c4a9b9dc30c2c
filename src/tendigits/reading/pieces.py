"""A line of ink -> atoms: pieces that are a digit, or a part of one, but never parts of two.

Every connected piece of ink is an atom; one that is wide enough to be two digits is cut along
seams.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import find_connected
from tendigits.reading.seams import GRAIN, Ink, Seam, Seams, slant_of
from tendigits.reading.segment import LINE_HEIGHT

Mask = NDArray[np.uint8]

CUT_WIDTH = 0.42 * LINE_HEIGHT  # pixels: a narrower piece is not cut
MOST_ATOMS = 300  # on a line: 85 digits, which are as many as fit; more is a texture or print


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


def find_atoms(mask: Mask, *, along_slant: bool = False) -> Atoms:
    """Divide a line into atoms; into none where there would be more than `MOST_ATOMS`.

    Args:
        mask: (H, W) uint8, 1 where there is ink; a usual digit is 48 pixels high.
        along_slant: Seams follow the slant of the piece that they cut instead of going straight
            down. More upright lines are misread so, but where the text is known, its digits are
            often cut better (LOG, 2026-11-26).
    """
    labels, measures, _ = find_connected(mask)
    seams = cache(lambda slant: Seams(mask, slant))
    numbers: list[int] = []  # of the atoms, in `labels`
    costs: dict[int, float] = {}  # of the seam on the left of an atom
    count = len(measures)
    for number, (*box, area) in enumerate(measures[1:].tolist(), 1):
        left, top, width, height = box
        if area < GRAIN:
            continue
        if len(numbers) > MOST_ATOMS:
            break
        numbers.append(number)
        if width < CUT_WIDTH:
            continue
        own = labels[top : top + height, left : left + width]
        piece = own == number
        found = seams(slant_of(piece) if along_slant else 0.0).through(piece, left, top)
        passed, crossed = cut(piece, found)
        parted = piece & (passed > 0)
        own[parted] = count - 1 + passed[parted]
        new = range(count, count + len(crossed))
        costs |= zip(new, crossed, strict=True)
        numbers += new
        count += len(crossed)
    return _collect(labels, numbers if len(numbers) <= MOST_ATOMS else [], costs, count)


def cut(
    piece: NDArray[np.bool_], seams: Iterable[tuple[float, Seam]]
) -> tuple[NDArray[np.int64], list[float]]:
    """Cut a piece of ink along seams, but for those between which only a grain is left.

    Args:
        piece: (h, w), where it is.
        seams: From left to right, each with the pixels of ink that it crosses.

    Returns:
        (h, w) int64, the number of cuts on the left of each pixel; what each cut crosses.
    """
    height, width = piece.shape
    ink, edge = Ink(piece), np.zeros(height, np.int64)
    cuts, crossed = np.zeros((height, width + 1), np.int64), []
    for cost, seam in seams:
        if ink.is_parted(edge, seam):
            edge = np.maximum(edge, seam)
            cuts[ink.rows, np.minimum(edge, width)] += 1
            crossed.append(cost)
    return cuts.cumsum(axis=1)[:, :-1], crossed


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
    kept = kept[np.argsort((left + right)[kept], kind="stable")]
    renumber = np.zeros(count, np.int32)
    renumber[kept] = np.arange(1, len(kept) + 1)
    return Atoms(
        labels=renumber[labels],
        boxes=np.stack([left, top, right, bottom], axis=1)[kept].astype(np.int64),
        areas=areas[kept],
        cuts=np.array([costs.get(int(number), 0.0) for number in kept] + [0.0]),
    )
