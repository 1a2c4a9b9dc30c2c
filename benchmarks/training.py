"""A network trained in this process: what the benchmarks that compare accuracies share."""

import time

from torch import nn

from tendigits.data import Digits
from tendigits.training.batches import Batches
from tendigits.training.examples import Examples, join_made
from tendigits.training.loop import count_steps, train_steps
from tendigits.training.recipe import Recipe
from tendigits.training.run import HELD_OUT_PART, settle_precision
from tendigits.training.state import TrainingState


def train_network(recipe: Recipe, digits: Digits, seed: int) -> tuple[nn.Module, float]:
    """Train by `recipe` on the processor, as `tendigits train` does; return network and seconds.

    Args:
        recipe: How to train; what it holds out is held out here too.
        digits: The training pictures, in memory: the clock starts with them.
        seed: Of the training.
    """
    recipe = settle_precision(recipe, "cpu")
    held_out = min(recipe.hold_out, len(digits) // HELD_OUT_PART)
    train = digits.hold_out(held_out)[0] if held_out else digits
    start = time.perf_counter()
    examples = Examples(recipe, train)
    batches = Batches(
        join_made(train, recipe.augmentation),
        batch_size=recipe.batch_size,
        seed=seed,
        drop_last=recipe.drop_last,
    )
    state = TrainingState(recipe, seed=seed)
    train_steps(state, batches, recipe, count_steps(recipe, batches), examples)
    return state.model, time.perf_counter() - start
