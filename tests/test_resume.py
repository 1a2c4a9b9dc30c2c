"""Runs that stopped go on to the same end, or say why they cannot."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from runs import QUICK, StopAfter, Witness, rewrite, settings, without_times
from tendigits.data import DigitSet
from tendigits.errors import InterruptedTrainingError, RunFolderError
from tendigits.registry import shipped_models
from tendigits.training import run as run_module
from tendigits.training import trainer
from tendigits.training.augmentation import Augmentation
from tendigits.training.checkpoint import Checkpoint, save_checkpoint
from tendigits.training.run import resume_run, start_run
from tendigits.training.run_folder import RunFolder
from tendigits.weights import load_model, tensors_sha256

pytestmark = pytest.mark.usefixtures("small_set")


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
    assert again.train_seconds >= result.train_seconds


def test_a_resume_wants_the_same_pictures(
    tmp_path: Path, few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = start_run(settings(), tmp_path).folder
    other = replace(few_digits, train=few_digits.train.take(slice(1_000)))
    monkeypatch.setattr(run_module, "open_data", lambda folder: other)
    with pytest.raises(RunFolderError, match="are not those that"):
        resume_run(folder)


def test_a_resume_wants_the_same_teacher(tmp_path: Path) -> None:
    taught = replace(QUICK, epochs=0.01, teacher="small", teacher_share=0.5)
    witness = Witness()
    folder = RunFolder(start_run(settings(taught), tmp_path, observer=witness).folder)
    assert [start.teacher for start in witness.starts] == ["small"]
    before = folder.read_settings().teacher_sha256
    assert before == shipped_models()["small"].sha256["safetensors"]
    resume_run(folder.path)
    rewrite(folder, teacher_sha256="00")
    with pytest.raises(RunFolderError, match=r"the model 'small' that taught .* is not in this"):
        resume_run(folder.path)
    gone = replace(folder.read_settings().recipe, teacher="nobody")
    rewrite(folder, recipe=gone.to_dict())
    with pytest.raises(RunFolderError, match="the model 'nobody' that taught"):
        resume_run(folder.path)


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


def test_the_command_to_go_on_with_is_safe_in_a_shell(tmp_path: Path) -> None:
    with pytest.raises(InterruptedTrainingError) as caught:
        start_run(settings(), tmp_path / "it's", should_stop=StopAfter(1))
    command = shlex.split(str(caught.value).partition("continue with: ")[2])
    assert Path(command[-1]) == tmp_path / "it's" / "001-article-mlp"


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
