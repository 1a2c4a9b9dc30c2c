"""Each recipe over many seeds: test accuracy, training seconds, memory.

Seeds that were measured before are kept, so that runs add up: scripts/bench recipes cnn --seeds 10
"""

import argparse
import tempfile

from benchmarks.command import run_command
from benchmarks.results import read_runs, summarise, write_results
from tendigits.training.recipe import RECIPES


def measure_seed(recipe: str, seed: int) -> dict[str, float]:
    """Train `recipe` with `seed` in a fresh process and return its figures."""
    with tempfile.TemporaryDirectory() as runs:
        outcome = run_command("train", recipe, "--seed", str(seed), "--json", "--runs", runs)
    done = outcome.json_lines()[-1]
    return {
        "seed": seed,
        "test_accuracy": done["test_accuracy"],
        "test_loss": done["test_loss"],
        "train_seconds": round(done["train_seconds"], 3),
        "process_seconds": round(outcome.seconds, 3),
        "peak_memory_mb": round(outcome.peak_memory_mb, 1),
    }


def measure(recipe: str, seeds: int) -> None:
    """Measure the seeds of `recipe` below `seeds` that are missing, one after another."""
    name = f"recipe-{recipe}"
    for seed in range(seeds):
        runs = read_runs(name)
        if seed in {run["seed"] for run in runs}:
            continue
        runs.append(measure_seed(recipe, seed))
        runs.sort(key=lambda run: run["seed"])
        write_results(name, f"scripts/bench recipes {recipe} --seeds {seeds}", runs)
        print(f"{recipe} seed {seed}: {runs[-1]}", flush=True)
    accuracy = summarise(run["test_accuracy"] for run in read_runs(name))
    print(
        f"{recipe}: mean {accuracy.mean:.4%}, sd {accuracy.deviation:.4%}, "
        f"least {accuracy.least:.2%}, n = {accuracy.count}"
    )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", choices=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=5, help="0 to this, without it")
    arguments = parser.parse_args()
    for recipe in arguments.recipes:
        measure(recipe, arguments.seeds)


if __name__ == "__main__":
    main()
