"""What showing progress costs: `tendigits train fast` on a terminal, beside the same with --quiet.

    scripts/bench progress --rounds 30

Both are run in turn, in fresh processes, with the same seed; the first draws its bar on a real
pseudo-terminal. The ratio is that of the training seconds.
"""

import argparse
import json
import os
import pty
import subprocess
import tempfile
from pathlib import Path

from benchmarks.command import COMMAND
from benchmarks.results import summarise, write_results

TRAINING = ("train", "fast")


def read_train_seconds(runs: str) -> float:
    """Return the training seconds of the only run in the folder `runs`."""
    (metrics,) = Path(runs).glob("*/metrics.jsonl")
    seconds: float = json.loads(metrics.read_text("utf-8").splitlines()[-1])["train_seconds"]
    return seconds


def train_quietly(seed: int) -> float:
    """Train without a word; return the training seconds."""
    with tempfile.TemporaryDirectory() as runs:
        command = [str(COMMAND), *TRAINING, "--seed", str(seed), "--runs", runs, "--quiet"]
        subprocess.run(command, check=True)
        return read_train_seconds(runs)


def train_on_a_terminal(seed: int) -> float:
    """Train with the bar that moves, on a pseudo-terminal; return the training seconds."""
    with tempfile.TemporaryDirectory() as runs:
        ours, theirs = pty.openpty()
        command = [str(COMMAND), *TRAINING, "--seed", str(seed), "--runs", runs]
        process = subprocess.Popen(command, stdout=theirs, stderr=theirs, close_fds=True)
        os.close(theirs)
        shown = drain(ours)
        if process.wait():
            raise RuntimeError(f"the training failed: {shown[-500:].decode(errors='replace')}")
        if b"images/s" not in shown:
            raise RuntimeError("no progress was shown: there is nothing to measure")
        return read_train_seconds(runs)


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
    """Measure in turn, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="trainings of each, in turn")
    arguments = parser.parse_args()
    runs = []
    for seed in range(arguments.rounds):
        shown, quiet = train_on_a_terminal(seed), train_quietly(seed)
        runs.append(
            {"shown_seconds": shown, "quiet_seconds": quiet, "ratio": round(shown / quiet, 4)}
        )
        print(runs[-1], flush=True)
    write_results("progress", f"scripts/bench progress --rounds {arguments.rounds}", runs)
    total = sum(run["shown_seconds"] for run in runs) / sum(run["quiet_seconds"] for run in runs)
    print(f"ratio of the sums {total:.4f}, of the runs {summarise(run['ratio'] for run in runs)}")


if __name__ == "__main__":
    main()
