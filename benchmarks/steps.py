"""The steps from the tutorial's 97.8 % to the top, and what each of them bought.

    scripts/bench steps --seeds 5

From the tutorial's CNN to the fifth, every step keeps what those before it brought. Trainings
that were measured before, by the same recipe, are kept, so that seeds and steps add up, also over
days and machines; the last steps, which take long, are read from the results of `recipes` and
`ensemble`. Accuracy is that on the test set, which chose none of them. It writes the figures, and
the plot docs/steps.png.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from benchmarks.recipes import seeds_and_threads, versions
from benchmarks.results import (
    RESULTS,
    read_results,
    read_runs,
    results_path,
    summarise,
    write_results,
)
from benchmarks.training import train_network
from tendigits.data import DigitSet, load_mnist
from tendigits.environment import available_cores, describe_environment, processor_name
from tendigits.evaluation.metrics import evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.training.memory import keep_freed_memory
from tendigits.training.recipe import Recipe, changed
from tendigits.training.recipes import recipe_named

NAME = "steps"
PLOT = Path(__file__).parent.parent / "docs" / "steps.png"
MARKS = (10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)  # errors, on the scale

# The steps that take too long to be taken again here, and the results that they are read from.
FORMS = "wider, other hands and forms: forms"
PUPIL = "one network that learns what these say: best"
LATER = {
    "deeper, bent pictures, a calm end: member": "recipe-member",
    FORMS: "recipe-forms",
    "three kinds together: ensemble": "ensemble",
    PUPIL: "recipe-best",
}
COMPARED = {PUPIL: FORMS}  # a step with another one than the step before

Step = tuple[str, Recipe]


def make_steps() -> list[Step]:
    """Return each step's name and recipe, from the tutorial's first on; a new one goes last."""
    cnn = recipe_named("cnn")
    return [
        ("the tutorial's MLP", recipe_named("article-mlp")),
        ("the tutorial's CNN", recipe_named("article-cnn")),
        (
            "a learning rate that rises and falls, with AdamW",
            replace(cnn, shift=0, label_smoothing=0.0),
        ),
        ("pictures moved by a pixel", replace(cnn, label_smoothing=0.0)),
        ("label smoothing: the recipe cnn", cnn),
    ]


def recipe_sha256(recipe: Recipe) -> str:
    """Return a fingerprint of a recipe but for its name and for what it leaves at its default.

    So a new setting changes none, and a default must not change what it means.
    """
    said = {one.name for one in fields(recipe) if getattr(recipe, one.name) != one.default}
    saved = {name: value for name, value in recipe.to_dict().items() if name in said - {"name"}}
    return hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()[:16]


def take(step: Step, mnist: DigitSet, seed: int) -> dict[str, Any]:
    """Train as a step says; return seconds and test accuracy."""
    name, recipe = step
    model, seconds = train_network(recipe, mnist.train, seed)
    logits = predict_logits(model, mnist.test.images)
    return {
        "step": name,
        "recipe_sha256": recipe_sha256(recipe),
        "seed": seed,
        "processor": processor_name(),
        "threads": torch.get_num_threads(),
        "train_seconds": round(seconds, 3),
        "test_accuracy": evaluate_logits(logits, mnist.test.labels).accuracy,
    }


def still_valid(runs: list[dict[str, Any]], steps: list[Step]) -> list[dict[str, Any]]:
    """Return the runs whose recipe is a step's, under its name, in order of step and seed."""
    places = {recipe_sha256(recipe): place for place, (_, recipe) in enumerate(steps)}
    valid = [
        {**run, "step": steps[places[run["recipe_sha256"]]][0]}
        for run in runs
        if run["recipe_sha256"] in places
    ]
    return sorted(valid, key=lambda run: (places[run["recipe_sha256"]], run["seed"]))


def measure(
    steps: list[Step], mnist: DigitSet, seeds: int, command: str, folder: Path = RESULTS
) -> list[dict[str, Any]]:
    """Take every step with every seed below `seeds`, those that are missing; keep each at once.

    Args:
        steps: In their order.
        mnist: The set.
        seeds: How many, from 0.
        command: What anyone can type to measure the same.
        folder: Of the results file.

    Returns:
        All runs that are kept, in order of step and seed.
    """
    runs = still_valid(read_runs(NAME, folder), steps)
    for seed in range(seeds):
        for step in steps:
            if (step[0], seed) in {(run["step"], run["seed"]) for run in runs}:
                continue
            run = take(step, mnist, seed)
            print(run, flush=True)
            runs = still_valid([*runs, run], steps)
            write_results(NAME, command, runs, folder)
    return runs


def with_later(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return runs with those of the later steps, as far as these were measured, behind them."""
    return runs + [{**run, "step": step} for step, name in LATER.items() for run in read_runs(name)]


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Plot the errors in 10,000 pictures at each step: every seed, and the mean."""
    names = list(dict.fromkeys(run["step"] for run in runs))
    figure = Figure(figsize=(9, 1.2 + 0.55 * len(names)), layout="constrained")
    axes = figure.subplots()
    means = []
    for place, name in enumerate(names):
        errors = [10_000 * (1 - run["test_accuracy"]) for run in runs if run["step"] == name]
        means.append(summarise(errors).mean)
        axes.scatter(errors, [place] * len(errors), s=14, color="0.72", zorder=2)
        axes.annotate(
            f"{means[-1]:.0f}",
            (means[-1], place),
            xytext=(-7, 6),  # where no line passes as long as errors fall
            textcoords="offset points",
            ha="right",
            fontweight="bold",
        )
    axes.plot(means, range(len(names)), "o-", color="#1c5fa5", zorder=3)
    axes.set(
        xscale="log",
        xlabel="errors in 10,000 test pictures:\nmean, and every seed in grey",
        xlim=(0.75 * min(means), None),
        yticks=range(len(names)),
        yticklabels=[f"{number}  {name}" for number, name in enumerate(names, 1)],
        ylim=(len(names) - 0.5, -0.7),
    )
    axes.xaxis.set_major_locator(FixedLocator(MARKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.grid(axis="x", color="0.92")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Read the command line, take the steps, plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="trainings at each step")
    parser.add_argument("--threads", type=int, default=available_cores(), help="to train with")
    parser.add_argument("--again", action="store_true", help="measure all anew")
    parser.add_argument("--epochs", type=float, help="instead of each recipe's: a look, no result")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="for figures and plot")
    arguments = parser.parse_args()
    steps, command = (
        make_steps(),
        f"scripts/bench steps {seeds_and_threads(arguments.seeds, arguments.threads)}",
    )
    if arguments.epochs:
        if arguments.folder == RESULTS:
            parser.error("--epochs makes figures that are no results: name another --folder")
        steps = [(name, changed(recipe, epochs=arguments.epochs)) for name, recipe in steps]
        command += f" --epochs {arguments.epochs}"
    before = read_results(NAME, arguments.folder)
    if arguments.again:
        results_path(NAME, arguments.folder).unlink(missing_ok=True)
    elif before and versions(before["environment"]) != versions(describe_environment()):
        sys.exit(f"{NAME} was measured with other versions or cores: add --again")
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    runs = measure(steps, load_mnist(), arguments.seeds, command, arguments.folder)
    if arguments.folder == RESULTS:
        draw(with_later(runs), PLOT)
    else:
        draw(runs, arguments.folder / PLOT.name)


if __name__ == "__main__":
    main()
