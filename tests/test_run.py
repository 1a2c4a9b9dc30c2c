"""Runs: folders with everything in them, exact resumes, and ends that are tidy."""

import errno
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tendigits.data import DigitSet
from tendigits.errors import DivergedError, InterruptedTrainingError, RunFolderError, SettingError
from tendigits.models import MlpConfig
from tendigits.training import pages, run_folder, trainer
from tendigits.training import run as run_module
from tendigits.training.augmentation import Augmentation
from tendigits.training.checkpoint import Checkpoint, save_checkpoint
from tendigits.training.events import EpochReport, Observer, RunResult, RunStart
from tendigits.training.recipe import Recipe
from tendigits.training.recipes import recipe_named
from tendigits.training.run import resume_run, start_run
from tendigits.training.run_folder import RunFolder, RunSettings
from tendigits.weights import load_model, tensors_sha256

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


def rewrite(folder: RunFolder, **changes: object) -> None:
    saved = json.loads(folder.recipe.read_text())
    folder.recipe.write_text(json.dumps({**saved, **changes}))


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
    with pytest.raises(InterruptedTrainingError):
        start_run(settings(checkpoint_seconds=0), tmp_path, should_stop=StopAfter(3))
    folder = RunFolder(tmp_path / "001-article-mlp")
    rewrite(folder, recipe={**QUICK.to_dict(), "lr": 1e30})
    with pytest.raises(
        DivergedError, match=r"nan at step 5: .*last good checkpoint is .*/step-0+3"
    ):
        resume_run(folder.path)
    assert not folder.model.exists()


def test_weights_that_give_no_finite_loss_are_not_saved(tmp_path: Path) -> None:
    wild = settings(replace(QUICK, lr=1e30), checkpoint_seconds=0)
    with pytest.raises(DivergedError, match=r"nan at step 2: .*; no checkpoint was made yet"):
        start_run(wild, tmp_path)
    assert not RunFolder(tmp_path / "001-article-mlp").checkpoint.exists()


@pytest.mark.parametrize("lr", [1e30, 1e300])
def test_a_run_that_diverges_in_its_last_step_says_so(tmp_path: Path, lr: float) -> None:
    wild = settings(replace(QUICK, lr=lr, epochs=0.01))
    with pytest.raises(DivergedError, match=r"after step 1: .*--lr.*; no checkpoint was made yet"):
        start_run(wild, tmp_path)


def test_a_step_is_saved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []

    def save(folder: Path, checkpoint: Checkpoint) -> Path:
        saved.append(checkpoint.step)
        return save_checkpoint(folder, checkpoint)

    monkeypatch.setattr(trainer, "save_checkpoint", save)
    whole = start_run(settings(replace(QUICK, epochs=0.1), checkpoint_seconds=0), tmp_path).folder
    assert saved == [1, 2, 3]
    lines = without_times(RunFolder(whole))
    resume_run(whole)
    assert saved == [1, 2, 3]
    assert without_times(RunFolder(whole)) == lines


@pytest.mark.parametrize(
    ("module", "function", "name"),
    [
        (trainer, "save_model", "model.safetensors"),
        (pages, "save_figure", "predictions.png"),
        (pages, "write_report", "report.html"),
    ],
)
def test_a_disk_that_is_full_at_the_end_names_the_file_and_the_way_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, function: str, name: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    quick = settings(replace(QUICK, epochs=0.1))
    with monkeypatch.context() as patch:
        patch.setattr(module, function, refuse)
        with pytest.raises(RunFolderError, match=f"{name} .No space left .*make room.*--resume"):
            start_run(quick, tmp_path)
    folder = RunFolder(tmp_path / "001-article-mlp")
    assert resume_run(folder.path).folder == folder.path
    assert folder.report.exists()


def test_metrics_that_do_not_fit_on_the_disk_are_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.metrics.symlink_to("/dev/full")
    with pytest.raises(RunFolderError, match=r"metrics.jsonl .No space left .*make room.*--resume"):
        folder.append_metrics("epoch", {})


@pytest.mark.parametrize("garbage", [b"\xff\x00{", b"7"])
def test_a_damaged_line_of_the_metrics_does_not_stop_the_report(
    tmp_path: Path, garbage: bytes
) -> None:
    with pytest.raises(InterruptedTrainingError):
        start_run(settings(), tmp_path, should_stop=StopAfter(33))
    folder = RunFolder(tmp_path / "001-article-mlp")
    length = len(folder.metrics.read_bytes())
    folder.metrics.write_bytes(garbage.ljust(length - 1) + b"\n")
    resume_run(folder.path)
    assert [line["epoch"] for line in folder.read_metrics("epoch")] == [2]
    assert folder.report.exists()


def test_a_damaged_environment_is_said(tmp_path: Path) -> None:
    with pytest.raises(InterruptedTrainingError):
        start_run(settings(), tmp_path, should_stop=StopAfter(63))
    folder = RunFolder(tmp_path / "001-article-mlp")
    for garbage in ("{", "[]"):
        folder.environment.write_text(garbage)
        with pytest.raises(RunFolderError, match=r"environment\.json cannot be read"):
            resume_run(folder.path)


def test_a_device_that_is_not_here_is_said(tmp_path: Path) -> None:
    with pytest.raises(InterruptedTrainingError):
        start_run(settings(), tmp_path, should_stop=StopAfter(1))
    folder = RunFolder(tmp_path / "001-article-mlp")
    rewrite(folder, device="cuda:99")
    with pytest.raises(RunFolderError, match=r"'cuda:99' is not on this machine: .*; go on"):
        resume_run(folder.path)


def test_a_run_that_goes_on_elsewhere_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(InterruptedTrainingError):
        start_run(settings(), tmp_path, should_stop=StopAfter(1))
    folder = RunFolder(tmp_path / "001-article-mlp")
    with folder.locked(), pytest.raises(RunFolderError, match="trained by another process"):
        resume_run(folder.path)
    assert resume_run(folder.path).folder == folder.path


def test_the_folder_of_the_set_is_saved_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start_run(settings(replace(QUICK, epochs=0.1), data=Path("digits")), Path("runs"))
    assert RunFolder(Path("runs/001-article-mlp")).read_settings().data == tmp_path / "digits"


def test_the_command_to_go_on_with_is_safe_in_a_shell(tmp_path: Path) -> None:
    with pytest.raises(InterruptedTrainingError) as caught:
        start_run(settings(), tmp_path / "it's", should_stop=StopAfter(1))
    command = shlex.split(str(caught.value).partition("continue with: ")[2])
    assert Path(command[-1]) == tmp_path / "it's" / "001-article-mlp"


def test_a_batch_is_fitted_to_a_small_set_on_request(tmp_path: Path) -> None:
    witness = Witness()
    large = settings(replace(QUICK, batch_size=4_000))
    folder = start_run(large, tmp_path, fit_batch_size=True, observer=witness).folder
    assert witness.notes == ["all 2000 training pictures make one batch: the recipe's are of 4000"]
    assert RunFolder(folder).read_settings().recipe.batch_size == 2_000


def test_a_digit_without_pictures_is_noted(
    tmp_path: Path, few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = np.flatnonzero(~np.isin(few_digits.train.labels, (3, 7)))
    some = replace(few_digits, train=few_digits.train.take(others))
    monkeypatch.setattr(run_module, "open_data", lambda folder: some)
    witness = Witness()
    start_run(settings(replace(QUICK, epochs=0.1)), tmp_path, observer=witness)
    assert witness.notes == ["no training pictures of 3, 7"]


def test_a_run_folder_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_folder, "describe_environment", interrupt)
    with pytest.raises(KeyboardInterrupt):
        start_run(settings(), tmp_path)
    assert list(tmp_path.iterdir()) == []


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
    ("setting", "value"),
    [("seed", 2**64), ("threads", 99_999_999_999), ("checkpoint_seconds", float("inf"))],
)
def test_settings_that_nothing_can_hold_are_refused(setting: str, value: float) -> None:
    wrong: dict[str, Any] = {setting: value}
    with pytest.raises(SettingError, match="expected at most"):
        settings(**wrong)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("threads", 1.5), ("seed", "1"), ("device", 5), ("data", 5), ("recipe", []), ("seed", True)],
)
def test_a_saved_setting_of_another_type_is_refused(
    tmp_path: Path, setting: str, value: object
) -> None:
    saved = {**settings().to_dict(), setting: value}
    (tmp_path / "recipe.json").write_text(json.dumps(saved))
    with pytest.raises(RunFolderError, match=r"recipe\.json is not whole"):
        resume_run(tmp_path)


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


def test_a_small_set_holds_out_no_more_than_a_twelfth(tmp_path: Path) -> None:
    result = start_run(settings(hold_out=5_000), tmp_path, fit_hold_out=True)
    assert RunFolder(result.folder).read_settings().hold_out == 2_000 // 12
    assert load_model(result.folder).info.hold_out == 2_000 // 12


def test_a_run_with_augmentation_goes_on_exactly(tmp_path: Path) -> None:
    augmentation = Augmentation(foreign=0.5, european=1.0, outliers=0.1)
    recipe = replace(QUICK, epochs=1, augmentation=augmentation)
    whole = start_run(settings(recipe), tmp_path)
    steps = iter(range(100))
    with pytest.raises(InterruptedTrainingError):
        start_run(settings(recipe), tmp_path, should_stop=lambda: next(steps) == 10)
    resumed = resume_run(tmp_path / "002-article-mlp")
    first, second = (load_model(result.folder).model for result in (whole, resumed))
    assert tensors_sha256(first.state_dict()) == tensors_sha256(second.state_dict())


def test_what_is_held_out_calibrates_the_model(tmp_path: Path) -> None:
    result = start_run(settings(hold_out=200), tmp_path)
    calibration = load_model(result.folder).calibration
    assert calibration is not None
    assert calibration.fitted_on == 200
    assert load_model(start_run(settings(), tmp_path).folder).calibration is None
