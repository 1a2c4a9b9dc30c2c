"""Batches of lines for the line network to learn from."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.line_pool import Sheet

BATCH = 64  # lines a step
LOOSE = 24  # batches whose lines are sorted by width together
JOINED = 0.15  # of lines: another one is written behind
LONGEST = 360  # pixels: no longer lines are joined


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Lines, padded to one width.

    Attributes:
        lines: (N, 2, 40, W) float32 in [0, 1].
        lengths: (N,) int64, columns of each that are its own.
        texts: (S,) int64, all digits of all lines.
        counts: (N,) int64, how many of them are each line's.
        places: (S,) float32, columns from the middle of the sheet.
    """

    lines: Tensor
    lengths: Tensor
    texts: Tensor
    counts: Tensor
    places: Tensor


def join(left: Sheet, right: Sheet) -> Sheet:
    """Return two lines one behind the other."""
    moved = right.places + left.canvas.shape[2]
    return Sheet(
        canvas=np.concatenate([left.canvas, right.canvas], axis=2),
        text=left.text + right.text,
        places=np.concatenate([left.places, moved]),
    )


def collate(sheets: list[Sheet]) -> Batch:
    """Return lines as a batch, each in the middle of its sheet."""
    widths = [sheet.canvas.shape[2] for sheet in sheets]
    lines = torch.zeros(len(sheets), 2, sheets[0].canvas.shape[1], max(widths))
    for line, sheet, width in zip(lines, sheets, widths, strict=True):
        start = (max(widths) - width) // 2
        line[:, :, start : start + width] = torch.from_numpy(sheet.canvas)
    return Batch(
        lines=lines.div_(255),
        lengths=torch.tensor(widths),
        texts=torch.tensor([int(digit) for sheet in sheets for digit in sheet.text]),
        counts=torch.tensor([len(sheet.text) for sheet in sheets]),
        places=torch.from_numpy(
            np.concatenate([sheet.places - sheet.canvas.shape[2] / 2 for sheet in sheets])
        ),
    )


class Lines:
    """Batches of lines of about one width, without end."""

    def __init__(self, sheets: list[Sheet], seed: int) -> None:
        self.sheets = sheets
        self.random = np.random.default_rng(seed)
        self.waiting: list[list[Sheet]] = []

    def draw(self) -> Batch:
        """Return the next batch."""
        if not self.waiting:
            chosen = self.random.integers(len(self.sheets), size=LOOSE * BATCH)
            some = sorted(map(self._pick, chosen.tolist()), key=lambda one: one.canvas.shape[2])
            self.waiting = [some[start : start + BATCH] for start in range(0, len(some), BATCH)]
            self.random.shuffle(self.waiting)
        return collate(self.waiting.pop())

    def _pick(self, number: int) -> Sheet:
        sheet = self.sheets[number]
        if self.random.random() < JOINED:
            other = self.sheets[int(self.random.integers(len(self.sheets)))]
            if sheet.canvas.shape[2] + other.canvas.shape[2] <= LONGEST:
                return join(sheet, other)
        return sheet
