"""People's own pictures, and recipes that presume they are digits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from folders import write_pictures
from runs import settings
from tendigits.data import Digits, DigitSet
from tendigits.errors import SettingError
from tendigits.training.own_data import presumes_digits, require_digits
from tendigits.training.recipes import RECIPES, recipe_named
from tendigits.training.run import start_run


def test_recipes_that_make_digits_or_ask_a_teacher_presume_them() -> None:
    presuming = [name for name in RECIPES if presumes_digits(recipe_named(name))]
    assert presuming == ["forms", "small", "best"]


def test_digits_are_what_is_presumed(few_digits: DigitSet) -> None:
    require_digits(recipe_named("best"), few_digits.train)


def test_pictures_of_other_things_are_refused_where_digits_are_presumed(
    few_digits: DigitSet,
) -> None:
    train = few_digits.train
    others = Digits(images=train.images, labels=((train.labels + 3) % 10).astype(np.uint8))
    with pytest.raises(SettingError, match=r"small reads only \d% .* such as cnn or member"):
        require_digits(recipe_named("small"), others)
    require_digits(recipe_named("cnn"), others)


def test_a_missing_class_is_said_before_there_is_a_run_folder(
    few_digits: DigitSet, tmp_path: Path
) -> None:
    train = few_digits.train
    write_pictures(tmp_path / "mine", train.take(np.flatnonzero(train.labels % 5 != 4)))
    wanted = replace(settings(recipe_named("small")), data=tmp_path / "mine")
    with pytest.raises(SettingError, match="no training pictures of 4, 9"):
        start_run(wanted, tmp_path / "runs", fit_batch_size=True, fit_hold_out=True)
    assert not (tmp_path / "runs").exists()
