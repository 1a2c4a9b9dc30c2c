"""The recipes that have a name: the tutorial's to the letter, and names that none has."""

import pytest

from tendigits.errors import UnknownNameError
from tendigits.models import CnnConfig, MlpConfig
from tendigits.training.recipes import recipe_named


@pytest.mark.parametrize(
    ("name", "model"), [("article-mlp", MlpConfig()), ("article-cnn", CnnConfig())]
)
def test_the_article_recipes_are_the_tutorial_to_the_letter(
    name: str, model: MlpConfig | CnnConfig
) -> None:
    recipe = recipe_named(name)
    assert recipe.model == model
    assert (recipe.epochs, recipe.batch_size, recipe.drop_last) == (5, 64, False)
    assert (recipe.optimizer, recipe.lr, recipe.betas) == ("adam", 0.001, (0.9, 0.999))
    assert (recipe.schedule, recipe.weight_decay, recipe.label_smoothing) == ("constant", 0, 0)
    assert recipe.shift == 0


def test_an_unknown_recipe_is_refused_with_a_guess() -> None:
    with pytest.raises(UnknownNameError, match="there is no recipe 'article-cn': did you mean"):
        recipe_named("article-cn")
