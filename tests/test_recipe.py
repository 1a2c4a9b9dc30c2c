"""A recipe: JSON and back, schedules, and settings without a meaning."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tendigits.errors import SettingError, UnknownNameError
from tendigits.training.augmentation import Augmentation
from tendigits.training.recipe import Recipe, changed, learning_rate
from tendigits.training.recipes import RECIPES, recipe_named


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_json(name: str) -> None:
    recipe = recipe_named(name)
    assert recipe.name == name
    assert type(recipe).from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("batch_size", 64.5),
        ("batch_size", True),
        ("epochs", "5"),
        ("drop_last", 1),
        ("betas", [0.9]),
        ("betas", ["0.9", "0.99"]),
        ("optimizer", 5),
        ("model", {"architecture": "mlp", "hidden": [1.5]}),
        ("model", {"architecture": "mlp", "hidden": 256}),
        ("model", {"architecture": "mlp", "mean": "dark"}),
        ("model", {"architecture": "vgg", "stages": [[8], [1.5]]}),
        ("model", {"architecture": "vgg", "stages": [8, 16]}),
        ("model", "mlp"),
        ("model", {"architecture": "ensemble", "members": [{"architecture": "mlp", "mean": "?"}]}),
        ("model", {"architecture": "ensemble", "members": {"architecture": "mlp"}}),
        ("model", {"architecture": "ensemble", "members": ["mlp"]}),
        ("model", {"architecture": "ensemble", "members": []}),
        ("model", {"architecture": "ensemble"}),
    ],
)
def test_a_saved_setting_of_another_type_is_refused(setting: str, value: object) -> None:
    saved = recipe_named("article-mlp").to_dict()
    with pytest.raises(TypeError):
        Recipe.from_dict({**saved, setting: value})


@pytest.mark.parametrize("name", ["augmentation", "calm_augmentation"])
def test_a_saved_augmentation_of_another_type_is_refused(name: str) -> None:
    saved = recipe_named("fast-99.7").to_dict()
    with pytest.raises(TypeError):
        Recipe.from_dict({**saved, name: {**saved[name], "foreign": "half"}})


def test_a_batch_has_a_picture_for_each_member_of_an_ensemble() -> None:
    assert changed(recipe_named("fast-99.7"), batch_size=2).batch_size == 2
    with pytest.raises(SettingError, match="batch size is 1: expected at least 2"):
        changed(recipe_named("fast-99.7"), batch_size=1)


def test_whole_numbers_may_stand_for_others() -> None:
    saved = recipe_named("article-mlp").to_dict()
    assert Recipe.from_dict({**saved, "epochs": 3}).epochs == 3


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("epochs", -1),
        ("epochs", float("inf")),
        ("epochs", 1e308),
        ("batch_size", 0),
        ("lr", 0),
        ("lr", float("nan")),
        ("warmup", 1),
        ("calm", 1),
        ("calm", 0.2),  # without a calm augmentation
        ("calm_augmentation", Augmentation()),  # without calm steps
        ("label_smoothing", -0.1),
        ("betas", (0.9, 1.0)),
        ("weight_decay", -1),
        ("final_lr", float("nan")),
        ("shift", 28),
        ("optimizer", "sgdd"),
        ("schedule", "square"),
    ],
)
def test_a_setting_without_a_meaning_is_refused(setting: str, value: object) -> None:
    with pytest.raises((SettingError, UnknownNameError)):
        changed(recipe_named("cnn"), **{setting: value})


@pytest.mark.parametrize("made", ["european", "rare_forms", "written", "outliers"])
def test_what_is_made_once_is_not_said_of_calm_steps(made: str) -> None:
    share: dict[str, Any] = {made: 0.1}
    calm = Augmentation(**share)
    with pytest.raises(SettingError, match=made):
        changed(recipe_named("best"), calm=0.3, calm_augmentation=calm)
    changed(recipe_named("best"), calm=0.3, calm_augmentation=Augmentation())


def test_a_recipe_of_before_teachers_had_a_share_is_read() -> None:
    saved = recipe_named("small").to_dict()
    del saved["teacher_share"]
    assert Recipe.from_dict(saved) == recipe_named("small")
    with pytest.raises(SettingError, match="teacher"):
        Recipe.from_dict({**saved, "teacher": "small"})


@pytest.mark.parametrize(("teacher", "share"), [("small", 0.0), ("", 0.5), ("small", 1.5)])
def test_a_teacher_and_its_share_go_together(teacher: str, share: float) -> None:
    with pytest.raises(SettingError, match="teacher"):
        changed(recipe_named("cnn"), teacher=teacher, teacher_share=share)


def test_a_changed_rate_changes_that_of_the_filters_alike() -> None:
    small = recipe_named("small")
    slower = changed(small, lr=small.lr / 10)
    assert slower.filter_lr == pytest.approx(small.filter_lr / 10)
    assert changed(small, lr=0.001, filter_lr=0.02).filter_lr == 0.02


@pytest.mark.parametrize("settings", [{"filter_lr": 0.0}, {"weight_decay": 0.1}])
def test_what_muon_cannot_do_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"expected .* muon"):
        replace(recipe_named("small"), **settings)


def test_settings_that_were_not_given_stay() -> None:
    recipe = recipe_named("cnn")
    assert changed(recipe, epochs=None, lr=None) == recipe
    assert changed(recipe, epochs=0.5).epochs == 0.5
    with pytest.raises(TypeError, match="a recipe has no colour"):
        changed(recipe, colour="red")


def test_a_constant_rate_stays() -> None:
    recipe = recipe_named("article-cnn")
    assert {learning_rate(recipe, step, 10) for step in range(10)} == {0.001}


def test_a_schedule_goes_up_to_the_highest_rate_and_down_to_the_last() -> None:
    recipe = changed(recipe_named("cnn"), lr=1.0, schedule="triangle", warmup=0.2, final_lr=0.1)
    rates = [learning_rate(recipe, step, 100) for step in range(100)]
    top = rates.index(max(rates))
    assert top == 19
    assert rates[top] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_a_triangle_is_straight() -> None:
    recipe = replace(recipe_named("cnn"), lr=1.0, schedule="triangle", warmup=0.5, final_lr=0.0)
    rates = [learning_rate(recipe, step, 8) for step in range(8)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0])
