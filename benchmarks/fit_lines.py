"""Trains the line network on the lines that `benchmarks.line_pool` made, and ships it.

    python -m benchmarks.line_pool --out /tmp/pool
    python -m benchmarks.line_pool --out /tmp/held --held-out --shards 1
    python -m benchmarks.fit_lines --pool /tmp/pool --held-out /tmp/held --out /tmp/line --ship

It computes in bfloat16 where the processor does. It goes on where it was stopped; with
``--from-step`` it begins with the packaged network, as if that had learnt for so many steps. The
share of held-out lines that it reads right by itself is printed and recorded.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.line_batches import LOOSE, Batch, Lines
from benchmarks.line_pool import Sheet, read_shard
from benchmarks.line_weights import read_line_network, widen
from tendigits.atomic import write_bytes, write_json
from tendigits.environment import computes_in_bfloat16
from tendigits.export import trace
from tendigits.models import channels_last, count_parameters
from tendigits.models.line import SYMBOLS, LineConfig, LineNetwork
from tendigits.reading.line_network import load_line_network
from tendigits.registry import LINE_INDEX, ShippedLineNetwork, folder, line_file
from tendigits.training.line_warp import change_ink, change_pen, warp_lines
from tendigits.training.memory import keep_freed_memory
from tendigits.training.muon import Muon

LR = 0.004  # of Adam
FILTER_LR = 0.03  # of Muon
WARM_STEPS = 200  # in which the rates grow
HINT = 0.3  # weight of being told where the digits are, at the beginning
HINTED = 0.4  # of the steps: until here it falls to 0
BLANK = SYMBOLS - 1
MOST_DIFFERENCE = 1e-3  # between logarithms of chances; more means that it is another network


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


def read_folder(folder: Path) -> list[Sheet]:
    """Return the lines of all shards in a folder."""
    return [sheet for path in sorted(folder.glob("???.npz")) for sheet in read_shard(path)]


def rate_at(step: int, steps: int, from_step: int) -> float:
    """Return the share of the full rate: up in a line from `from_step`, down in half a cosine."""
    warm = min(1.0, (step - from_step + 1) / WARM_STEPS)
    return warm * 0.5 * (1 + float(np.cos(np.pi * step / steps)))


def disturb(lines: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return lines as training shows them, and (N,) how much longer each became."""
    warped, stretch = warp_lines(lines, random)
    return change_ink(change_pen(warped, random), random), stretch


def packaged(pool: Path) -> LineNetwork:
    """Return the packaged network, with the means of lines of the pool as training shows them.

    These are of one batch of usual width. Lines of all widths, padded to the longest, have other
    means: with these, a training step would see another network than the packaged one. Where a
    `LineConfig` has more filters by now, the network gets them, and says the same.
    """
    lines = Lines(read_shard(min(pool.glob("???.npz"))), seed=0)
    batches = sorted((lines.draw().lines for _ in range(LOOSE)), key=lambda one: one.shape[-1])
    seen, _ = disturb(batches[LOOSE // 2], torch.Generator().manual_seed(0))
    model = read_line_network(line_file(), seen)
    return widen(model, LineConfig().channels, torch.Generator().manual_seed(0))


def begin(pool: Path, saved: Path, from_step: int) -> tuple[LineNetwork, Muon, int]:
    """Return the network, its optimizer and the step to go on from.

    The network is that of the checkpoint `saved`, where there is one; the packaged one, where
    `from_step` is above 0; else a new one.
    """
    if from_step and not saved.exists():
        model = packaged(pool)
    else:
        model = LineNetwork(LineConfig())
        channels_last(model)
    optimizer = Muon(model.parameters(), lr=LR, betas=(0.9, 0.99), filter_lr=FILTER_LR)
    if not saved.exists():
        return model, optimizer, from_step
    state = torch.load(saved, weights_only=False)
    if state["from_step"] != from_step:
        sys.exit(
            f"{saved} began with --from-step {state['from_step']}: give that, or another --out"
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return model, optimizer, state["step"]


def train(
    pool: Path, held_out: Path, out: Path, steps: int, from_step: int, seed: int
) -> LineNetwork:
    """Train, saving now and then, and go on where it was stopped."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    held = read_folder(held_out)
    out.mkdir(parents=True, exist_ok=True)
    saved = out / "checkpoint.pt"
    model, optimizer, start = begin(pool, saved, from_step)
    lines, paths = Lines([], seed + start), set[Path]()
    native = computes_in_bfloat16(torch.device("cpu"))  # in six tenths of the time
    clock, losses = time.perf_counter(), []
    for step in range(start, steps):
        if step % 200 == 0 or not lines.sheets:  # the pool may still be growing
            for path in sorted(set(pool.glob("???.npz")) - paths):
                paths.add(path)
                lines.sheets += read_shard(path)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps, from_step) * (LR * group.get("relative_lr", 1.0))
        batch = lines.draw()
        seen, stretch = disturb(batch.lines, random)
        with torch.autocast("cpu", torch.bfloat16, enabled=native):
            logits = model(seen.contiguous(memory_format=torch.channels_last))
        loss = find_loss(
            logits.float(), batch, stretch, HINT * max(0.0, 1 - step / (HINTED * steps))
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if (step + 1) % 200 == 0 or step + 1 == steps:
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
                    "from_step": from_step,
                    "config": asdict(model.config),
                },
                saved,
            )
    model.eval()
    return model


def export(model: LineNetwork, path: Path, sheets: list[Sheet]) -> None:
    """Write the network as ONNX, once it is seen to give the same logits.

    Args:
        model: In evaluation mode.
        path: The file to write; N and W are free.
        sheets: Some lines to compare on.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "line.onnx"
        trace(
            model.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            draft,
            example=torch.zeros(2, 2, model.config.height, 160),
            names=("lines", "logits"),
            free={0: torch.export.Dim("N"), 3: 4 * torch.export.Dim("quarters")},
        )
        transcribe = load_line_network(draft)
        with torch.inference_mode():
            for sheet in sheets:
                line = torch.from_numpy(sheet.canvas[None]).float() / 255
                expected = model(line).log_softmax(-1)[0].numpy()
                difference = float(np.abs(transcribe(sheet.canvas) - expected).max())
                if not difference < MOST_DIFFERENCE:
                    sys.exit(f"the exported network differs by {difference:.2g}: nothing shipped")
        write_bytes(path, draft.read_bytes())


def ship(model: LineNetwork, sheets: list[Sheet], command: str) -> None:
    """Put the network into the package: its file, and what is known of it."""
    path = folder() / "line.onnx"
    export(model, path, sheets[:50])
    entry = ShippedLineNetwork(
        name=path.stem,
        command=command,
        lines_right=round(share_right(model, sheets), 4),
        parameters=count_parameters(model),
        licence="MIT",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    write_json(folder() / LINE_INDEX, asdict(entry))
    print(entry)


def main() -> None:
    """Train, and ship if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True, help="folder of lines to learn from")
    parser.add_argument(
        "--held-out", type=Path, required=True, help="folder of lines to measure on"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--steps", type=int, default=9_000)
    parser.add_argument("--from-step", type=int, default=0, help="begin with the packaged one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ship", action="store_true", help="put it into the package")
    arguments = parser.parse_args()
    if not 0 <= arguments.from_step < arguments.steps:
        parser.error(f"--from-step is {arguments.from_step}: expected 0 to below --steps")
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    model = train(
        arguments.pool,
        arguments.held_out,
        arguments.out,
        arguments.steps,
        arguments.from_step,
        seed=0,
    )
    if arguments.ship:
        begun = f"--from-step {arguments.from_step} " if arguments.from_step else ""
        command = f"python -m benchmarks.fit_lines {begun}--steps {arguments.steps}"
        ship(model, read_folder(arguments.held_out), command)


if __name__ == "__main__":
    main()
