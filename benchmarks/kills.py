"""A training that is killed ends with the same weights (`scripts/bench kills`).

Each round starts a short training, kills it (SIGKILL) at a random instant, and lets it finish. In
every other round the kill waits for the next save to begin and comes a random part of a save later,
so that some fall inside one. The model file must have the sha256 of the one that was never
disturbed. A training that was through before its kill counts for nothing and is done again.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.command import COMMAND
from benchmarks.results import write_results

TRAINING = ("train", "cnn", "--epochs", "0.2", "--seed", "1", "--checkpoint-seconds", "0.05")
START_SECONDS = 1.5  # before a process has loaded torch there is nothing to disturb
SAVE_SECONDS = 0.02  # about what a save takes
PARTS = "*/checkpoint/.*.part"  # what a save that is not finished is called


def start(arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start the command, silent, in a process group of its own."""
    return subprocess.Popen([COMMAND, *arguments, "--quiet"], start_new_session=True)


def finish(arguments: tuple[str, ...]) -> None:
    """Run the command to its end."""
    if start(arguments).wait():
        raise RuntimeError(f"tendigits {' '.join(arguments)} failed")


def model_sha256(runs: Path) -> str:
    """Return the sha256 of the only model in `runs`."""
    (model,) = runs.glob("*/model.safetensors")
    return hashlib.sha256(model.read_bytes()).hexdigest()


def run_until_killed(
    arguments: tuple[str, ...], runs: Path, delay: float, delay_inside: float | None
) -> bool:
    """Start the command and kill it after `delay` seconds; False if it was through before.

    With `delay_inside`, wait then for a save to begin in `runs`, and for so many seconds more.
    """
    process = start(arguments)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        if delay_inside is not None:
            while process.poll() is None and not any(runs.glob(PARTS)):
                time.sleep(0.001)  # leave the cores to the training
            time.sleep(delay_inside)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
    if process.returncode:
        raise RuntimeError(f"tendigits {' '.join(arguments)} ended with {process.returncode}")
    return False


def find_run(runs: Path) -> Path | None:
    """Return the run folder in `runs`, or None where the kill came before it was made."""
    folders = list(runs.glob("[0-9]*"))
    return folders[0] if folders else None


def measure_round(
    expected: str, longest: float, chance: random.Random, *, aim_at_save: bool
) -> dict[str, Any]:
    """Kill one training at a random instant, let it finish, and compare."""
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name)
        first = (*TRAINING, "--runs", name)
        delay = chance.uniform(START_SECONDS, longest)
        delay_inside = chance.uniform(0, SAVE_SECONDS) if aim_at_save else None
        killed = run_until_killed(first, runs, delay, delay_inside)
        inside_a_save = any(runs.glob(PARTS))
        folder = find_run(runs)
        finish(("train", "--resume", str(folder)) if folder else first)
        return {
            "killed": killed,
            "after_seconds": round(delay, 3),
            "inside_a_save": inside_a_save,
            "same_weights": model_sha256(runs) == expected,
        }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="trainings to kill")
    parser.add_argument("--seed", type=int, default=0, help="fixes the instants of the kills")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        begin = time.perf_counter()
        finish((*TRAINING, "--runs", name))
        seconds = time.perf_counter() - begin
        expected = model_sha256(Path(name))
    print(f"undisturbed: {seconds:.1f} s, model {expected}")
    chance = random.Random(arguments.seed)
    runs: list[dict[str, Any]] = []
    while sum(run["killed"] for run in runs) < arguments.kills:
        runs.append(measure_round(expected, seconds, chance, aim_at_save=bool(len(runs) % 2)))
        print(len(runs), runs[-1], flush=True)
    runs = [run for run in runs if run["killed"]]
    write_results("kills", f"scripts/bench kills --kills {arguments.kills}", runs)
    same = sum(run["same_weights"] for run in runs)
    inside = sum(run["inside_a_save"] for run in runs)
    print(f"{same} of {len(runs)} the same weights after a kill, {inside} inside a save")


if __name__ == "__main__":
    main()
