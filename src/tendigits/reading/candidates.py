"""Atoms -> candidates: runs of atoms that may be a digit, as the network sees them, and measured.

The measures are what recognition cannot know, because every candidate is scaled to the same 20x20
box: how large it is beside the line, where it stands, what was cut and what was left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tendigits.imaging import centre, scale_to_box
from tendigits.reading.lattice import Steps
from tendigits.reading.pieces import Atoms
from tendigits.reading.segment import LINE_HEIGHT

MOST_IN_DIGIT = 7  # atoms: a digit in more pieces is not looked for
WIDEST = 1.7 * LINE_HEIGHT  # pixels: no digit is wider, unless it is one piece
LOWEST = 0.22 * LINE_HEIGHT  # pixels: no digit is lower
THINNEST = 0.1  # of its height: below this, a 1 is as narrow as another
PEN = 0.12 * LINE_HEIGHT  # pixels: the width of a usual stroke

DIGIT_MEASURES = (
    "is a digit",
    "wider than high",
    "density",
    "off the middle",
    "gaps inside",
    "pieces joined",
    "seams outside",
    "ink cut through",
    "left out beside",
    "surest digit",
    "lead over the second",
    "energy",
)
FORM_MEASURES = ("is this digit", "height", "height squared", "width", "width squared")
SKIP_MEASURES = ("is skipped", "height", "width", "area", "was cut", "off the middle", "low down")


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """What may be a digit, K runs of the N atoms of a line.

    Attributes:
        steps: Which atoms each takes.
        boxes: (K, 4) int64: left, top, right, bottom on the line.
        images: (K, 28, 28) uint8, in MNIST form.
        shapes: (K, 9) float64: the measures that need no recognition, as in `DIGIT_MEASURES`.
        forms: (K, 5) float64: `FORM_MEASURES`, which count for each digit differently: a 1 is as
            high as the line and narrow, a 0 may be small and wide.
        skips: (N, 7) float64: `SKIP_MEASURES` of each atom.
    """

    steps: Steps
    boxes: NDArray[np.int64]
    images: NDArray[np.uint8]
    shapes: NDArray[np.float64]
    forms: NDArray[np.float64]
    skips: NDArray[np.float64]


def make_candidates(atoms: Atoms) -> Candidates:
    """Return all runs of atoms that are neither too large nor too small for a digit."""
    runs = [(i, j, box) for i in range(len(atoms)) for j, box in _runs_from(i, atoms)]
    first = np.array([i for i, _, _ in runs], np.int64)
    last = np.array([j for _, j, _ in runs], np.int64)
    boxes = np.array([box for _, _, box in runs], np.int64).reshape(-1, 4)
    images = [_render(atoms, *run) for run in runs]
    return Candidates(
        steps=Steps(count=len(atoms), first=first, last=last),
        boxes=boxes,
        images=np.stack(images) if images else np.zeros((0, 28, 28), np.uint8),
        shapes=measure_shapes(atoms, first, last, boxes),
        forms=measure_forms(boxes),
        skips=measure_skips(atoms),
    )


def measure_logits(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the last three of `DIGIT_MEASURES` for (K, 10) logits, (K, 3)."""
    if not len(logits):
        return np.zeros((0, 3))
    probs_log = log_softmax(logits)
    ranked = np.sort(probs_log, axis=1)
    highest = logits.max(axis=1)
    energy = highest - ranked[:, -1]  # the logarithm of the sum of the exponentials of the logits
    lead = ranked[:, -1] - ranked[:, -2]
    return np.stack([ranked[:, -1], np.minimum(lead, 8.0) / 4, energy / 10], axis=1)


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logarithms of the probabilities of (K, 10) logits."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def measure_shapes(
    atoms: Atoms, first: NDArray[np.int64], last: NDArray[np.int64], boxes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the measures of each run of atoms that need no recognition, (K, 9)."""
    if not len(first):
        return np.zeros((0, 9))
    left, top, right, bottom = (boxes[:, side] / LINE_HEIGHT for side in range(4))
    height, width = bottom - top, right - left
    ink = np.concatenate([[0], np.cumsum(atoms.areas)])
    area = (ink[last + 1] - ink[first]) / LINE_HEIGHT**2
    outside = atoms.cuts[first] + atoms.cuts[last + 1]
    seams = (atoms.cuts[first] > 0).astype(float) + (atoms.cuts[last + 1] > 0)
    gaps, joined = _gaps_inside(atoms, first, last)
    middle = _middle_of_line(atoms) / LINE_HEIGHT
    return np.stack(
        [
            np.ones_like(height),
            np.maximum(width / height - 1, 0),
            np.log(area / (height * width)),
            np.abs((top + bottom) / 2 - middle),
            gaps,
            joined,
            seams,
            outside / PEN,
            _left_out(atoms, first, last, boxes),
        ],
        axis=1,
    )


def measure_forms(boxes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return `FORM_MEASURES` of boxes, (K, 5): in logarithms, beside the line, and width to height.

    Args:
        boxes: (K, 4): left, top, right, bottom.
    """
    wide, high = (boxes[:, 2 + axis] - boxes[:, axis] for axis in (0, 1))
    height = np.log(high / LINE_HEIGHT)
    width = np.log(np.maximum(wide / high, THINNEST))
    return np.stack([np.ones_like(height), height, height**2, width, width**2], axis=1)


def measure_skips(atoms: Atoms) -> NDArray[np.float64]:
    """Return `SKIP_MEASURES` of each atom, (N, 7)."""
    left, top, right, bottom = (atoms.boxes[:, side] / LINE_HEIGHT for side in range(4))
    middle = _middle_of_line(atoms) / LINE_HEIGHT
    below = (top + bottom) / 2 - middle
    was_cut = (atoms.cuts[:-1] > 0).astype(float) + (atoms.cuts[1:] > 0)
    area = atoms.areas / (PEN * LINE_HEIGHT)
    return np.stack(
        [
            np.ones_like(top),
            bottom - top,
            np.minimum(right - left, 2.0),
            np.minimum(area, 6.0),
            was_cut,
            np.abs(below),
            below,
        ],
        axis=1,
    )


def _runs_from(i: int, atoms: Atoms) -> list[tuple[int, tuple[int, int, int, int]]]:
    """Return the last atom and the box of each run that begins with atom `i`."""
    runs = []
    left, top, right, bottom = atoms.boxes[i].tolist()
    for j in range(i, min(i + MOST_IN_DIGIT, len(atoms))):
        box = atoms.boxes[j].tolist()
        left, top = min(left, box[0]), min(top, box[1])
        right, bottom = max(right, box[2]), max(bottom, box[3])
        if j > i and right - left > WIDEST:
            break
        if bottom - top >= LOWEST:
            runs.append((j, (left, top, right, bottom)))
    return runs


def _render(atoms: Atoms, i: int, j: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return atoms `i` to `j` in MNIST form, (28, 28) uint8."""
    left, top, right, bottom = box
    window = atoms.labels[top:bottom, left:right]
    ink = ((window > i) & (window <= j + 1)).astype(np.float32)
    return centre(scale_to_box(ink))


def _gaps_inside(
    atoms: Atoms, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the widest gap inside each run, in heights, and how many pieces it joins, less one."""
    gaps, joined = np.zeros(len(first)), np.zeros(len(first))
    for run, (i, j) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if j > i:
            ends = np.maximum.accumulate(atoms.boxes[i:j, 2])
            widest = (atoms.boxes[i + 1 : j + 1, 0] - ends).max()
            gaps[run] = max(0, int(widest)) / LINE_HEIGHT
            joined[run] = (atoms.cuts[i + 1 : j + 1] == 0).sum()
    return gaps, joined


def _left_out(
    atoms: Atoms, first: NDArray[np.int64], last: NDArray[np.int64], boxes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how much of the atoms before and after lies above or below each run, in heights."""
    count = len(atoms)
    before, after = np.maximum(first - 1, 0), np.minimum(last + 1, count - 1)
    shared_before = np.where(first > 0, atoms.boxes[before, 2] - boxes[:, 0], 0)
    shared_after = np.where(last + 1 < count, boxes[:, 2] - atoms.boxes[after, 0], 0)
    return np.asarray((np.maximum(shared_before, 0) + np.maximum(shared_after, 0)) / LINE_HEIGHT)


def _middle_of_line(atoms: Atoms) -> float:
    """Return the row that halves the line: the mean of the high atoms' middles, by area.

    It is 0 for a line of nothing but grains, of which there are no atoms.
    """
    if not len(atoms):
        return 0.0
    heights = atoms.boxes[:, 3] - atoms.boxes[:, 1]
    weights = atoms.areas * (heights >= 0.5 * LINE_HEIGHT)
    if not weights.any():
        weights = atoms.areas
    return float(np.average((atoms.boxes[:, 1] + atoms.boxes[:, 3]) / 2, weights=weights))
