"""A training that is killed ends with the same weights (`scripts/bench kills`).

Each round starts a short training, kills it (SIGKILL) at a random instant, and lets it finish;
checkpoints are made so often that some kills fall inside a save. The model file must have the
sha256 of the one that was never disturbed. A training that was through before its kill counts for
nothing and is done again.
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


def run_until_killed(arguments: tuple[str, ...], delay: float) -> bool:
    """Start the command and kill it after `delay` seconds; False if it was through before."""
    process = start(arguments)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
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


def measure_round(expected: str, longest: float, chance: random.Random) -> dict[str, Any]:
    """Kill one training at a random instant, let it finish, and compare."""
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name)
        first = (*TRAINING, "--runs", name)
        delay = chance.uniform(START_SECONDS, longest)
        killed = run_until_killed(first, delay)
        inside_a_save = any(runs.glob("*/checkpoint/.*.part"))
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
        runs.append(measure_round(expected, seconds, chance))
        print(len(runs), runs[-1], flush=True)
    runs = [run for run in runs if run["killed"]]
    write_results("kills", f"scripts/bench kills --kills {arguments.kills}", runs)
    same = sum(run["same_weights"] for run in runs)
    inside = sum(run["inside_a_save"] for run in runs)
    print(f"{same} of {len(runs)} the same weights after a kill, {inside} inside a save")


if __name__ == "__main__":
    main()
