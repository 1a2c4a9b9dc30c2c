"""The whole road in seconds: 2,000 real digits, the installed command, over 85 % right."""

import json
from pathlib import Path

import command
from folders import write_idx_set
from tendigits.data import DigitSet


def run(*arguments: str | Path, cwd: Path) -> str:
    done = command.run(*arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_thousand_real_digits_teach_a_network(few_digits: DigitSet, tmp_path: Path) -> None:
    write_idx_set(tmp_path / "digits", few_digits)
    printed = run("train", "cnn", "--data", "digits", "--json", "--seed", "3", cwd=tmp_path)
    lines = [json.loads(line) for line in printed.splitlines()]
    done = lines[-1]
    assert set(done) == {
        "event", "recipe", "seed", "test_accuracy", "test_loss", "train_seconds", "run",
    }  # fmt: skip
    assert (done["event"], done["recipe"], done["seed"]) == ("done", "cnn", 3)
    assert done["test_accuracy"] > 0.85
    assert [line["epoch"] for line in lines if line["event"] == "epoch"] == [1, 2, 3, 4, 5]

    evaluated = json.loads(run("evaluate", done["run"], "--data", "digits", "--json", cwd=tmp_path))
    assert evaluated["accuracy"] == done["test_accuracy"]
    assert evaluated["count"] == 1_000
    shown = run("show", done["run"], "--data", "digits", "--no-window", cwd=tmp_path)
    assert "show.png" in shown
    assert (tmp_path / done["run"] / "report.html").stat().st_size > 10_000
