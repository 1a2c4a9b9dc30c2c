"""Examples: what is shown and what is asked for, by a recipe's settings."""

from dataclasses import replace

import pytest
import torch

import tendigits
from tendigits.data import Digits
from tendigits.training.augmentation import Augmentation
from tendigits.training.batches import Batches
from tendigits.training.examples import Examples, join_made, spread
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named
from tendigits.training.warp import Warp


@pytest.fixture
def recipe() -> Recipe:
    return replace(recipe_named("article-mlp"), batch_size=50)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_plain_recipe_shows_the_pictures_and_asks_for_the_labels(
    recipe: Recipe, some_digits: Digits
) -> None:
    images, labels = Batches(some_digits, batch_size=50, seed=0).at(0)
    shown, targets = Examples(recipe, some_digits).make(images, labels, seeded())
    assert shown is images
    assert targets is labels


def test_outliers_come_last_and_ask_for_equal_chances(recipe: Recipe, some_digits: Digits) -> None:
    recipe = replace(recipe, augmentation=Augmentation(outliers=0.2))
    images, labels = Batches(some_digits, batch_size=50, seed=0).at(0)
    shown, targets = Examples(recipe, some_digits).make(images, labels, seeded())
    assert shown.shape == (60, 1, 28, 28)
    assert targets.shape == (60, 10)
    assert torch.equal(targets[:50].argmax(1), labels)
    assert torch.allclose(targets[50:], torch.tensor(0.1))
    assert torch.allclose(targets.sum(1), torch.tensor(1.0))


def test_made_ones_and_sevens_join_the_set_once(some_digits: Digits) -> None:
    assert join_made(some_digits, None) is some_digits
    assert join_made(some_digits, Augmentation()) is some_digits
    joined = join_made(some_digits, Augmentation(european=1.0))
    counts = some_digits.class_counts()
    assert len(joined) == len(some_digits) + counts[1] + counts[7]
    assert (joined.images[: len(some_digits)] == some_digits.images).all()
    more = join_made(some_digits, Augmentation(european=1.0, rare_forms=1.0))
    assert (more.images[: len(joined)] == joined.images).all()
    assert set(more.labels[len(joined) :].tolist()) == {2, 4, 9}
    written = join_made(some_digits, Augmentation(written=0.5))
    assert len(written) == len(some_digits) + round(0.5 * len(some_digits))


def test_the_same_generator_shows_the_same(recipe: Recipe, some_digits: Digits) -> None:
    recipe = replace(recipe, augmentation=Augmentation(foreign=0.5, outliers=0.1))
    images, labels = Batches(some_digits, batch_size=50, seed=0).at(0)
    examples = Examples(recipe, some_digits)
    first, second = (examples.make(images, labels, seeded())[0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_teacher_is_asked_about_digits_as_they_are_shown(
    recipe: Recipe, some_digits: Digits
) -> None:
    recipe = replace(
        recipe, augmentation=Augmentation(outliers=0.2), teacher="small", teacher_share=0.3
    )
    images, labels = Batches(some_digits, batch_size=50, seed=0).at(0)
    shown, targets = Examples(recipe, some_digits).make(images, labels, seeded())
    answers = tendigits.load("small").model.eval()(shown[:50]).softmax(dim=1)
    expected = 0.7 * spread(labels, 50) + 0.3 * answers
    assert torch.allclose(targets[:50], expected, atol=1e-5)
    assert len(targets) == len(shown) > 50
    assert (targets[50:] == 0.1).all()


def test_a_teacher_computes_as_its_pupil(recipe: Recipe, some_digits: Digits) -> None:
    taught = replace(recipe, teacher="small", teacher_share=0.5)
    for precision in ("bfloat16", "float32"):
        teacher = Examples(replace(taught, precision=precision), some_digits).teacher
        assert teacher is not None
        assert teacher.in_bfloat16 == (precision == "bfloat16")


def test_spreading_without_outliers_is_one_hot() -> None:
    assert torch.equal(spread(torch.tensor([3, 0]), 2), torch.eye(10)[[3, 0]])


def test_a_calm_step_changes_pictures_as_the_calm_augmentation_says(
    recipe: Recipe, some_digits: Digits
) -> None:
    calm = Augmentation(foreign=0.5, warp=Warp(angle=1.0))
    recipe = replace(
        recipe, augmentation=Augmentation(outliers=0.2), calm=0.3, calm_augmentation=calm
    )
    images, labels = Batches(some_digits, batch_size=50, seed=0).at(0)
    shown, _ = Examples(recipe, some_digits).make(images, labels, seeded(), calm=True)
    usual = replace(
        recipe, augmentation=replace(calm, outliers=0.2), calm=0.0, calm_augmentation=None
    )
    expected, _ = Examples(usual, some_digits).make(images, labels, seeded())
    assert torch.equal(shown, expected)
