"""Checkpoints: a crash at any instant of writing leaves something whole to go on from."""

import contextlib
import errno
import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tendigits.data import Digits
from tendigits.errors import CheckpointError
from tendigits.training import checkpoint as checkpoint_module
from tendigits.training.batches import Batches
from tendigits.training.checkpoint import (
    Checkpoint,
    finished_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from tendigits.training.examples import Examples
from tendigits.training.loop import train_steps
from tendigits.training.recipes import recipe_named
from tendigits.training.run import settle_precision
from tendigits.training.state import TrainingState
from tendigits.weights import tensors_sha256


def made(step: int) -> Checkpoint:
    return Checkpoint(
        step=step, tensors={"weight": torch.full((3,), float(step))}, numbers={"seconds": 0.25}
    )


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoint", made(7))
    loaded = load_checkpoint(tmp_path / "checkpoint")
    assert loaded is not None
    assert (loaded.step, loaded.numbers) == (7, {"seconds": 0.25})
    assert loaded.tensors["weight"].tolist() == [7, 7, 7]


def test_none_was_ever_made(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "checkpoint") is None


def test_the_one_before_is_kept_and_older_ones_are_not(tmp_path: Path) -> None:
    for step in range(5):
        save_checkpoint(tmp_path, made(step))
    assert [path.name[-1] for path in finished_checkpoints(tmp_path)] == ["4", "3"]


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path, name: str, damage: str) -> None:
    save_checkpoint(tmp_path, made(1))
    file = save_checkpoint(tmp_path, made(2)) / name
    content = bytearray(file.read_bytes())
    if damage == "remove":
        file.unlink()
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded.step == 1
    assert load_checkpoint(tmp_path) is not None
    save_checkpoint(tmp_path, made(2))  # trained past it again
    again = load_checkpoint(tmp_path)
    assert again is not None
    assert again.step == 2


def test_what_was_damaged_does_not_stand_in_for_a_spare(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, made(6))
    (save_checkpoint(tmp_path, made(9)) / "manifest.json").write_text("{}")
    save_checkpoint(tmp_path, made(7))  # training went on from 6
    assert [path.name[-1] for path in finished_checkpoints(tmp_path)] == ["7", "6"]


def test_nothing_whole_is_said(tmp_path: Path) -> None:
    (save_checkpoint(tmp_path, made(1)) / "manifest.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* is whole"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("content", ["[]", '"text"', "7", "null"])
def test_a_manifest_that_is_no_object_gives_way_to_the_one_before(
    tmp_path: Path, content: str
) -> None:
    save_checkpoint(tmp_path, made(1))
    (save_checkpoint(tmp_path, made(2)) / "manifest.json").write_text(content)
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded.step == 1


@pytest.mark.parametrize("name", ["", "step-000000001/manifest.json"])
def test_checkpoints_that_may_not_be_read_are_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Root may read everything, so the refusal is played."""
    save_checkpoint(tmp_path, made(1))
    refused = tmp_path / name

    def refuse(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(path: Path) -> Any:
            if path == refused:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return function(path)

        return wrapped

    monkeypatch.setattr(os, "listdir", refuse(os.listdir))
    monkeypatch.setattr(Path, "read_bytes", refuse(Path.read_bytes))
    with pytest.raises(CheckpointError, match=r"cannot read .* \(Permission denied\): make it"):
        load_checkpoint(tmp_path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, made(1))
    state = folder / "state.json"
    state.write_text(state.read_text().replace('"format": 1', '"format": 9'))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["state.json"] = hashlib.sha256(state.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="not of format 1"):
        load_checkpoint(tmp_path)


class PowerCutError(BaseException):
    """Not an error that code could handle."""


SYSTEM_CALLS = [
    (os, "fsync"),
    (checkpoint_module, "sync_folder"),
    (Path, "rename"),
    (shutil, "rmtree"),
]


def calls_while_saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int | None, error: BaseException
) -> int:
    """Save step 3 after 1 and 2; the `fail_at`-th call that touches the disk raises `error`."""
    made_so_far = 0

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal made_so_far
            made_so_far += 1
            if made_so_far == fail_at:
                raise error
            return function(*arguments, **named)

        return wrapped

    folder = tmp_path / f"at-{fail_at}"
    for step in (1, 2):
        save_checkpoint(folder, made(step))
    with monkeypatch.context() as patch:
        for owner, name in SYSTEM_CALLS:
            patch.setattr(owner, name, wrap(getattr(owner, name)))
        with contextlib.suppress(PowerCutError):
            save_checkpoint(folder, made(3))
    return made_so_far


def test_a_power_cut_at_any_call_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = calls_while_saving(tmp_path, monkeypatch, None, PowerCutError())
    assert calls >= 6
    for fail_at in range(1, calls + 1):
        calls_while_saving(tmp_path, monkeypatch, fail_at, PowerCutError())
        loaded = load_checkpoint(tmp_path / f"at-{fail_at}")
        assert loaded is not None
        assert loaded.step in (2, 3)
        save_checkpoint(tmp_path / f"at-{fail_at}", made(3))


def test_a_full_disk_is_said_and_leaves_the_last_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(
        CheckpointError, match=r"No space left .* last good one is .*step-000000002"
    ):
        calls_while_saving(tmp_path, monkeypatch, 1, full)
    assert [path.name[-1] for path in finished_checkpoints(tmp_path / "at-1")] == ["2", "1"]
    assert not list((tmp_path / "at-1").glob(".*"))


def test_one_of_the_same_step_outlives_a_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, made(1))

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(CheckpointError):
        save_checkpoint(tmp_path, made(1))
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded.step == 1


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "; make room, then"), (errno.EDQUOT, "; make room, then"),
     (errno.EACCES, "; see to that, then"), (errno.EROFS, "; see to that, then")],
)  # fmt: skip
def test_the_advice_fits_the_error_and_a_shell_takes_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    run = tmp_path / "it's"
    run.mkdir()
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint(run / "checkpoint", made(1))
    message = str(caught.value)
    assert advice in message
    command = message.partition("continue with: ")[2]
    assert shlex.split(command) == ["tendigits", "train", "--resume", str(run)]


@pytest.mark.parametrize("name", ["article-cnn", "cnn", "fast"])
def test_training_goes_on_exactly_from_inside_an_epoch(
    name: str, tmp_path: Path, some_digits: Digits
) -> None:
    recipe = settle_precision(recipe_named(name), "cpu")
    examples = Examples(recipe, some_digits)

    def batches() -> Batches:
        return Batches(some_digits, batch_size=64, seed=4)  # four steps an epoch

    whole = TrainingState(recipe, seed=4)
    train_steps(whole, batches(), recipe, 6, examples)
    first = TrainingState(recipe, seed=4)
    train_steps(first, batches(), recipe, 3, examples)
    save_checkpoint(tmp_path, first.checkpoint())
    second = TrainingState(recipe, seed=0)
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    second.restore(loaded)
    train_steps(second, batches(), recipe, 6, examples)
    whole_tensors, second_tensors = whole.checkpoint().tensors, second.checkpoint().tensors
    assert tensors_sha256(second_tensors) == tensors_sha256(whole_tensors)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    state = TrainingState(recipe_named("article-mlp"), seed=0)
    other = TrainingState(recipe_named("article-cnn"), seed=0)
    with pytest.raises(CheckpointError, match="does not fit its recipe"):
        state.restore(other.checkpoint())
