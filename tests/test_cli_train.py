"""The installed command, from outside: what it prints, and how it ends, stops and goes on."""

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tendigits.data import DigitSet
from tendigits.data.idx import write_idx

COMMAND = Path(sys.executable).with_name("tendigits")


@pytest.fixture(scope="module")
def folder(few_digits: DigitSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 and 1,000 real digits as IDX files, in a folder whose path has a space."""
    folder = tmp_path_factory.mktemp("my digits")
    for part, digits in (("train", few_digits.train), ("t10k", few_digits.test)):
        write_idx(folder / f"{part}-images-idx3-ubyte", digits.images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", digits.labels)
    return folder


def run(
    *arguments: str | Path, cwd: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, preexec_fn=before
    )


def train(folder: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("train", "article-mlp", "--data", folder, "--threads", "1", *arguments, cwd=cwd)


def the_run(cwd: Path) -> Path:
    (path,) = (cwd / "runs").glob("[0-9]*")
    return path


def test_plain_lines_say_what_happens(folder: Path, tmp_path: Path) -> None:
    done = train(folder, tmp_path, "--epochs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("  step ")]
    assert "235,146 parameters, seed 0" in lines[0]
    assert lines[1].startswith("Device: cpu (")
    assert lines[2].startswith('"Val" is the test set, 1,000 digits: shown after each epoch, never')
    assert lines[3].startswith("Epoch [1/2]: Train Loss: ")
    assert " | Val Loss: " in lines[4]
    assert lines[5].startswith("Test accuracy: ")
    assert lines[6].startswith("Error: ")
    assert lines[6].endswith(" digits per 10,000")
    for line in lines[-2:]:
        assert (tmp_path / line.split(": ", 1)[1].strip()).is_file()


def test_quiet_prints_nothing(folder: Path, tmp_path: Path) -> None:
    done = train(folder, tmp_path, "--epochs", "0.1", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_settings_on_the_command_line_are_saved(folder: Path, tmp_path: Path) -> None:
    options = "--epochs 0.5 --batch-size 100 --lr 0.01 --seed 9 --hold-out 500"
    assert train(folder, tmp_path, *options.split()).returncode == 0
    saved = json.loads((the_run(tmp_path) / "recipe.json").read_text())
    assert (saved["seed"], saved["hold_out"], saved["threads"]) == (9, 500, 1)
    recipe = saved["recipe"]
    assert (recipe["epochs"], recipe["batch_size"], recipe["lr"]) == (0.5, 100, 0.01)


def test_a_live_bar_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command: list[str | Path] = [COMMAND, "train", "article-mlp", "--data", folder, "--epochs", "3"]
    command += ["--threads", "1"]
    process = subprocess.Popen(command, stdout=follower, stderr=follower, cwd=tmp_path)
    os.close(follower)
    output = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:  # how a pseudo-terminal ends
            break
        if not part:
            break
        output += part
    os.close(leader)
    assert process.wait() == 0
    text = output.decode()
    assert "images/s" in text
    assert "Epoch [3/3]: Train Loss" in text
    assert "Test accuracy" in text


def test_tensorboard_events_are_written(folder: Path, tmp_path: Path) -> None:
    assert train(folder, tmp_path, "--epochs", "0.5", "--tensorboard").returncode == 0
    (events,) = (the_run(tmp_path) / "tensorboard").glob("events.*")
    assert b"epoch/val_accuracy" in events.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_ends_tidily_and_can_be_resumed(
    folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    command: list[str | Path] = [
        COMMAND,
        "train",
        "article-cnn",
        "--data",
        folder,
        "--epochs",
        "50",
        "--json",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    while '"step"' not in process.stdout.readline():
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.startswith("tendigits: stopped after step ")
    assert "continue with: tendigits train --resume " in errors
    assert errors.count("\n") == 1
    assert len(list((the_run(tmp_path) / "checkpoint").iterdir())) == 1


def test_a_killed_training_ends_with_the_same_weights(folder: Path, tmp_path: Path) -> None:
    options = ("--epochs", "4", "--seed", "5", "--checkpoint-seconds", "0", "--quiet")
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    assert train(folder, tmp_path / "whole", *options).returncode == 0
    command: list[str | Path] = [
        COMMAND,
        "train",
        "article-mlp",
        "--data",
        folder,
        "--threads",
        "1",
    ]
    command += options
    process = subprocess.Popen(command, cwd=tmp_path / "killed")
    while not list(tmp_path.glob("killed/runs/*/checkpoint/step-*")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    killed = the_run(tmp_path / "killed")
    assert not (killed / "model.safetensors").exists()
    assert run("train", "--resume", killed, "--quiet", cwd=tmp_path).returncode == 0
    expected = the_run(tmp_path / "whole") / "model.safetensors"
    assert (killed / "model.safetensors").read_bytes() == expected.read_bytes()


def limit_files(size: int) -> Callable[[], None]:
    """A limit on the size of a file stands for a full disk: the system refuses writes for real."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_full_disk_is_one_line_and_leaves_the_last_good_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    options = ("--epochs", "0.1", "--checkpoint-seconds", "0", "--quiet")
    assert train(folder, tmp_path, *options).returncode == 0
    path = the_run(tmp_path)
    expected = (path / "model.safetensors").read_bytes()
    before, last = sorted((path / "checkpoint").iterdir())

    again = run("train", "--resume", path, cwd=tmp_path, before=limit_files(100_000))
    assert again.returncode == 1
    assert again.stderr.startswith(f"tendigits: could not write {path / 'model.safetensors'} (File")
    assert sorted((path / "checkpoint").iterdir()) == [before, last]

    shutil.rmtree(last)
    done = run("train", "--resume", path, cwd=tmp_path, before=limit_files(1_000_000))
    assert done.returncode == 1
    assert done.stderr.startswith(f"tendigits: could not write checkpoint {last} (File too large)")
    assert f"the last good one is {before}; " in done.stderr
    assert f"--resume {path}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list((path / "checkpoint").iterdir()) == [before]

    assert run("train", "--resume", path, "--quiet", cwd=tmp_path).returncode == 0
    assert (path / "model.safetensors").read_bytes() == expected


@pytest.mark.parametrize("display", ["--json", "--threads=1"])
def test_a_training_whose_output_is_closed_ends_tidily(
    folder: Path, tmp_path: Path, display: str
) -> None:
    command: list[str | Path] = [COMMAND, "train", "article-mlp", "--data", folder]
    command += ["--epochs", "50", display]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130
    assert errors.startswith("tendigits: stopped after step ")
    assert errors.endswith("continue with: tendigits train --resume runs/001-article-mlp\n")
    assert errors.count("\n") == 1
    assert list((the_run(tmp_path) / "checkpoint").iterdir())


def test_a_run_that_is_still_training_is_not_resumed(folder: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [COMMAND, "train", "article-mlp", "--data", folder, "--json"]
    command += ["--epochs", "1000", "--threads", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with process.stdout:
            again = run("train", "--resume", the_run(tmp_path), cwd=tmp_path)
    finally:
        process.kill()
        process.wait()
    assert again.returncode == 1
    assert "is being trained by another process" in again.stderr
    assert again.stderr.count("\n") == 1


def test_a_few_digits_are_one_batch_unless_a_size_was_asked_for(
    few_digits: DigitSet, tmp_path: Path
) -> None:
    """Their folder has a name that a markup language would take for its own."""
    folder = tmp_path / "few [red] :cat:"
    folder.mkdir()
    some = few_digits.train.take(np.flatnonzero(few_digits.train.labels != 7)[:40])
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte", some.images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", some.labels)
    done = train(folder, tmp_path, "--epochs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Note: all 40 training pictures make one batch: the recipe's are of 64"
    assert lines[1] == "Note: no training pictures of 7"
    assert lines[2].endswith("on 40 digits of few [red] :cat:")
    refused = train(folder, tmp_path, "--batch-size", "64")
    assert refused.returncode == 2
    assert "the largest possible is 40" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("train article-cn", 2, "there is no recipe 'article-cn': did you mean 'article-cnn'?"),
        ("train --epochs 0", 2, "epochs is 0.0: expected a number above 0"),
        ("train --epochs=-1", 2, "epochs is -1.0"),
        ("train --batch-size 70000", 2, "the largest possible is 60000"),
        ("train --lr 0", 2, "learning rate is 0.0"),
        ("train --seed=-1", 2, "seed is -1: expected at least 0"),
        ("train --seed 99999999999999999999", 2, "expected at most 18446744073709551615"),
        ("train --device cpu:", 2, "there is no device 'cpu:'"),
        ("train --threads 0", 2, "threads is 0: expected at least 1"),
        ("train --hold-out 60000", 2, "cannot hold out 60000 of 60000"),
        ("train --device abacus", 2, "there is no device 'abacus'"),
        ("train --device cuda:99", 2, "device 'cuda:99' is not on this machine"),
        ("train cnn --resume runs/001-cnn", 2, "a resumed run keeps its settings"),
        ("train --resume nowhere", 1, "nowhere is no run folder"),
        ("train --data nowhere", 1, "nowhere"),
        ("train --data empty", 1, "empty"),
        ("evaluate nowhere", 1, "there is no model at nowhere"),
        ("evaluate empty", 1, "there is no model at empty"),
        ("show text.safetensors", 1, "text.safetensors is not a whole safetensors file"),
        ("train --runs text.safetensors/runs", 1, "cannot make a run folder in"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    tmp_path: Path, arguments: str, code: int, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.safetensors").write_text("not a model")
    done = run(*arguments.split(), cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("tendigits: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "text.safetensors"}


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = run("--debug", "train", "nothing", cwd=tmp_path)
    assert "Traceback" in done.stderr
    assert "UnknownNameError" in done.stderr


@pytest.mark.parametrize("arguments", ["train --seed many", "fly", "train --colour red"])
def test_a_command_line_that_cannot_be_read_exits_with_2(tmp_path: Path, arguments: str) -> None:
    done = run(*arguments.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_help_and_version() -> None:
    shown = run("--help", cwd=Path())
    for verb in ("train", "evaluate", "show", "data", "export", "doctor"):
        assert f"  {verb}" in shown.stdout
    assert run("--version", cwd=Path()).stdout.startswith("tendigits 0.")


def test_doctor_finds_everything_in_order(tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path)
    assert done.returncode == 0
    assert "MNIST is whole: 60,000 + 10,000 digits" in done.stdout
    assert f"run folders can be made in {tmp_path}" in done.stdout
    assert list(tmp_path.iterdir()) == []
