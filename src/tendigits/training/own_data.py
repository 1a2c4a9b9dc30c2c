"""Whether people's own pictures are what a recipe presumes: digits, as MNIST's are."""

import numpy as np

from tendigits.data.digits import Digits
from tendigits.errors import SettingError
from tendigits.evaluation.predict import predict_logits
from tendigits.registry import shipped_file
from tendigits.training.augmentation import Augmentation
from tendigits.training.recipe import Recipe
from tendigits.weights import load_model

JUDGE = "small"  # the shipped model that is asked whether labels are digits
ASKED = 500  # pictures: that many tell digits, of which it reads nearly all, from other things
LEAST_READ = 0.5  # share of them; a tenth is luck
ELSE = "take one that presumes nothing, such as cnn or member"


def presumes_digits(recipe: Recipe) -> bool:
    """Return whether a recipe has a teacher, or adds digits, or halves of some, that it makes."""
    made = recipe.augmentation or Augmentation()
    adds = any((made.european, made.rare_forms, made.written, made.outliers))
    return adds or bool(recipe.teacher)


def require_digits(recipe: Recipe, train: Digits) -> None:
    """Refuse pictures that a recipe would mislead the network about.

    Args:
        recipe: What is trained.
        train: The training pictures.

    Raises:
        SettingError: The recipe presumes digits, and a class has no pictures, or a shipped reader
            of digits reads less than half of the pictures as they are labelled.
        WeightsError: That reader's file is not the one that was shipped.
    """
    if not presumes_digits(recipe):
        return
    counts = train.class_counts()
    if not counts.all():
        missing = ", ".join(map(str, np.flatnonzero(counts == 0)))
        raise SettingError(
            f"the recipe {recipe.name} makes pictures of all ten digits from yours, and there are "
            f"no training pictures of {missing}: {ELSE}"
        )
    asked = train.take(np.random.default_rng(0).permutation(len(train))[:ASKED])
    judge = load_model(shipped_file(JUDGE, "safetensors")).model
    read = (predict_logits(judge, asked.images).argmax(axis=1) == asked.labels).mean()
    if read < LEAST_READ:
        raise SettingError(
            f"the recipe {recipe.name} presumes digits, and {JUDGE} reads only {read:.0%} of the "
            f"training pictures as they are labelled: {ELSE}"
        )
