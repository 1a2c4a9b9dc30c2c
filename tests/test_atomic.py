"""Atomic files: the old one or the new one, never a part."""

import errno
import json
import os
from pathlib import Path

import pytest

from tendigits.atomic import WriteError, atomic_writer, write_json, write_text
from tendigits.cli import one_line


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    write_text(path, "nöw")
    assert path.read_text("utf-8") == "nöw"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_name_that_is_not_utf_8_can_be_written_about(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "trained on caf\udce9")
    assert (tmp_path / "file").read_text("utf-8") == "trained on caf?"


def test_an_error_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(TypeError), atomic_writer(path) as file:
        file.writelines([b"half of the new o", None])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["x" * 255, "\N{PILE OF POO}" * 63], ids=["one byte", "four"])
def test_the_longest_name_that_there_is_can_be_written(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "new")
    assert (tmp_path / name).read_text() == "new"


@pytest.mark.parametrize("place", ["none/file", "folder"])
def test_what_cannot_be_written_is_said_by_its_own_name(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError) as caught:
        write_text(tmp_path / place, "new")
    assert one_line(caught.value).startswith(f"cannot write {tmp_path / place} (")
    assert one_line(caught.value).endswith("): name a file in a folder that exists and has room")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(WriteError, match=r"file \(No space left on device\)") as caught:
        write_text(tmp_path / "file", "new")
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / "file").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_is_indented_and_finite(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": [1]})
    assert json.loads(path.read_bytes()) == {"a": [1]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_bytes()) == {"a": [1]}
