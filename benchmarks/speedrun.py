"""The race to 99 %: the tutorial's loop, train_mnist_fast and our `fast`, in turn, in one run.

Every training is a process of its own, so each pays for its own start. Two times are taken: the
training alone (data in memory to final weights) and the whole process from its start to the instant
at which its weights are on the disk. Ratios are to the tutorial's loop of the same race.

    scripts/bench speed              # 2 of the tutorial, 6 of each published recipe, 30 of ours
    scripts/bench speed --races 3    # the same three times over: do the ratios agree?
    scripts/bench speed --quick      # under three minutes: an epoch of the tutorial stands for five
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.command import run_command
from benchmarks.results import summarise, write_results

TUTORIAL = "tutorial"
PUBLISHED = ("train-mnist-fast", "train-mnist-fast-channels-last")
OURS = "fast"
GOOD = 0.99  # accuracy that every seed should reach


def race_peer(name: str, seed: int, epochs: int | None = None) -> dict[str, Any]:
    """Train a peer in a fresh process; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.peers", name, "--seed", str(seed)]
        command += ["--out", f"{folder}/weights.safetensors"]
        command += ["--epochs", str(epochs)] if epochs else []
        start = time.time()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    line = json.loads(done.stdout)
    return figures(name, seed, line, line["saved_at"] - start)


def race_ours(recipe: str, seed: int) -> dict[str, Any]:
    """Train our recipe by the installed command; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        outcome = run_command("train", recipe, "--seed", str(seed), "--json", "--runs", folder)
        done = outcome.json_lines()[-1]
        saved_at = (Path(done["run"]) / "model.safetensors").stat().st_mtime
    return figures(recipe, seed, done, saved_at - start)


def figures(name: str, seed: int, line: dict[str, Any], whole_seconds: float) -> dict[str, Any]:
    """Return what is kept of a training."""
    return {
        "name": name,
        "seed": seed,
        "train_seconds": round(line["train_seconds"], 4),
        "whole_seconds": round(whole_seconds, 4),
        "test_accuracy": line["test_accuracy"],
    }


def race(
    tutorials: int, published: int, ours: int, *, number: int = 1, quick: bool = False
) -> list[dict[str, Any]]:
    """Run all trainings, interleaved: each tutorial is followed by its share of the others."""
    runs: list[dict[str, Any]] = []
    for turn in range(tutorials):
        runs.append(race_peer(TUTORIAL, turn, epochs=1 if quick else None))
        print(runs[-1], flush=True)
        rest = [(name, seed) for name in PUBLISHED for seed in range(turn, published, tutorials)]
        rest += [(OURS, seed) for seed in range(turn, ours, tutorials)]
        for name, seed in rest:
            runs.append(race_ours(name, seed) if name == OURS else race_peer(name, seed))
            print(runs[-1], flush=True)
    return [{"race": number, **run} for run in runs]


def print_table(runs: list[dict[str, Any]], tutorial_factor: int) -> None:
    """Print a line for each contestant."""
    base = {
        field: tutorial_factor
        * summarise(run[field] for run in runs if run["name"] == TUTORIAL).mean
        for field in ("train_seconds", "whole_seconds")
    }
    print(
        f"{'':32}{'seconds':>9}{'ratio':>8}{'whole':>9}{'ratio':>8}{'mean':>10}{'sd':>8}  <99 %  n"
    )
    for name in (TUTORIAL, *PUBLISHED, OURS):
        of_name = [run for run in runs if run["name"] == name]
        factor = tutorial_factor if name == TUTORIAL else 1
        train = factor * summarise(run["train_seconds"] for run in of_name).mean
        whole = factor * summarise(run["whole_seconds"] for run in of_name).mean
        accuracy = summarise(run["test_accuracy"] for run in of_name)
        below = sum(run["test_accuracy"] < GOOD for run in of_name)
        print(
            f"{name:32}{train:9.2f}{base['train_seconds'] / train:7.0f}x{whole:9.2f}"
            f"{base['whole_seconds'] / whole:7.0f}x{accuracy.mean:10.3%}{accuracy.deviation:8.3%}"
            f"{below:7}{accuracy.count:3}"
        )


def main() -> None:
    """Read the command line, race, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look in under three minutes")
    parser.add_argument("--races", type=int, default=1, help="the whole thing so many times")
    parser.add_argument("--tutorials", type=int, default=2, help="trainings of the tutorial")
    parser.add_argument("--published", type=int, default=6, help="of each published recipe")
    parser.add_argument("--seeds", type=int, default=30, help="of ours")
    arguments = parser.parse_args()
    if arguments.quick:
        look = race(1, 2, 5, quick=True)
        print_table(look, tutorial_factor=5)  # one epoch of five was trained
        return
    counts = (arguments.tutorials, arguments.published, arguments.seeds)
    command = "scripts/bench speed --races {} --tutorials {} --published {} --seeds {}".format(
        arguments.races, *counts
    )
    runs: list[dict[str, Any]] = []
    for number in range(1, arguments.races + 1):
        runs += race(*counts, number=number)
        write_results("speed", command, runs)
        print_table([run for run in runs if run["race"] == number], tutorial_factor=1)


if __name__ == "__main__":
    main()
