"""Teaching a trained model what it got wrong: a few corrections among many of MNIST's digits.

Training goes on for some seconds on batches of both, so that what is new is learned and what was
known is kept (rehearsal; Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal", 1995).
Whether it did is measured on pictures that this training never saw, and decided by a rule.
"""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tendigits.data import Digits, load_mnist
from tendigits.data.aside import aside_by_content
from tendigits.errors import SettingError
from tendigits.evaluation.predict import predict_logits
from tendigits.models import count_networks
from tendigits.training.augmentation import Augmentation
from tendigits.training.batches import Batches
from tendigits.training.examples import Examples
from tendigits.training.loop import train_steps
from tendigits.training.recipe import Recipe
from tendigits.training.state import TrainingState
from tendigits.weights import LoadedModel

STEPS = 100
BATCH = 192  # pictures that a network is shown at a step
CORRECTED_SHARE = 0.25  # of a batch
LEAST_CORRECTIONS = 6
LEAST_KEPT = 2  # of the corrections; and at least as many are learned from
KEPT_SHARE = 1 / 3  # of the corrections, about, to measure on
MNIST_COUNT = 5_000  # held-out digits to measure on, where the model's training held out none
SIGNIFICANT = 0.05  # a chance below it is taken for a loss on MNIST


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What teaching did, on pictures that it did not see.

    Attributes:
        corrections: How many were learned from.
        kept: How many were kept to measure on.
        kept_errors: Wrong answers to these, before and after.
        mnist: How many held-out digits of MNIST were measured on.
        mnist_errors: Wrong answers to these, before and after.
        chance: Of at least so many new errors on MNIST, if nothing had become worse.
        accepted: The kept corrections are read better, and MNIST not significantly worse.
        seconds: That it took, measuring included.
    """

    corrections: int
    kept: int
    kept_errors: tuple[int, int]
    mnist: int
    mnist_errors: tuple[int, int]
    chance: float
    accepted: bool
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the lesson as a JSON object."""
        return asdict(self)


class MixedBatches:
    """Batches of which a quarter are corrections and the rest are MNIST's.

    Args:
        known: To rehearse.
        corrections: To learn; each is shown many times.
        seed: Fixes the order.
        networks: Members of an ensemble, among which each batch is dealt.
    """

    def __init__(self, known: Digits, corrections: Digits, seed: int, networks: int = 1) -> None:
        pictures = BATCH * networks
        count = round(CORRECTED_SHARE * pictures)
        again = np.resize(np.arange(len(corrections)), max(count, len(corrections)))
        self.corrections = Batches(corrections.take(again), batch_size=count, seed=seed)
        self.known = Batches(known, batch_size=pictures - count, seed=seed)
        self.steps_per_epoch = STEPS

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the batch of a step: (N, 1, 28, 28) float32 in [0, 1], and (N,) int64."""
        parts = self.known.at(step), self.corrections.at(step)
        return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def teach(loaded: LoadedModel, corrections: Digits, *, seed: int = 0) -> tuple[nn.Module, Lesson]:
    """Train a model further on corrections, and measure what that did.

    Args:
        loaded: The model; it is left as it is.
        corrections: Pictures with their right labels, at least six.
        seed: Fixes the training; which of them are kept to measure on, their content says, so that
            no later lesson measures on what an earlier one learned, but where there are very few.

    Returns:
        The taught network and what it is worth; whether to use it is `Lesson.accepted`.

    Raises:
        SettingError: There are too few corrections.
        DivergedError: The loss is not finite.
    """
    start = time.perf_counter()
    if len(corrections) < LEAST_CORRECTIONS:
        raise SettingError(
            f"there are {len(corrections)} corrections: expected at least {LEAST_CORRECTIONS}, to "
            "learn from some and to measure on the others"
        )
    is_kept = aside_by_content(corrections.images, KEPT_SHARE, LEAST_KEPT)
    learned, kept = (corrections.take(np.flatnonzero(side)) for side in (~is_kept, is_kept))
    known, held_out = load_mnist().train.hold_out(loaded.info.hold_out or MNIST_COUNT)
    taught = train_further(loaded, known, learned, seed)
    wrong = [
        [_is_wrong(model, digits) for model in (loaded.model, taught)]
        for digits in (kept, held_out)
    ]
    kept_errors, mnist_errors = ((int(before.sum()), int(after.sum())) for before, after in wrong)
    before, after = wrong[1]
    chance = chance_of_loss(int((after & ~before).sum()), int((before & ~after).sum()))
    return taught, Lesson(
        corrections=len(learned),
        kept=len(kept),
        kept_errors=kept_errors,
        mnist=len(held_out),
        mnist_errors=mnist_errors,
        chance=chance,
        accepted=kept_errors[1] < kept_errors[0] and chance >= SIGNIFICANT,
        seconds=time.perf_counter() - start,
    )


def train_further(loaded: LoadedModel, known: Digits, learned: Digits, seed: int) -> nn.Module:
    """Return a copy of the network, trained on.

    Args:
        loaded: The model to begin with.
        known: To rehearse.
        learned: To learn.
        seed: Fixes the training.
    """
    recipe = recipe_of(loaded)
    state = TrainingState(recipe, seed)
    state.model.load_state_dict(loaded.model.state_dict())
    batches = MixedBatches(known, learned, seed, count_networks(loaded.config))
    train_steps(state, batches, recipe, STEPS, Examples(recipe, learned))
    return state.model.eval()


def recipe_of(loaded: LoadedModel) -> Recipe:
    """Return how a model is trained further."""
    return Recipe(
        name="teach",
        model=loaded.config,
        epochs=1,
        batch_size=BATCH,
        optimizer="adamw",
        lr=6e-4,  # a small part of what a network begins with: it is to move a little
        schedule="triangle",
        warmup=0.1,
        label_smoothing=0.05,
        augmentation=Augmentation(),
        precision="float32",
    )


def chance_of_loss(lost: int, gained: int) -> float:
    """Return the chance of at least so many losses if losses and gains were equally likely.

    This is McNemar's exact test, one-sided (McNemar 1947).

    Args:
        lost: Pictures read right before and wrong after.
        gained: Pictures read wrong before and right after.
    """
    changed = lost + gained
    ways = sum(math.comb(changed, count) for count in range(lost, changed + 1))
    return float(ways / 2**changed)


def _is_wrong(model: nn.Module, digits: Digits) -> NDArray[np.bool_]:
    """Return which of (N,) digits a model reads wrong."""
    return np.asarray(predict_logits(model, digits.images).argmax(axis=1) != digits.labels)
