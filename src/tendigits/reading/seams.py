"""Seams: paths from the top of a line to the bottom that cross as little ink as they can."""

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.segment import LINE_HEIGHT

Mask = NDArray[np.uint8]
Costs = NDArray[np.float32]
Seam = NDArray[np.int64]  # its column in each row of a piece of ink, (h,)

GRAIN = 12.0  # pixels of ink, of 48x48: a smaller piece is dirt
LEAST_PART = 0.1 * LINE_HEIGHT  # pixels: from where a seam is looked for to the piece's ends
MOST_CUT = 0.5 * LINE_HEIGHT  # pixels of ink: a seam that crosses more cuts a digit through
ASIDE = np.float32(0.15)  # pixels of ink: what a step aside costs a seam, so that it is no detour
LEVELS = (0.2, 0.35, 0.5, 0.65, 0.8)  # of a piece's height: a seam is looked for at each of these
SEAM_SPACE = 0.2 * LINE_HEIGHT  # pixels of a piece for each of its seams, to bound time
APART = 0.08 * LINE_HEIGHT  # pixels: the mean distance of two seams, or they are one
VALLEY = 2  # pixels to both sides: a seam crosses less ink than those next to it
SLANTS = (0.0, -0.25, 0.25, 0.5, 0.75)  # to the right for one upwards, that a line may have


class Seams:
    """The cheapest ways through a line of ink, from the top to the bottom.

    They are looked for in the line made upright, row by row moved to the side: `shifts` says by
    how much.

    Args:
        mask: (H, W) uint8, 1 where there is ink.
        slant: To the right for one upwards, that a seam follows at no cost.
    """

    def __init__(self, mask: Mask, slant: float) -> None:
        self.shifts = row_shifts(len(mask), slant)
        upright = shear(mask, self.shifts)
        costs, back = _descend(np.stack([upright, upright[::-1]], axis=1))
        self.down, self.up = costs[:, 0], costs[::-1, 1]
        self.back_down: list[list[int]] = back[:, 0].tolist()  # lists: quicker to follow
        self.back_up: list[list[int]] = back[::-1, 1].tolist()
        self.total = self.down + self.up - upright  # a pixel's own ink is in both

    def through(self, piece: NDArray[np.bool_], left: int, top: int) -> list[tuple[float, Seam]]:
        """Return the seams that part a piece of ink, left to right.

        Args:
            piece: (h, w), where it is.
            left: Column of the line that its first column is.
            top: Row of the line that its first row is.

        Returns:
            For each seam, pixels of ink that it crosses, and its column in each row of the piece.
        """
        height, width = piece.shape
        inner = np.arange(int(np.ceil(LEAST_PART)), width - int(np.ceil(LEAST_PART)))
        places = []  # cost, row, column
        rows = sorted({top + int(level * (height - 1)) for level in LEVELS})
        starts = self.shifts[rows] + left
        profiles = self.total[np.array(rows)[:, None], starts[:, None] + np.arange(width)]
        good = (profiles <= MOST_CUT) & are_valleys(profiles)
        for row, start, profile, here in zip(rows, starts.tolist(), profiles, good, strict=True):
            low = inner[here[inner]].tolist()
            places += [(float(profile[place]), row, start + place) for place in low]
        chosen: list[tuple[float, Seam]] = []
        ink, seen, edge = Ink(piece), SeenSeams(height), np.zeros(height, np.int64)
        for cost, row, column in sorted(places):
            if len(chosen) * SEAM_SPACE > width:
                break
            seam = self._trace(row, column)[top : top + height] - left
            if seen.add(seam) and ink.is_parted(edge, seam):
                chosen.append((cost, seam))
        return sorted(chosen, key=lambda found: float(found[1].mean()))

    def _trace(self, row: int, column: int) -> NDArray[np.int64]:
        """Return the column in each row, of the line as it is, of the cheapest seam.

        Args:
            row: Of a pixel that it passes.
            column: Of the same, in the line made upright.
        """
        columns = [column] * len(self.total)
        place = column
        for above in range(row, 0, -1):
            place += self.back_down[above][place]
            columns[above - 1] = place
        place = column
        for below in range(row, len(columns) - 1):
            place += self.back_up[below][place]
            columns[below + 1] = place
        return np.array(columns) - self.shifts


class Ink:
    """A piece of ink that is counted between seams without a look at all of it.

    Args:
        piece: (h, w), where it is.
    """

    def __init__(self, piece: NDArray[np.bool_]) -> None:
        height, self.width = piece.shape
        self.rows = np.arange(height)
        self.before = np.zeros((height, self.width + 1), np.int64)  # pixels left of each column
        np.cumsum(piece, axis=1, out=self.before[:, 1:])
        self.whole = int(self.before[:, -1].sum())

    def is_parted(self, edge: Seam, seam: Seam) -> bool:
        """Say whether a seam leaves more than grains on both sides of what is right of an edge."""
        start, middle = self._left_of(edge), self._left_of(np.maximum(edge, seam))
        return middle - start >= GRAIN and self.whole - middle >= GRAIN

    def _left_of(self, seam: Seam) -> int:
        """Return how many pixels lie left of a seam."""
        return int(self.before[self.rows, np.minimum(seam, self.width)].sum())


class SeenSeams:
    """Seams that are apart from each other.

    Args:
        height: Of each, in pixels.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self.sums: list[int] = []  # of the columns of each, ascending
        self.seams: list[Seam] = []

    def add(self, seam: Seam) -> bool:
        """Take up a seam and say so, unless it is next to one that is there.

        The mean distance of two seams is no less than that of their means: few have to be compared.
        """
        total = int(seam.sum())
        low = bisect_left(self.sums, total - APART * self.height)
        high = bisect_left(self.sums, total + APART * self.height)
        if any(np.abs(other - seam).mean() < APART for other in self.seams[low:high]):
            return False
        place = bisect_left(self.sums, total)
        self.sums.insert(place, total)
        self.seams.insert(place, seam)
        return True


def slant_of(mask: NDArray[np.bool_]) -> float:
    """Return the slant, of `SLANTS`, that the strokes of a piece of ink, (H, W), have.

    Made upright by it, the ink stands in few columns: the squares of what each has add up to most.
    """
    half = mask[::2, ::2].astype(np.uint8)
    upright = [shear(half, row_shifts(len(half), slant)) for slant in SLANTS]
    squares = [float((each.sum(axis=0, dtype=np.float64) ** 2).sum()) for each in upright]
    return SLANTS[int(np.argmax(squares))]


def row_shifts(count: int, slant: float) -> NDArray[np.int64]:
    """Return by how many columns each of `count` rows is moved to make a slant upright, (count,).

    None is moved to the left.
    """
    shifts = np.rint(slant * np.arange(count)).astype(np.int64)
    return np.asarray(shifts - shifts.min(initial=0))


def shear(mask: Mask, shifts: NDArray[np.int64]) -> Mask:
    """Return a (H, W) mask with each row moved to the right by its shift, and as wide as needed."""
    high, wide = mask.shape
    moved = np.zeros((high, wide + int(shifts.max(initial=0))), np.uint8)
    moved[np.arange(high)[:, None], shifts[:, None] + np.arange(wide)] = mask
    return moved


def are_valleys(profiles: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where each of some profiles, (R, W), is as low as anywhere within a few pixels."""
    lowest = profiles.copy()
    for far in range(1, VALLEY + 1):
        np.minimum(lowest[:, far:], profiles[:, :-far], out=lowest[:, far:])
        np.minimum(lowest[:, :-far], profiles[:, far:], out=lowest[:, :-far])
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
    ink = side_by_side(masks)
    cost = np.full_like(ink, np.inf)
    cost[0] = ink[0]
    # Lists of rows: taking each out of its array would take as long as the arithmetic.
    lefts, middles, rights = list(cost[:, :-2]), list(cost[:, 1:-1]), list(cost[:, 2:])
    for row, crossed in enumerate(ink[1:, 1:-1]):
        here = middles[row + 1]
        np.minimum(lefts[row], rights[row], out=here)
        np.add(here, ASIDE, out=here)
        np.minimum(here, middles[row], out=here)
        np.add(here, crossed, out=here)
    above = cost[:-1]
    ways = np.stack([above[:, 1:-1], above[:, :-2], above[:, 2:]])
    ways[1:] += ASIDE
    back = np.zeros(ink.shape, np.int8)
    back[1:, 1:-1] = np.array([0, -1, 1], np.int8)[ways.argmin(axis=0)]
    return (
        cost[:, 1:].reshape(height, count, width + 1)[..., :-1],
        back[:, 1:].reshape(height, count, width + 1)[..., :-1],
    )


def side_by_side(masks: Mask) -> Costs:
    """Return (H, M, W) masks as one sheet, (H, M (W + 1) + 1), with walls that no way crosses."""
    height, count, width = masks.shape
    lanes = np.full((height, count, width + 1), np.inf, np.float32)
    lanes[..., :-1] = masks
    wall = np.full((height, 1), np.inf, np.float32)
    return np.hstack([wall, lanes.reshape(height, -1)])
