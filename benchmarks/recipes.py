"""Each recipe over many seeds: test accuracy, training seconds, memory.

Seeds that were measured before are kept, so that runs add up, also over days and machines (each
says which processor it ran on): scripts/bench recipes cnn --seeds 10

With ``--runs FOLDER``, the run folders are kept, to be combined or shipped, and what was stopped
there is resumed: its seconds are then those of training alone, and the process's are not known.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.command import run_command
from benchmarks.results import read_results, read_runs, results_path, summarise, write_results
from tendigits.environment import available_cores, describe_environment, processor_name
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import RECIPES, recipe_named


def measure_seed(recipe: str, seed: int, runs: Path | None, threads: int) -> dict[str, Any]:
    """Train `recipe` with `seed` in a fresh process and return its figures.

    Args:
        recipe: Its name.
        seed: Of the training.
        runs: Folder that its run folder is kept in; None keeps nothing.
        threads: To train with, unless the run was begun.
    """
    begun = runs and find_run(runs, recipe, seed)
    if begun:  # with what it began with
        threads = json.loads((begun / "recipe.json").read_bytes())["threads"]
    with contextlib.ExitStack() as stack:
        place = runs or stack.enter_context(tempfile.TemporaryDirectory())
        new = (recipe, "--seed", str(seed), "--runs", str(place), "--threads", str(threads))
        outcome = run_command("train", *(("--resume", str(begun)) if begun else new), "--json")
    done = outcome.json_lines()[-1]
    return {
        "seed": seed,
        "processor": processor_name(),
        "threads": threads,
        "test_accuracy": done["test_accuracy"],
        "test_loss": done["test_loss"],
        "train_seconds": round(done["train_seconds"], 3),
        "process_seconds": None if begun else round(outcome.seconds, 3),
        "peak_memory_mb": round(outcome.peak_memory_mb, 1),
    }


def find_run(runs: Path, recipe: str, seed: int) -> Path | None:
    """Return the run of a recipe and a seed that was begun in a folder; None if there is none."""
    return next((folder for folder, begun in runs_of(runs, recipe) if begun == seed), None)


def runs_of(runs: Path, recipe: str) -> Iterator[tuple[Path, int]]:
    """Yield the runs of a recipe, as it is today, that were begun in a folder, and their seeds."""
    today = recipe_named(recipe)
    for path in sorted(runs.glob(f"*-{recipe}/recipe.json")):
        begun = json.loads(path.read_bytes())
        trained = Recipe.from_dict(begun["recipe"])
        same_recipe = replace(trained, precision=today.precision) == today  # a run settles auto
        if same_recipe and begun["hold_out"] == today.hold_out and begun["data"] is None:
            yield path.parent, begun["seed"]


def versions(environment: dict[str, Any]) -> dict[str, Any]:
    """Return what must be alike in figures that stand in one table."""
    return {name: environment[name] for name in ("tendigits", "cores", "packages")}


def measure(
    recipe: str, seeds: int, runs_folder: Path | None, threads: int, *, again: bool
) -> None:
    """Measure the seeds of `recipe` below `seeds`, all or those that are missing, in order."""
    name = f"recipe-{recipe}"
    before = read_results(name)
    if again:
        results_path(name).unlink(missing_ok=True)
    elif before and versions(before["environment"]) != versions(describe_environment()):
        sys.exit(f"{results_path(name)} was measured with other versions or cores: add --again")
    for seed in range(seeds):
        if seed in {run["seed"] for run in read_runs(name)}:
            continue
        measured = measure_seed(recipe, seed, runs_folder, threads)
        others = [run for run in read_runs(name) if run["seed"] != seed]  # also those added since
        runs = sorted([*others, measured], key=lambda run: run["seed"])
        write_results(name, command_of(recipe, seeds, threads), runs)
        print(f"{recipe} seed {seed}: {measured}", flush=True)
    accuracy = summarise(run["test_accuracy"] for run in read_runs(name))
    print(
        f"{recipe}: mean {accuracy.mean:.4%}, sd {accuracy.deviation:.4%}, "
        f"least {accuracy.least:.2%}, n = {accuracy.count}"
    )


def command_of(recipe: str, seeds: int, threads: int) -> str:
    """Return the command that measures so."""
    return f"scripts/bench recipes {recipe} {seeds_and_threads(seeds, threads)}"


def seeds_and_threads(seeds: int, threads: int) -> str:
    """Return the options that say so many seeds, and threads where these are not all cores."""
    fewer = "" if threads == available_cores() else f" --threads {threads}"
    return f"--seeds {seeds}{fewer}"


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", choices=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=5, help="0 to this, without it")
    parser.add_argument("--again", action="store_true", help="measure all seeds anew")
    parser.add_argument("--runs", type=Path, help="folder to keep the run folders in")
    parser.add_argument("--threads", type=int, default=available_cores(), help="to train with")
    arguments = parser.parse_args()
    for recipe in arguments.recipes:
        measure(recipe, arguments.seeds, arguments.runs, arguments.threads, again=arguments.again)


if __name__ == "__main__":
    main()
