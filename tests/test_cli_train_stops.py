"""`tendigits train`, stopped, killed or out of room: how it ends, and how it goes on."""

import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command import COMMAND, run, the_run, train


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_ends_tidily_and_can_be_resumed(
    idx_folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    command: list[str | Path] = [COMMAND, "train", "article-cnn", "--data", idx_folder, "--json"]
    command += ["--epochs", "50"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    while '"step"' not in process.stdout.readline():
        assert process.poll() is None, "it ended before it was told to"
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.startswith("tendigits: stopped after step ")
    assert "continue with: tendigits train --resume " in errors
    assert errors.count("\n") == 1
    assert len(list((the_run(tmp_path) / "checkpoint").iterdir())) == 1


def test_a_killed_training_ends_with_the_same_weights(idx_folder: Path, tmp_path: Path) -> None:
    options = ("--epochs", "4", "--seed", "5", "--checkpoint-seconds", "0", "--quiet")
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    assert train(idx_folder, tmp_path / "whole", *options).returncode == 0
    command: list[str | Path] = [COMMAND, "train", "article-mlp", "--data", idx_folder]
    command += ["--threads", "1", *options]
    process = subprocess.Popen(command, cwd=tmp_path / "killed")
    while not list(tmp_path.glob("killed/runs/*/checkpoint/step-*")):
        assert process.poll() is None, "it ended before it was killed"
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
    idx_folder: Path, tmp_path: Path
) -> None:
    options = ("--epochs", "0.1", "--checkpoint-seconds", "0", "--quiet")
    assert train(idx_folder, tmp_path, *options).returncode == 0
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
    idx_folder: Path, tmp_path: Path, display: str
) -> None:
    command: list[str | Path] = [COMMAND, "train", "article-mlp", "--data", idx_folder]
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


def test_a_run_that_is_still_training_is_not_resumed(idx_folder: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [COMMAND, "train", "article-mlp", "--data", idx_folder, "--json"]
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
