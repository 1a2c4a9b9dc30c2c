"""Why networks? Other well-known learners on MNIST beside ours: accuracy, time, size.

    scripts/bench compare --seeds 2    # under a quarter of an hour on two cores
    scripts/bench compare --quick      # 10,000 training pictures, one seed; prints, keeps nothing

All learn from pictures in memory and read the test pictures in one call, on all cores that they can
use. The support vector machine learns from the first 20,000 only: its time grows with the square of
their number. Only the networks have anything random in them, so only they have seeds. The settings
of the others are known good ones, named with their source; none was chosen here.
"""

import argparse
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import nn

from benchmarks.results import summarise, write_results
from benchmarks.training import train_network
from tendigits.data import Digits, DigitSet, load_mnist
from tendigits.evaluation.predict import predict_logits
from tendigits.training.memory import keep_freed_memory
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named
from tendigits.weights import ModelInfo, save_model

NETWORKS = ("article-mlp", "article-cnn", "fast", "fast-99.4", "cnn")
QUICK_COUNT = 10_000  # training pictures
SVM = "SVM with an RBF kernel"
SVM_COUNT = 20_000  # training pictures

Read = Callable[[NDArray[np.uint8]], NDArray[np.integer[Any]]]  # pictures -> answers


class Learned(NamedTuple):
    """A learner that has learned: how it reads, how long it took, how many bytes it is saved in."""

    read: Read
    seconds: float
    size: int


def make_classics() -> dict[str, Any]:
    """Return the learners that are no networks, none of them random with these settings."""
    return {
        # With a C of 1, as in the table of Xiao, Rasul & Vollgraf 2017 (Fashion-MNIST), which has
        # MNIST too. The library's hundred steps are too few for it to settle.
        "logistic regression": LogisticRegression(C=1.0, max_iter=1_000),
        # Three neighbours by Euclidean distance: 3.09 % errors in the table on LeCun's MNIST page.
        "3 nearest neighbours": KNeighborsClassifier(n_neighbors=3),
        # Found by cross-validation in ksopyla/svm_mnist_digit_classification, on 85 % of all 70,000
        # pictures: what that gave away of our test pictures is in its favour.
        SVM: SVC(C=5, gamma=0.05, cache_size=1_000),
        # The library's own settings, without the part that it would hold out to stop early.
        "boosted trees": HistGradientBoostingClassifier(early_stopping=False, random_state=0),
    }


def as_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures, (N, 28, 28), as rows of shares of ink, (N, 784)."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows /= 255
    return rows


def learn_classic(classifier: Any, digits: Digits) -> Learned:
    """Train a classifier of scikit-learn."""
    start = time.perf_counter()
    classifier.fit(as_rows(digits.images), digits.labels)
    seconds = time.perf_counter() - start
    size = len(pickle.dumps(classifier, protocol=pickle.HIGHEST_PROTOCOL))
    return Learned(lambda images: classifier.predict(as_rows(images)), seconds, size)


def learn_network(recipe: Recipe, digits: Digits, seed: int) -> Learned:
    """Train a network by its recipe."""
    model, seconds = train_network(recipe, digits, seed)
    size = saved_bytes(model, recipe, seed)
    return Learned(lambda images: predict_logits(model, images).argmax(axis=1), seconds, size)


def saved_bytes(model: nn.Module, recipe: Recipe, seed: int) -> int:
    """Return the size of the file that a model is saved in."""
    info = ModelInfo(recipe=recipe.name, seed=seed, data="mnist", train_fingerprint="0" * 64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_model(path, model, recipe.model, info)
        return path.stat().st_size


def measure(learned: Learned, test: Digits) -> dict[str, Any]:
    """Return what a learner costs, and how many of the test pictures it reads right."""
    start = time.perf_counter()
    answers = learned.read(test.images)
    seconds = time.perf_counter() - start
    return {
        "train_seconds": round(learned.seconds, 3),
        "read_us": round(1e6 * seconds / len(test), 3),
        "bytes": learned.size,
        "test_accuracy": float((answers == test.labels).mean()),
    }


def compare(digit_set: DigitSet, seeds: int) -> Iterator[dict[str, Any]]:
    """Give the figures of each learner, one run after the other."""
    train, test = digit_set.train, digit_set.test
    for name, classifier in make_classics().items():
        some = train.take(slice(SVM_COUNT)) if name == SVM else train
        figures = measure(learn_classic(classifier, some), test)
        yield {"name": name, "seed": None, "train_count": len(some), **figures}
    for seed in range(seeds):
        for name in NETWORKS:
            figures = measure(learn_network(recipe_named(name), train, seed), test)
            yield {"name": name, "seed": seed, "train_count": len(train), **figures}


def print_figures(runs: list[dict[str, Any]]) -> None:
    """Print a line for each learner."""
    print(f"{'':24}{'accuracy':>10}{'seconds':>10}{'µs a digit':>12}{'bytes':>14}")
    for name in dict.fromkeys(run["name"] for run in runs):
        accuracy, seconds, micros, size = (
            summarise(run[field] for run in runs if run["name"] == name).mean
            for field in ("test_accuracy", "train_seconds", "read_us", "bytes")
        )
        print(f"{name:24}{accuracy:10.2%}{seconds:10.1f}{micros:12.1f}{size:14,.0f}")


def main() -> None:
    """Read the command line, compare, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look: nothing is kept")
    parser.add_argument("--seeds", type=int, default=2, help="of each network")
    arguments = parser.parse_args()
    mnist = load_mnist()
    if arguments.quick:
        few = mnist.train.take(slice(QUICK_COUNT))
        mnist = DigitSet(name=mnist.name, train=few, test=mnist.test)
    keep_freed_memory()
    runs = []
    for run in compare(mnist, 1 if arguments.quick else arguments.seeds):
        print(run, flush=True)
        runs.append(run)
    print_figures(runs)
    if not arguments.quick:
        write_results("compare", f"scripts/bench compare --seeds {arguments.seeds}", runs)


if __name__ == "__main__":
    main()
