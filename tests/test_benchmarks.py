"""The benchmarks that teach: small ones are really run, and tables say what was measured."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import compare, recipes, road, steps
from benchmarks.arguable import held_out_probs, judge
from benchmarks.results import read_results, read_runs
from benchmarks.steps import Step, make_steps, still_valid
from benchmarks.tables import accuracies, review
from benchmarks.tables.documents import TABLES
from benchmarks.training import train_network
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from tendigits.data import Digits, DigitSet
from tendigits.evaluation.metrics import softmax_probs
from tendigits.evaluation.predict import predict_logits
from tendigits.models import MlpConfig
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named

TINY = Recipe(name="tiny", model=MlpConfig(hidden=()), epochs=0.5, batch_size=64, lr=0.01)
TINY_STEPS: list[Step] = [("one", TINY), ("two", replace(TINY, lr=0.02))]


def measure(tiny: list[Step], digits: DigitSet, seeds: int, folder: Path) -> list[dict[str, Any]]:
    return steps.measure(tiny, digits, seeds, "scripts/bench steps", folder)


def names(runs: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(run["step"], run["seed"]) for run in runs]


def test_steps_go_from_the_tutorial_to_the_recipe() -> None:
    recipes = [recipe for _, recipe in make_steps()]
    assert recipes[:2] == [recipe_named("article-mlp"), recipe_named("article-cnn")]
    assert recipe_named("cnn") in recipes
    assert len({name for name, _ in make_steps()}) == len(recipes)


def test_steps_add_up_and_changed_ones_are_taken_again(
    few_digits: DigitSet, tmp_path: Path
) -> None:
    first = measure(TINY_STEPS, few_digits, 1, tmp_path)
    assert names(first) == [("one", 0), ("two", 0)]
    first[0]["test_accuracy"] = -1.0  # would be another, were it measured again
    results = read_results("steps", tmp_path)
    assert results is not None
    (tmp_path / "steps.json").write_text(json.dumps(results | {"runs": first}))
    more = [*TINY_STEPS, ("three", replace(TINY, epochs=0.25))]
    second = measure(more, few_digits, 2, tmp_path)
    assert names(second) == [(name, seed) for name in ("one", "two", "three") for seed in (0, 1)]
    assert (second[0], second[2]) == (first[0], first[1])
    assert second == read_runs("steps", tmp_path)
    changed = [("one", replace(TINY, epochs=0.125)), *more[1:]]
    third = measure(changed, few_digits, 1, tmp_path)
    assert third[0]["test_accuracy"] > 0
    assert names(third) == [("one", 0), ("two", 0), ("two", 1), ("three", 0), ("three", 1)]
    assert still_valid(third, TINY_STEPS[:1]) == []
    assert names(still_valid(third, [("renamed", TINY_STEPS[1][1])])) == [
        ("renamed", 0),
        ("renamed", 1),
    ]


def test_the_steps_that_were_measured_are_those_of_today() -> None:
    measured = read_runs("steps")
    assert len(still_valid(measured, make_steps())) == len(measured) > 0


def test_a_look_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["steps", "--epochs", "0.01"])
    with pytest.raises(SystemExit, match="2"):
        steps.main()


RUNS = [
    {"step": step, "seed": seed, "train_seconds": 2.0, "test_accuracy": 1 - errors / 10_000}
    for step, counts in (("first", (200, 220)), ("second", (100, 110)))
    for seed, errors in enumerate(counts)
]


def test_the_plot_is_drawn(tmp_path: Path) -> None:
    steps.draw(RUNS, tmp_path / "steps.png")
    with Image.open(tmp_path / "steps.png") as picture:
        assert np.ptp(np.asarray(picture.convert("L"))) > 200


def test_the_road_of_a_picture_is_drawn(tmp_path: Path) -> None:
    road.draw(road.PICTURE, tmp_path / "road.png")
    with Image.open(tmp_path / "road.png") as picture:
        assert picture.width > 800


def test_the_table_says_what_a_step_took_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracies, "read_runs", lambda name: RUNS)
    monkeypatch.setattr(accuracies, "source_list", lambda names: f"made by {[*names]}\n")
    table = accuracies.steps_table()
    assert "| 1 | first | 97.90% | 0.14% | 210 |  | 2 | 2 |" in table
    assert "| 2 | second | 98.95% | 0.07% | 105 | 50% | 2 | 2 |" in table
    assert table.endswith(f"made by {['steps', *steps.LATER.values()]}\n")


@pytest.mark.parametrize("name", ["steps", "compare"])
def test_what_was_not_measured_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracies, "read_runs", lambda name: [])
    assert TABLES[name]() == f"Not measured yet: `scripts/bench {name}`.\n"


def test_the_table_of_kills_has_the_databases_that_were_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = {"told_stored": 700, "not_heard": 3, "lost": 0, "integrity": "ok"}
    known = {"review_kills": [run, run | {"lost": 2, "integrity": "row 7 is missing"}]}
    monkeypatch.setattr(review, "read_runs", lambda name: known.get(name, []))
    monkeypatch.setattr(review, "source_line", lambda name: f"\nmade by {name}\n")
    assert "| answers told stored | 1,400 |\n| of these lost | 2 |" in review.review_table()
    known["review_kills_postgresql"] = [run]
    table = review.review_table()
    assert "| what | SQLite | PostgreSQL |" in table
    assert table.count("| 1 of 2 | 1 of 1 |") == 1
    assert table.endswith("made by review_kills\n\nmade by review_kills_postgresql\n")


def test_learners_are_measured_alike(
    some_digits: Digits, few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearest = KNeighborsClassifier(n_neighbors=1)
    monkeypatch.setattr(compare, "make_classics", lambda: {"nearest": nearest})
    monkeypatch.setattr(compare, "NETWORKS", ("fast",))
    small = DigitSet(name="small", train=some_digits, test=few_digits.test.take(slice(200)))
    monkeypatch.setattr(
        compare, "recipe_named", lambda name: replace(TINY, name=name, epochs=10, batch_size=32)
    )
    runs = list(compare.compare(small, 2))
    assert [(run["name"], run["seed"]) for run in runs] == [
        ("nearest", None),
        ("fast", 0),
        ("fast", 1),
    ]
    rows, labels = compare.as_rows(some_digits.images), some_digits.labels
    distances = ((compare.as_rows(small.test.images)[:, None] - rows) ** 2).sum(axis=2)
    right = (labels[distances.argmin(axis=1)] == small.test.labels).mean()
    assert runs[0]["test_accuracy"] == pytest.approx(right, abs=0.006)  # ties may fall otherwise
    assert runs[0]["bytes"] == len(pickle.dumps(nearest, protocol=pickle.HIGHEST_PROTOCOL))
    assert all(run["test_accuracy"] > 0.6 for run in runs)  # guessing has 0.1
    assert runs[1]["bytes"] > 4 * 7_850  # a linear layer of 784 x 10 weights and 10 more
    monkeypatch.setattr(accuracies, "read_runs", lambda name: runs)
    monkeypatch.setattr(accuracies, "source_line", lambda name: "")
    lines = accuracies.compare_table().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| nearest", "| `fast`"]
    assert [line.split(" | ")[3] for line in lines[2:4]] == ["nothing random", "2"]


def test_no_network_judges_what_it_was_trained_on(some_digits: Digits, mnist: DigitSet) -> None:
    test = mnist.test.take(slice(50))
    small = DigitSet(name="small", train=some_digits, test=test)
    recipe = replace(TINY, epochs=2, batch_size=16)
    train_probs, test_probs = held_out_probs(recipe, small, folds=2, seeds=1)
    halves = np.array_split(np.random.default_rng(0).permutation(len(some_digits)), 2)
    answers = []
    for held_out, known in (halves, halves[::-1]):
        model, _ = train_network(recipe, some_digits.take(np.sort(known)), 0)
        probs = softmax_probs(predict_logits(model, some_digits.images[held_out]))
        np.testing.assert_allclose(train_probs[held_out], probs)
        answers.append(softmax_probs(predict_logits(model, test.images)))
    np.testing.assert_allclose(test_probs, np.mean(answers, axis=0))


def test_a_wrong_label_is_found(few_digits: DigitSet) -> None:
    labels = few_digits.train.labels.copy()
    wrong = np.flatnonzero(labels <= 1)[[0, 9, 99]]  # zeros and ones, which all can read
    labels[wrong] = (labels[wrong] + 5) % 10
    spoiled = replace(few_digits, train=Digits(images=few_digits.train.images, labels=labels))
    recipe = replace(TINY, epochs=8)
    doubts = judge(recipe, spoiled, folds=4, seeds=1).about(spoiled.train, "train")
    assert set(wrong.tolist()) <= {doubt.index for doubt in doubts}


def test_a_run_that_was_begun_is_found_by_its_recipe_and_seed(tmp_path: Path) -> None:
    small = recipe_named("small")
    older = replace(recipe_named("best"), teacher="", teacher_share=0.0)
    begun = {
        "001-small": (small, 0),
        "002-very-small": (replace(small, name="very-small"), 1),
        "003-small": (replace(small, precision="float32"), 1),
        "004-best": (older, 1),
    }
    for name, (recipe, seed) in begun.items():
        (tmp_path / name).mkdir()
        saved = {"recipe": recipe.to_dict(), "seed": seed, "data": None, "hold_out": 5000}
        (tmp_path / name / "recipe.json").write_text(json.dumps(saved))
    (tmp_path / "000-small").mkdir()
    assert recipes.find_run(tmp_path, "small", 1) == tmp_path / "003-small"
    assert recipes.find_run(tmp_path, "small", 2) is None
    for other in ({"data": "mine"}, {"hold_out": 7000}):
        saved = {"recipe": small.to_dict(), "seed": 1, "data": None, "hold_out": 5000} | other
        (tmp_path / "003-small" / "recipe.json").write_text(json.dumps(saved))
        assert recipes.find_run(tmp_path, "small", 1) is None
    assert recipes.find_run(tmp_path, "best", 1) is None  # by what the name meant before
