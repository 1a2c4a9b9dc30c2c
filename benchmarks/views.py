"""What looking at several views of a picture is worth to `best`, and what it costs.

    scripts/bench recipes best --seeds 5 --runs trained
    scripts/bench views --runs trained

How many views there are was chosen by the pictures that were held out; the test set is read with
one view, and with as many as the recipe has.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.results import summarise, write_results
from tendigits.data import load_mnist
from tendigits.environment import processor_name
from tendigits.evaluation.confidence import Calibration, calibrated_probs, fit_temperature
from tendigits.evaluation.metrics import evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.models import Views, ViewsConfig
from tendigits.training.recipes import recipe_named
from tendigits.weights import LoadedModel, load_model

COUNTS = (1, 2, 4, 8, 16)
RECIPE = "best"


def with_views(loaded: LoadedModel, count: int) -> torch.nn.Module:
    """Return the trained network of a model with `count` views, and with none of them if that is 1.

    Args:
        loaded: A model of several views.
        count: Of views.
    """
    if not isinstance(loaded.model, Views):
        sys.exit(f"a {loaded.info.recipe} of one view: expected {RECIPE}")
    network = loaded.model.network
    if count == 1:
        return network
    return Views(ViewsConfig(network=loaded.model.config.network, count=count), network).eval()


def mean_loss(logits: NDArray[np.float32], labels: NDArray[np.uint8], fitted: Calibration) -> float:
    """Return the mean cross-entropy of calibrated chances, in nats."""
    chances = calibrated_probs(logits, fitted)[np.arange(len(labels)), labels]
    return float(-np.log(chances).mean())


def measure(run: Path) -> list[dict[str, Any]]:
    """Return the figures of one training, for each number of views."""
    loaded, mnist = load_model(run), load_mnist()
    _, held_out = mnist.train.hold_out(loaded.info.hold_out)
    rows = []
    for count in COUNTS:
        model = with_views(loaded, count)
        start = time.perf_counter()
        logits = predict_logits(model, held_out.images)
        seconds = time.perf_counter() - start
        row = {
            "seed": loaded.info.seed,
            "processor": processor_name(),
            "threads": torch.get_num_threads(),
            "views": count,
            "held_out_accuracy": evaluate_logits(logits, held_out.labels).accuracy,
            "held_out_loss": mean_loss(
                logits, held_out.labels, fit_temperature(logits, held_out.labels)
            ),
            "us_per_picture": 1e6 * seconds / len(held_out),
        }
        if count in (1, recipe_named(RECIPE).views):
            test = predict_logits(model, mnist.test.images)
            row["test_accuracy"] = evaluate_logits(test, mnist.test.labels).accuracy
        print(row, flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help=f"folder of trainings of {RECIPE}")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folders = sorted(arguments.runs.glob(f"*-{RECIPE}"))
    if not folders:
        sys.exit(f"no training of {RECIPE} in {arguments.runs}: scripts/bench recipes trains some")
    runs = [row for folder in folders for row in measure(folder)]
    write_results("views", "scripts/bench views --runs FOLDER", runs)
    for count in COUNTS:
        of_count = [run for run in runs if run["views"] == count]
        accuracy = summarise(run["held_out_accuracy"] for run in of_count)
        loss = summarise(run["held_out_loss"] for run in of_count)
        print(f"{count} views: {accuracy.mean:.3%} held out, loss {loss.mean:.4f}")


if __name__ == "__main__":
    main()
