"""An epoch of the tutorial's CNN: our loop beside a plain DataLoader with a transform a picture.

Both train the same network with the same optimizer and batch size on all 60,000 pictures, in turn,
in one process: scripts/bench epoch --rounds 3
"""

import argparse
import time

from benchmarks.peers import tutorial
from benchmarks.results import summarise, write_results
from tendigits.data import Digits, load_mnist
from tendigits.training.batches import Batches
from tendigits.training.examples import Examples
from tendigits.training.loop import train_steps
from tendigits.training.recipes import recipe_named
from tendigits.training.state import TrainingState

RECIPE = recipe_named("article-cnn")


def plain_epoch(digits: Digits) -> float:
    """Return the seconds of an epoch as the tutorial trains it."""
    start = time.perf_counter()
    tutorial.train(digits, seed=0, epochs=1)
    return time.perf_counter() - start


def our_epoch(digits: Digits) -> float:
    """Return the seconds of an epoch of `article-cnn`, everything but the evaluation counted."""
    start = time.perf_counter()
    batches = Batches(digits, batch_size=RECIPE.batch_size, seed=0)
    state = TrainingState(RECIPE, seed=0)
    train_steps(state, batches, RECIPE, batches.steps_per_epoch, Examples(RECIPE, digits))
    return time.perf_counter() - start


def main() -> None:
    """Measure in turn, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="epochs of each, in turn")
    arguments = parser.parse_args()
    digits = load_mnist().train
    runs = []
    for _ in range(arguments.rounds):
        plain, ours = plain_epoch(digits), our_epoch(digits)
        runs.append(
            {"plain_seconds": round(plain, 3), "our_seconds": round(ours, 3), "ratio": ours / plain}
        )
        print(runs[-1], flush=True)
    write_results("epoch", f"scripts/bench epoch --rounds {arguments.rounds}", runs)
    print(f"mean ratio {summarise(run['ratio'] for run in runs).mean:.3f}")


if __name__ == "__main__":
    main()
