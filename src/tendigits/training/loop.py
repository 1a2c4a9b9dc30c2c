"""The loop: forward, loss, backward, step. Everything else about a run is elsewhere."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional

from tendigits.errors import DivergedError
from tendigits.training.batches import BatchSource
from tendigits.training.examples import Examples
from tendigits.training.recipe import Recipe, learning_rate
from tendigits.training.state import TrainingState

CHECK_EVERY = 50  # steps between looks at the loss on an accelerator, where a look makes it wait


def count_steps(recipe: Recipe, batches: BatchSource) -> int:
    """Return how many steps the whole training makes, at least one."""
    return max(1, round(recipe.epochs * batches.steps_per_epoch))


def train_steps(
    state: TrainingState,
    batches: BatchSource,
    recipe: Recipe,
    until: int,
    examples: Examples,
    *,
    after_step: Callable[[], None] = lambda: None,
) -> None:
    """Train until `state` has made `until` steps.

    Args:
        state: What the steps change.
        batches: The training pictures.
        recipe: How to train.
        until: Step to stop before, counted from the beginning of the training.
        examples: Makes of a batch what is shown, and what is asked for.
        after_step: Called after each step; an error that it raises ends training.

    Raises:
        ValueError: The recipe's precision is still ``auto``.
        DivergedError: The loss is not finite; the weights are those before that step, except on
            an accelerator, where it is noticed up to 50 steps later.
    """
    total_steps = count_steps(recipe, batches)
    calm_from = total_steps - round(recipe.calm * total_steps)
    check_every = 1 if state.device.type == "cpu" else CHECK_EVERY
    if recipe.precision == "auto":
        raise ValueError("the precision must be settled before training: see run.settle_precision")
    in_bfloat16 = recipe.precision == "bfloat16"
    state.model.train()
    while state.step < until:
        images, labels = batches.at(state.step)
        calm = state.step >= calm_from
        shown, targets = examples.make(images, labels, state.generator, calm=calm)
        for group in state.optimizer.param_groups:
            rate = learning_rate(recipe, state.step, total_steps)
            group["lr"] = rate * group.get("relative_lr", 1.0)
        with torch.autocast(state.device.type, torch.bfloat16, enabled=in_bfloat16):
            logits = state.model(shown).float()
        loss = functional.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing)
        if state.step % check_every == 0:
            check_finite(loss, state.step)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        state.count(loss, logits[: len(labels)], labels)
        state.step += 1
        after_step()


def check_finite(loss: torch.Tensor, step: int) -> None:
    """Raise a `DivergedError` where `loss` is not a finite number.

    Args:
        loss: A single number.
        step: That it is of, 0 for the first; people count from 1.
    """
    value = loss.item()
    if not math.isfinite(value):
        raise DivergedError(
            f"the loss is {value} at step {step + 1}: expected a finite number; "
            "try a smaller learning rate (--lr)"
        )
