"""Runs that diverge, or find no room, leave what is whole and say so."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runs import QUICK, StopAfter, rewrite, settings
from tendigits.errors import DivergedError, InterruptedTrainingError, RunFolderError, SettingError
from tendigits.training import pages, run_folder, trainer
from tendigits.training.run import resume_run, start_run
from tendigits.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("small_set")


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
