"""MNIST's arguable labels: which ones does an ensemble doubt that never trained on them?

    scripts/bench arguable --recipe cnn --folds 5 --seeds 3

For each seed the training part is divided anew into folds, and a network is trained on all folds
but one: each training picture is judged only by networks that have not seen it, the test pictures
by all of them. Averaged probabilities rank the labels as confident learning does (Northcutt, Jiang
& Chuang 2021). The most doubted go into the package, for people to look at: nothing is trained or
scored by that list.
"""

import argparse
import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training import train_network
from tendigits.data import DigitSet, load_mnist
from tendigits.data.digits import CLASSES
from tendigits.evaluation.arguable import ArguableLabels, find_doubts, write_arguable
from tendigits.evaluation.metrics import softmax_probs
from tendigits.evaluation.predict import predict_logits
from tendigits.training.memory import keep_freed_memory
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import RECIPES, recipe_named

LIST = Path(__file__).parent.parent / "src" / "tendigits" / "data" / "files" / "arguable.json"
MOST = {"test": 40, "train": 60}  # doubts: a gallery that a person looks through

Probs = NDArray[np.float64]


def held_out_probs(
    recipe: Recipe, digit_set: DigitSet, folds: int, seeds: int
) -> tuple[Probs, Probs]:
    """Return what networks read in pictures that they were not trained on.

    Args:
        recipe: How to train them.
        digit_set: The set.
        folds: Parts of the training pictures, at least 2: a network is trained on all but one.
        seeds: Times that this is done.

    Returns:
        Mean probabilities of the training pictures, (N, 10), each by `seeds` networks, and of the
        test pictures, (M, 10), each by `folds` times `seeds`.
    """
    train, test = digit_set.train, digit_set.test
    train_probs = np.zeros((len(train), CLASSES))
    test_probs = np.zeros((len(test), CLASSES))
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(train))
        for number, fold in enumerate(np.array_split(order, folds)):
            model, seconds = train_network(recipe, train.take(np.setdiff1d(order, fold)), seed)
            train_probs[fold] += softmax_probs(predict_logits(model, train.images[fold]))
            test_probs += softmax_probs(predict_logits(model, test.images))
            print(f"seed {seed}, fold {number}: trained in {seconds:.1f} s", flush=True)
    return train_probs / seeds, test_probs / (seeds * folds)


def judge(recipe: Recipe, digit_set: DigitSet, folds: int, seeds: int) -> ArguableLabels:
    """Return the labels of a set that held-out networks doubt most."""
    train, test = digit_set.train, digit_set.test
    train_probs, test_probs = held_out_probs(recipe, digit_set, folds, seeds)
    doubts = find_doubts("test", test_probs, test.labels, MOST["test"])
    doubts += find_doubts("train", train_probs, train.labels, MOST["train"])
    return ArguableLabels(
        recipe=recipe.name,
        folds=folds,
        seeds=seeds,
        date=datetime.date.today().isoformat(),
        train_sha256=train.fingerprint(),
        test_sha256=test.fingerprint(),
        doubts=tuple(doubts),
    )


def main() -> None:
    """Read the command line, train, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    alone = [name for name in RECIPES if not recipe_named(name).teacher]  # a teacher knows them all
    parser.add_argument("--recipe", choices=alone, default="fast-99.4")
    parser.add_argument("--folds", type=int, default=5, help="at least 2")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=LIST, help="the list to write")
    arguments = parser.parse_args()
    if arguments.folds < 2 or arguments.seeds < 1:
        parser.error("at least 2 folds and 1 seed: else a network judges what it was trained on")
    keep_freed_memory()
    arguable = judge(recipe_named(arguments.recipe), load_mnist(), arguments.folds, arguments.seeds)
    write_arguable(arguments.out, arguable)
    print(f"{arguments.out}: {len(arguable.doubts)} doubts")


if __name__ == "__main__":
    main()
