"""The ladder from the tutorial's training to `fast`: each change, and what it bought.

    scripts/bench ladder --seeds 10

Every rung changes one thing of the rung before it; all rungs are trained in turn, seed by seed, in
one process. Accuracy is that on the test set, which chose none of them. It writes the figures, and
the plot docs/ladder.png.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib import ticker
from matplotlib.figure import Figure

from benchmarks.results import summarise, write_results
from benchmarks.training import train_network
from tendigits.data import DigitSet, load_mnist
from tendigits.evaluation.metrics import evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.training.memory import keep_freed_memory
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named
from tendigits.training.run import settle_precision

PLOT = Path(__file__).parent.parent / "docs" / "ladder.png"


def rungs() -> Iterator[tuple[str, Recipe]]:
    """Give each rung's name and recipe, from the tutorial's training on."""
    fast = settle_precision(recipe_named("fast"), "cpu")
    rung = recipe_named("article-cnn")
    yield "the tutorial's network and training, whole set in memory", rung
    rung = replace(rung, model=fast.model)
    yield "a network with a sixteenth of the parameters", rung
    rung = replace(rung, epochs=1)
    yield "one epoch instead of five", rung
    rung = replace(rung, lr=0.012, schedule="triangle", warmup=fast.warmup, final_lr=fast.final_lr)
    yield "a high learning rate that rises and falls", rung
    rung = replace(rung, betas=fast.betas)
    yield "a short memory for Adam", rung
    rung = replace(rung, batch_size=fast.batch_size, drop_last=True)
    yield f"batches of {fast.batch_size}", rung
    rung = replace(rung, label_smoothing=fast.label_smoothing)
    yield "label smoothing", rung
    rung = replace(rung, precision=fast.precision)
    yield f"{fast.precision} between the layers", rung
    rung = replace(rung, optimizer=fast.optimizer, lr=fast.lr, filter_lr=fast.filter_lr)
    yield "Muon for the filters", rung
    rung = replace(rung, epochs=fast.epochs)
    assert replace(rung, name=fast.name) == fast, "the last rung is the recipe"
    yield f"{fast.epochs} epochs: the recipe fast", rung


def climb(recipe: Recipe, mnist: DigitSet, seed: int) -> dict[str, Any]:
    """Train on a rung; return training seconds and test accuracy."""
    model, seconds = train_network(recipe, mnist.train, seed)
    logits = predict_logits(model, mnist.test.images)
    accuracy = evaluate_logits(logits, mnist.test.labels).accuracy
    return {"train_seconds": round(seconds, 4), "test_accuracy": accuracy}


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Plot the mean accuracy of each rung against its mean seconds."""
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.subplots()
    names = list(dict.fromkeys(run["rung"] for run in runs))
    points = []
    for number, name in enumerate(names, 1):
        of_name = [run for run in runs if run["rung"] == name]
        seconds = summarise(run["train_seconds"] for run in of_name).mean
        accuracy = summarise(100 * run["test_accuracy"] for run in of_name)
        axes.errorbar(
            seconds, accuracy.mean, accuracy.deviation, fmt="o", label=f"{number}  {name}"
        )
        axes.annotate(
            str(number), (seconds, accuracy.mean), xytext=(7, 4), textcoords="offset points"
        )
        points.append((seconds, accuracy.mean))
    axes.plot(*zip(*points, strict=True), color="0.8", zorder=0)
    axes.axhline(99, color="0.6", linestyle=":", zorder=0)
    axes.set(xscale="log", xlabel="seconds of training", ylabel="test accuracy (%), mean and sd")
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Climb seed by seed, print, plot and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="trainings on each rung")
    arguments = parser.parse_args()
    mnist = load_mnist()
    keep_freed_memory()
    runs: list[dict[str, Any]] = []
    for seed in range(arguments.seeds):
        for name, recipe in rungs():
            runs.append({"rung": name, "seed": seed, **climb(recipe, mnist, seed)})
            print(runs[-1], flush=True)
    write_results("ladder", f"scripts/bench ladder --seeds {arguments.seeds}", runs)
    draw(runs, PLOT)


if __name__ == "__main__":
    main()
