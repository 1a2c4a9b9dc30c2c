"""A training of seconds, who watches it, and who stops it."""

import json
from dataclasses import replace
from typing import Any

from tendigits.models import MlpConfig
from tendigits.training.events import EpochReport, Observer, RunResult, RunStart
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named
from tendigits.training.run_folder import RunFolder, RunSettings

QUICK = replace(recipe_named("article-mlp"), model=MlpConfig(hidden=(32,)), epochs=2)


def settings(recipe: Recipe = QUICK, **changes: Any) -> RunSettings:
    made = RunSettings(
        recipe=recipe,
        seed=1,
        data=None,
        hold_out=0,
        device="cpu",
        threads=1,
        checkpoint_seconds=1e9,
    )
    return replace(made, **changes)


class Witness(Observer):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.starts: list[RunStart] = []
        self.epochs: list[EpochReport] = []
        self.notes: list[str] = []
        self.results: list[RunResult] = []

    def start(self, start: RunStart) -> None:
        self.starts.append(start)

    def epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def done(self, result: RunResult) -> None:
        self.results.append(result)


class StopAfter:
    """Asks a run to stop after a number of steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def rewrite(folder: RunFolder, **changes: object) -> None:
    saved = json.loads(folder.recipe.read_text())
    folder.recipe.write_text(json.dumps({**saved, **changes}))


def without_times(folder: RunFolder) -> list[dict[str, object]]:
    times = ("seconds", "images_per_second", "train_seconds", "run")
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    return [{name: line[name] for name in line if name not in times} for line in lines]
