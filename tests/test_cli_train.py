"""`tendigits train`, as it is installed: what it prints and what it saves."""

import json
import os
import pty
import subprocess
from pathlib import Path

import numpy as np

from command import COMMAND, the_run, train
from tendigits.data import DigitSet
from tendigits.data.idx import write_idx


def test_plain_lines_say_what_happens(idx_folder: Path, tmp_path: Path) -> None:
    done = train(idx_folder, tmp_path, "--epochs", "2")
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


def test_quiet_prints_nothing(idx_folder: Path, tmp_path: Path) -> None:
    done = train(idx_folder, tmp_path, "--epochs", "0.1", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_settings_on_the_command_line_are_saved(idx_folder: Path, tmp_path: Path) -> None:
    options = "--epochs 0.5 --batch-size 100 --lr 0.01 --seed 9 --hold-out 500"
    assert train(idx_folder, tmp_path, *options.split()).returncode == 0
    saved = json.loads((the_run(tmp_path) / "recipe.json").read_text())
    assert (saved["seed"], saved["hold_out"], saved["threads"]) == (9, 500, 1)
    recipe = saved["recipe"]
    assert (recipe["epochs"], recipe["batch_size"], recipe["lr"]) == (0.5, 100, 0.01)


def test_a_live_bar_on_a_terminal(idx_folder: Path, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command: list[str | Path] = [
        COMMAND,
        "train",
        "article-mlp",
        "--data",
        idx_folder,
        "--epochs",
        "3",
    ]
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


def test_tensorboard_events_are_written(idx_folder: Path, tmp_path: Path) -> None:
    assert train(idx_folder, tmp_path, "--epochs", "0.5", "--tensorboard").returncode == 0
    (events,) = (the_run(tmp_path) / "tensorboard").glob("events.*")
    assert b"epoch/val_accuracy" in events.read_bytes()


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
