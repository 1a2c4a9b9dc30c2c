"""The loop, against a training loop written out by hand in plain torch."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tendigits.data import Digits
from tendigits.errors import DivergedError
from tendigits.models import CnnConfig, build_model, channels_last
from tendigits.training.augmentation import Augmentation
from tendigits.training.batches import Batches, epoch_order
from tendigits.training.examples import Examples
from tendigits.training.loop import count_steps, train_steps
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named
from tendigits.training.run import settle_precision
from tendigits.training.state import TrainingState
from tendigits.weights import tensors_sha256


def by_hand(recipe: Recipe, digits: Digits, steps: int) -> nn.Module:
    """Train as the tutorial does, without a line of the package's loop."""
    torch.manual_seed(7)
    model = channels_last(build_model(recipe.model))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    criterion = nn.CrossEntropyLoss()
    model.train()
    order = epoch_order(len(digits), 7, 0)
    for step in range(steps):
        chosen = order[step * 64 : (step + 1) * 64]
        images = torch.from_numpy(digits.images[chosen]).float()[:, None] / 255
        labels = torch.from_numpy(digits.labels[chosen]).long()
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("name", ["article-mlp", "article-cnn"])
@pytest.mark.parametrize("steps", [1, 4])
def test_steps_are_those_of_a_loop_by_hand_to_the_bit(
    name: str, steps: int, some_digits: Digits
) -> None:
    recipe = settle_precision(recipe_named(name), "cpu")
    batches = Batches(some_digits, batch_size=64, seed=7)
    state = TrainingState(recipe, seed=7)
    train_steps(state, batches, recipe, steps, Examples(recipe, some_digits))
    expected = by_hand(recipe, some_digits, steps)
    assert tensors_sha256(state.model.state_dict()) == tensors_sha256(expected.state_dict())


@pytest.mark.parametrize("name", ["article-cnn", "cnn"])
def test_the_same_seed_gives_the_same_weights_and_another_others(
    name: str, some_digits: Digits
) -> None:
    recipe = replace(settle_precision(recipe_named(name), "cpu"), epochs=1)
    found = []
    for seed in (1, 1, 2):
        batches = Batches(some_digits, batch_size=recipe.batch_size, seed=seed)
        state = TrainingState(recipe, seed=seed)
        until = count_steps(recipe, batches)
        train_steps(state, batches, recipe, until, Examples(recipe, some_digits))
        found.append(tensors_sha256(state.model.state_dict()))
    assert found[0] == found[1] != found[2]


def test_an_epoch_is_counted_as_it_was_trained_on(some_digits: Digits) -> None:
    recipe = recipe_named("article-mlp")
    state = TrainingState(recipe, seed=0)
    batches = Batches(some_digits, batch_size=64, seed=0)
    train_steps(state, batches, recipe, 4, Examples(recipe, some_digits))
    assert state.seen == 256
    assert 1.5 < state.mean_loss() < 2.5
    assert 0.1 < state.mean_accuracy() < 0.9


@pytest.mark.parametrize(("epochs", "steps"), [(0.5, 2), (1, 4), (2.25, 9), (0.001, 1)])
def test_part_of_an_epoch_is_some_of_its_steps(
    epochs: float, steps: int, some_digits: Digits
) -> None:
    recipe = replace(recipe_named("article-mlp"), epochs=epochs)
    assert count_steps(recipe, Batches(some_digits, batch_size=64, seed=0)) == steps


def test_a_loss_that_is_not_finite_stops_before_it_spoils_the_weights(some_digits: Digits) -> None:
    recipe = replace(recipe_named("article-mlp"), model=CnnConfig(std=0.0))
    state = TrainingState(recipe, seed=0)
    before = tensors_sha256(state.model.state_dict())
    batches = Batches(some_digits, batch_size=64, seed=0)
    with pytest.raises(DivergedError, match="at step 1"):
        train_steps(state, batches, recipe, 4, Examples(recipe, some_digits))
    assert tensors_sha256(state.model.state_dict()) == before
    assert state.step == 0


def test_the_last_steps_are_calm(some_digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(recipe_named("article-mlp"), calm=0.25, calm_augmentation=Augmentation())
    batches = Batches(some_digits, batch_size=64, seed=0)
    examples = Examples(recipe, some_digits)
    seen = []
    make = examples.make

    def watch(*pictures: Any, calm: bool) -> tuple[Tensor, Tensor]:
        seen.append(calm)
        return make(*pictures, calm=calm)

    monkeypatch.setattr(examples, "make", watch)
    state = TrainingState(recipe, seed=0)
    train_steps(state, batches, recipe, count_steps(recipe, batches), examples)
    assert seen == [False] * 15 + [True] * 5
