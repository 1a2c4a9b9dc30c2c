"""The installed command, from outside: mistakes, help and the doctor."""

from pathlib import Path

import pytest

from command import run


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
