"""Time and memory as the pictures grow: training on 1,000 to 600,000, classifying to 10 million.

    scripts/bench growth

Each size is measured in a process of its own, whose peak memory is taken; MNIST's training pictures
are repeated where there are too few. Training is one epoch of `fast`. Classifying takes pictures
from a stream, a thousand at a time, and keeps only how many of each digit it saw. It writes the
figures, and the plot docs/growth.png.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import ticker
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.results import write_results
from tendigits.data import Digits, load_mnist
from tendigits.evaluation.predict import predict_logits
from tendigits.models import build_model, channels_last
from tendigits.training.batches import Batches
from tendigits.training.examples import Examples
from tendigits.training.loop import train_steps
from tendigits.training.memory import keep_freed_memory
from tendigits.training.recipes import recipe_named
from tendigits.training.run import settle_precision
from tendigits.training.state import TrainingState

TRAINED = (1_000, 10_000, 60_000, 600_000)
CLASSIFIED = (10_000, 100_000, 1_000_000, 10_000_000)
CHUNK = 1_000  # pictures that the stream brings at a time
PLOT = Path(__file__).parent.parent / "docs" / "growth.png"


def train(count: int) -> float:
    """Train an epoch of `fast` on `count` pictures; return the seconds."""
    mnist = load_mnist().train
    chosen = np.resize(np.arange(len(mnist)), count)
    digits = Digits(images=mnist.images[chosen], labels=mnist.labels[chosen])
    recipe = settle_precision(replace(recipe_named("fast"), epochs=1), "cpu")
    keep_freed_memory()
    start = time.perf_counter()
    batches = Batches(digits, batch_size=recipe.batch_size, seed=0)
    state = TrainingState(recipe, seed=0)
    train_steps(state, batches, recipe, batches.steps_per_epoch, Examples(recipe, digits))
    return time.perf_counter() - start


def stream(count: int) -> Iterator[NDArray[np.uint8]]:
    """Give `count` pictures, a chunk at a time, each chunk a new array."""
    images = load_mnist().train.images
    for start in range(0, count, CHUNK):
        first = start % (len(images) - CHUNK)
        yield images[first : first + CHUNK].copy()


def classify(count: int) -> float:
    """Classify `count` streamed pictures with the network of `fast`; return the seconds."""
    model = channels_last(build_model(recipe_named("fast").model))
    seen = np.zeros(10, np.int64)
    start = time.perf_counter()
    for chunk in stream(count):
        seen += np.bincount(predict_logits(model, chunk).argmax(1), minlength=10)
    if seen.sum() != count:
        raise RuntimeError(f"classified {seen.sum()} of {count} pictures")
    return time.perf_counter() - start


def measure_here(task: str, count: int) -> dict[str, Any]:
    """Do a task in this process and return its figures."""
    torch.manual_seed(0)
    seconds = {"train": train, "classify": classify}[task](count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {
        "task": task,
        "count": count,
        "seconds": round(seconds, 3),
        "peak_memory_mb": round(peak, 1),
    }


def measure(task: str, count: int) -> dict[str, Any]:
    """Do a task in a fresh process and return its figures."""
    command = [sys.executable, "-m", "benchmarks.growth", "--task", task, "--count", str(count)]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: dict[str, Any] = json.loads(line)
    print(figures, flush=True)
    return figures


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Plot seconds and memory against the number of pictures."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    names = {"train": "training, one epoch of fast", "classify": "classifying a stream"}
    for axes, field, unit in zip(
        figure.subplots(1, 2), ("seconds", "peak_memory_mb"), ("seconds", "MB"), strict=True
    ):
        for (task, name), marker in zip(names.items(), "os", strict=True):
            points = sorted((run["count"], run[field]) for run in runs if run["task"] == task)
            axes.plot(*zip(*points, strict=True), marker=marker, label=name)
        axes.set(xscale="log", xlabel="pictures", ylabel=unit)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    time_axes, memory_axes = figure.axes
    time_axes.set(title="Time", yscale="log")
    time_axes.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    memory_axes.set(title="Peak memory of the process", ylim=(0, None))
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure every size, print, plot and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each size")
    parser.add_argument("--task", choices=("train", "classify"), help="only this, in this process")
    parser.add_argument("--count", type=int, default=1_000, help="pictures of --task")
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(measure_here(arguments.task, arguments.count)))
        return
    sizes = [("train", count) for count in TRAINED] + [("classify", count) for count in CLASSIFIED]
    runs = [measure(*size) for _ in range(arguments.rounds) for size in sizes]
    write_results("growth", f"scripts/bench growth --rounds {arguments.rounds}", runs)
    draw(runs, PLOT)


if __name__ == "__main__":
    main()
