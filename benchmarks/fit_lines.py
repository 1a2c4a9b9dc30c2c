"""Trains the line network on the lines that `benchmarks.line_pool` made, and ships it.

    python -m benchmarks.line_pool --out /tmp/pool
    python -m benchmarks.line_pool --out /tmp/held --held-out --shards 1
    python -m benchmarks.fit_lines --pool /tmp/pool --held-out /tmp/held --out /tmp/line --ship

It goes on where it was stopped. The share of held-out lines that it reads right by itself is
printed and kept; it chooses nothing.
"""

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.line_pool import Sheet, read_shard
from tendigits.models.line import SYMBOLS, LineConfig, LineNetwork
from tendigits.training.line_warp import change_ink, change_pen, warp_lines
from tendigits.training.muon import Muon

BATCH = 64  # lines a step
LOOSE = 24  # batches whose lines are sorted by width together
LR = 0.004  # of Adam
FILTER_LR = 0.03  # of Muon
WARM_STEPS = 200  # in which the rates grow
HINT = 0.3  # weight of being told where the digits are, at the beginning
HINTED = 0.4  # of the steps: until here it falls to 0
JOINED = 0.25  # of lines: another one is written behind
LONGEST = 360  # pixels: no longer lines are joined
BLANK = SYMBOLS - 1


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
            self.random.shuffle(self.waiting)  # type: ignore[arg-type]
        return collate(self.waiting.pop())

    def _pick(self, number: int) -> Sheet:
        sheet = self.sheets[number]
        if self.random.random() < JOINED:
            other = self.sheets[int(self.random.integers(len(self.sheets)))]
            if sheet.canvas.shape[2] + other.canvas.shape[2] <= LONGEST:
                return join(sheet, other)
        return sheet


def find_loss(logits: Tensor, batch: Batch, stretch: Tensor, hint: float) -> Tensor:
    """Return the loss of a batch: CTC's, and where the digits are as long as that is told.

    Args:
        logits: (N, T, 11) float32.
        batch: What they are the answers to.
        stretch: (N,) how much longer each line became.
        hint: Weight of being told.
    """
    count, times = logits.shape[:2]
    log_probs = logits.log_softmax(-1)
    loss = functional.ctc_loss(
        log_probs.transpose(0, 1),
        batch.texts,
        torch.full((count,), times),
        batch.counts,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    total = loss.sum() / count
    if hint > 0:
        owner = torch.arange(count).repeat_interleave(batch.counts)
        frame = (batch.places * stretch[owner] / 2 + times / 2).long().clamp(0, times - 1)
        told = -log_probs[owner, frame, batch.texts]
        total = total + hint * told.sum() / count
    return total


def greedy_texts(logits: NDArray[np.float32]) -> list[str]:
    """Return the texts of the best symbol at each place, (N, T, 11)."""
    best = logits.argmax(-1)
    first = np.diff(best, axis=1, prepend=BLANK) != 0
    return [
        "".join(str(symbol) for symbol in row[new & (row != BLANK)])
        for row, new in zip(best, first, strict=True)
    ]


def share_right(model: nn.Module, sheets: list[Sheet]) -> float:
    """Return the share of lines that are read right, each alone."""
    model.eval()
    right = 0
    with torch.inference_mode():
        for sheet in sheets:
            line = torch.from_numpy(sheet.canvas[None]).float() / 255
            right += greedy_texts(model(line).numpy())[0] == sheet.text
    model.train()
    return right / len(sheets)


def rate_at(step: int, steps: int) -> float:
    """Return the share of the full rate: up in a line, down in half a cosine."""
    warm = min(1.0, (step + 1) / WARM_STEPS)
    return warm * 0.5 * (1 + float(np.cos(np.pi * step / steps)))


def train(pool: Path, held_out: Path, out: Path, steps: int, seed: int) -> LineNetwork:
    """Train, saving now and then, and go on where it was stopped."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    model = LineNetwork(LineConfig()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = Muon(model.parameters(), lr=LR, betas=(0.9, 0.99), filter_lr=FILTER_LR)
    held = [sheet for path in sorted(held_out.glob("???.npz")) for sheet in read_shard(path)]
    out.mkdir(parents=True, exist_ok=True)
    saved, start = out / "checkpoint.pt", 0
    if saved.exists():
        state = torch.load(saved, weights_only=False)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        start = state["step"]
    lines, paths = Lines([], seed + start), set[Path]()
    clock, losses = time.perf_counter(), []
    for step in range(start, steps):
        if step % 250 == 0 or not lines.sheets:  # the pool may still be growing
            for path in sorted(set(pool.glob("???.npz")) - paths):
                paths.add(path)
                lines.sheets += read_shard(path)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps) * (LR * group.get("relative_lr", 1.0))
        batch = lines.draw()
        warped, stretch = warp_lines(batch.lines, random)
        seen = change_ink(change_pen(warped, random), random)
        logits = model(seen.contiguous(memory_format=torch.channels_last))
        loss = find_loss(logits, batch, stretch, HINT * max(0.0, 1 - step / (HINTED * steps)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
        if (step + 1) % 250 == 0 or step + 1 == steps:
            seconds, clock = time.perf_counter() - clock, time.perf_counter()
            whole = (step + 1) % 1_000 == 0 or step + 1 == steps
            print(
                f"step {step + 1} loss {np.mean(losses):.4f} seconds {seconds:.0f} "
                f"pool {len(lines.sheets)} "
                f"held out {share_right(model, held if whole else held[::5]):.4f}",
                flush=True,
            )
            losses = []
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step + 1,
                    "config": asdict(model.config),
                },
                saved,
            )
    return model.eval()


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True, help="folder of lines to learn from")
    parser.add_argument(
        "--held-out", type=Path, required=True, help="folder of lines to measure on"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--steps", type=int, default=9_000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments.pool, arguments.held_out, arguments.out, arguments.steps, seed=0)


if __name__ == "__main__":
    main()
