"""Runs: folders with everything in them, exact resumes, and ends that are tidy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tendigits.data import DigitSet
from tendigits.errors import DivergedError, InterruptedTrainingError, RunFolderError, SettingError
from tendigits.models import MlpConfig
from tendigits.training import run as run_module
from tendigits.training.events import EpochReport, Observer, RunResult, RunStart
from tendigits.training.recipe import Recipe, recipe_named
from tendigits.training.run import resume_run, start_run
from tendigits.training.run_folder import RunFolder, RunSettings
from tendigits.weights import load_model

QUICK = replace(recipe_named("article-mlp"), model=MlpConfig(hidden=(32,)), epochs=2)


@pytest.fixture(autouse=True)
def _small_set(few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 real digits where the runs expect MNIST."""
    monkeypatch.setattr(run_module, "open_data", lambda folder: few_digits)


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


def without_times(folder: RunFolder) -> list[dict[str, object]]:
    times = ("seconds", "images_per_second", "train_seconds", "run")
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    return [{name: line[name] for name in line if name not in times} for line in lines]


def test_a_run_folder_holds_everything(tmp_path: Path) -> None:
    witness = Witness()
    result = start_run(settings(), tmp_path / "runs", observer=witness)
    folder = RunFolder(tmp_path / "runs" / "001-article-mlp")
    assert result.folder == folder.path
    names = {path.name for path in folder.path.iterdir()}
    assert names == {
        "recipe.json", "environment.json", "metrics.jsonl", "checkpoint", "model.safetensors",
        "predictions.png", "report.html",
    }  # fmt: skip
    assert folder.read_settings().recipe == QUICK
    assert [report.epoch for report in witness.epochs] == [1, 2]
    assert witness.epochs[-1].val_accuracy == result.test.accuracy
    assert result.test.accuracy > 0.6  # 64 steps of a small network; chance is 0.1
    assert load_model(folder.path).info.seed == 1
    assert json.loads(folder.metrics.read_text().splitlines()[-1])["event"] == "done"
    assert not list((tmp_path / "runs").glob(".*"))


def test_runs_are_numbered(tmp_path: Path) -> None:
    quick = settings(replace(QUICK, epochs=0.1))
    folders = [start_run(quick, tmp_path).folder.name for _ in range(2)]
    assert folders == ["001-article-mlp", "002-article-mlp"]


@pytest.mark.parametrize("stop_after", [1, 20, 32, 33, 64])
def test_an_interrupted_run_goes_on_to_the_same_end(tmp_path: Path, stop_after: int) -> None:
    whole = start_run(settings(), tmp_path / "whole")
    with pytest.raises(InterruptedTrainingError, match=f"after step {stop_after} of 64; continue"):
        start_run(settings(), tmp_path / "stopped", should_stop=StopAfter(stop_after))
    witness = Witness()
    again = resume_run(tmp_path / "stopped" / "001-article-mlp", observer=witness)
    assert witness.starts[0].step == stop_after
    assert RunFolder(again.folder).model.read_bytes() == RunFolder(whole.folder).model.read_bytes()
    assert without_times(RunFolder(again.folder)) == without_times(RunFolder(whole.folder))
    assert again.train_seconds > 0


def test_a_run_without_a_checkpoint_begins_again(tmp_path: Path) -> None:
    whole = start_run(settings(), tmp_path / "whole")
    model = RunFolder(whole.folder).model
    expected = model.read_bytes()
    model.unlink()
    for file in sorted(RunFolder(whole.folder).checkpoint.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    assert resume_run(whole.folder).folder == whole.folder
    assert model.read_bytes() == expected


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    result = start_run(settings(), tmp_path)
    folder = RunFolder(result.folder)
    before = folder.model.read_bytes(), without_times(folder)
    again = resume_run(folder.path)
    assert (folder.model.read_bytes(), without_times(folder)) == before
    assert again.train_seconds == pytest.approx(result.train_seconds, abs=0.5)


def test_a_resume_wants_the_same_pictures(
    tmp_path: Path, few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = start_run(settings(), tmp_path).folder
    other = replace(few_digits, train=few_digits.train.take(slice(1_000)))
    monkeypatch.setattr(run_module, "open_data", lambda folder: other)
    with pytest.raises(RunFolderError, match="are not those that"):
        resume_run(folder)


def test_held_out_pictures_take_the_place_of_the_test_set(
    tmp_path: Path, few_digits: DigitSet
) -> None:
    witness = Witness()
    result = start_run(settings(hold_out=500), tmp_path, observer=witness)
    start = witness.starts[0]
    assert (start.train_count, start.val_count, start.val_is_test) == (1_500, 500, False)
    assert result.test.count == 1_000
    assert load_model(result.folder).info.train_fingerprint == few_digits.train.fingerprint()


def test_part_of_an_epoch_is_a_run(tmp_path: Path) -> None:
    witness = Witness()
    start_run(settings(replace(QUICK, epochs=0.5)), tmp_path, observer=witness)
    assert (witness.starts[0].total_steps, witness.starts[0].epochs) == (16, 1)
    assert [report.step for report in witness.epochs] == [16]


def test_a_diverging_run_names_the_step_and_the_last_good_checkpoint(tmp_path: Path) -> None:
    wild = settings(replace(QUICK, lr=1e30), checkpoint_seconds=0)
    with pytest.raises(DivergedError, match=r"at step \d+: .*last good checkpoint is .*step-0000"):
        start_run(wild, tmp_path)
    assert not RunFolder(tmp_path / "001-article-mlp").model.exists()


def test_a_batch_larger_than_the_set_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="the largest possible is 2000"):
        start_run(settings(replace(QUICK, batch_size=2_001)), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_more_threads_than_cores_is_noted(tmp_path: Path) -> None:
    witness = Witness()
    start_run(settings(replace(QUICK, epochs=0.1), threads=64), tmp_path, observer=witness)
    assert "64 threads" in witness.notes[0]


@pytest.mark.parametrize("setting", ["seed", "hold_out", "threads", "checkpoint_seconds"])
def test_settings_without_a_meaning_are_refused(setting: str) -> None:
    wrong: dict[str, Any] = {setting: -1}
    with pytest.raises(SettingError, match="expected at least"):
        settings(**wrong)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no run folder"),
        ("{", "cannot be read"),
        ("[]", "has run format None"),
        ('{"format": 9}', "has run format 9"),
        ('{"format": 1}', "is not whole"),
    ],
)
def test_a_folder_that_is_no_run_of_this_version_is_refused(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(RunFolderError, match=message):
        resume_run(tmp_path)


def test_a_run_settles_its_precision_when_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "computes_in_bfloat16", lambda device: True)
    quick = settings(replace(QUICK, epochs=0.1, precision="auto"))
    folder = start_run(quick, tmp_path).folder
    assert RunFolder(folder).read_settings().recipe.precision == "bfloat16"
