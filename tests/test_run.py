"""Runs: folders with everything in them, and what is said on the way."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runs import QUICK, Witness, settings
from tendigits.data import DigitSet
from tendigits.environment import available_cores
from tendigits.errors import UnknownNameError
from tendigits.training import run as run_module
from tendigits.training.run import start_run
from tendigits.training.run_folder import RunFolder
from tendigits.weights import load_model

pytestmark = pytest.mark.usefixtures("small_set")


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


def test_a_digit_without_pictures_is_noted(
    tmp_path: Path, few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = np.flatnonzero(~np.isin(few_digits.train.labels, (3, 7)))
    some = replace(few_digits, train=few_digits.train.take(others))
    monkeypatch.setattr(run_module, "open_data", lambda folder: some)
    witness = Witness()
    start_run(settings(replace(QUICK, epochs=0.1)), tmp_path, observer=witness)
    assert witness.notes == ["no training pictures of 3, 7"]


def test_more_threads_than_cores_is_noted(tmp_path: Path) -> None:
    witness, many = Witness(), available_cores() + 1
    start_run(settings(replace(QUICK, epochs=0.1), threads=many), tmp_path, observer=witness)
    assert f"{many} threads" in witness.notes[0]


def test_what_is_held_out_calibrates_the_model(tmp_path: Path) -> None:
    result = start_run(settings(hold_out=200), tmp_path)
    calibration = load_model(result.folder).calibration
    assert calibration is not None
    assert calibration.fitted_on == 200
    assert load_model(start_run(settings(), tmp_path).folder).calibration is None


def test_an_unknown_teacher_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="nobody"):
        start_run(settings(replace(QUICK, teacher="nobody", teacher_share=0.5)), tmp_path)
    assert list(tmp_path.iterdir()) == []
