"""What showing progress costs: the share of `fast`'s training seconds that drawing its bar takes.

    scripts/bench progress --rounds 15

Each round trains in a fresh process on a real pseudo-terminal, as `tendigits train fast` does, with
a clock around every drawing. Trainings with and without the bar differ by less than two trainings
of one kind do, so their difference would say nothing.
"""

import argparse
import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import summarise, write_results
from tendigits.cli.progress import LiveDisplay
from tendigits.environment import available_cores
from tendigits.training import RunSettings, StepReport, recipe_named, start_run


class ClockedDisplay(LiveDisplay):
    """The display of a terminal, with a clock around what it draws while the training waits."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self.drawings = 0.0, 0

    def step(self, report: StepReport) -> None:
        """Draw, and count the seconds."""
        start = time.perf_counter()
        super().step(report)
        self.seconds += time.perf_counter() - start
        self.drawings += 1


def train_here(seed: int, out: Path) -> None:
    """Train on this process's terminal; write the figures to the file `out`."""
    if not sys.stdout.isatty():
        raise RuntimeError("there is no terminal to draw on")
    settings = RunSettings(
        recipe=recipe_named("fast"),
        seed=seed,
        data=None,
        hold_out=0,
        device="cpu",
        threads=available_cores(),
        checkpoint_seconds=30,
    )
    display = ClockedDisplay()
    with display:
        seconds = start_run(settings, out.parent, observer=display).train_seconds
    figures = {
        "train_seconds": round(seconds, 4),
        "drawing_seconds": round(display.seconds, 5),
        "drawings": display.drawings,
        "share": round(display.seconds / seconds, 5),
    }
    out.write_text(json.dumps(figures), "utf-8")


def measure(seed: int) -> dict[str, float]:
    """Train in a fresh process on a pseudo-terminal and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "benchmarks.progress", "--seed", str(seed)]
        process = subprocess.Popen([*command, "--out", str(out)], stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = drain(ours)
        if process.wait():
            raise RuntimeError(f"the training failed: {shown[-500:].decode(errors='replace')}")
        figures: dict[str, float] = json.loads(out.read_bytes())
    if not figures["drawings"] or b"images/s" not in shown:
        raise RuntimeError("no progress was shown: there is nothing to measure")
    return figures


def drain(descriptor: int) -> bytes:
    """Read a terminal until nobody writes to it any more."""
    shown = b""
    while True:
        try:
            part = os.read(descriptor, 65_536)
        except OSError:  # how Linux tells that the other side is closed
            part = b""
        if not part:
            os.close(descriptor)
            return shown
        shown += part


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="trainings")
    parser.add_argument("--seed", type=int, default=0, help="of the one training with --out")
    parser.add_argument("--out", type=Path, help="train here and now, and write figures there")
    arguments = parser.parse_args()
    if arguments.out:
        train_here(arguments.seed, arguments.out)
        return
    runs = []
    for seed in range(arguments.rounds):
        runs.append(measure(seed))
        print(runs[-1], flush=True)
    write_results("progress", f"scripts/bench progress --rounds {arguments.rounds}", runs)
    print(summarise(run["share"] for run in runs))


if __name__ == "__main__":
    main()
