"""A network trained in this process: what the benchmarks that compare accuracies share."""

import time

from torch import nn

from tendigits.data import Digits
from tendigits.training.batches import Batches
from tendigits.training.loop import count_steps, train_steps
from tendigits.training.recipe import Recipe
from tendigits.training.run import settle_precision
from tendigits.training.state import TrainingState


def train_network(recipe: Recipe, digits: Digits, seed: int) -> tuple[nn.Module, float]:
    """Train by `recipe` on the processor; return the network and the seconds.

    Args:
        recipe: How to train.
        digits: The training pictures, in memory: the clock starts with them.
        seed: Of the training.
    """
    recipe = settle_precision(recipe, "cpu")
    start = time.perf_counter()
    batches = Batches(digits, batch_size=recipe.batch_size, seed=seed, drop_last=recipe.drop_last)
    state = TrainingState(recipe, seed=seed)
    train_steps(state, batches, recipe, count_steps(recipe, batches))
    return state.model, time.perf_counter() - start
