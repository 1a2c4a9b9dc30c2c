"""A run's settings: what is refused, what is settled when it begins, and what is saved."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runs import QUICK, Witness, settings
from tendigits.errors import RunFolderError, SettingError
from tendigits.training import run as run_module
from tendigits.training.run import resume_run, start_run
from tendigits.training.run_folder import RunFolder
from tendigits.weights import load_model

pytestmark = pytest.mark.usefixtures("small_set")


def test_the_folder_of_the_set_is_saved_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start_run(settings(replace(QUICK, epochs=0.1), data=Path("digits")), Path("runs"))
    assert RunFolder(Path("runs/001-article-mlp")).read_settings().data == tmp_path / "digits"


def test_a_batch_is_fitted_to_a_small_set_on_request(tmp_path: Path) -> None:
    witness = Witness()
    large = settings(replace(QUICK, batch_size=4_000))
    folder = start_run(large, tmp_path, fit_batch_size=True, observer=witness).folder
    assert witness.notes == ["all 2000 training pictures make one batch: the recipe's are of 4000"]
    assert RunFolder(folder).read_settings().recipe.batch_size == 2_000


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
