"""Atomic files: the old one or the new one, never a part."""

import json
from pathlib import Path

import pytest

from tendigits.atomic import atomic_writer, write_json, write_text


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    write_text(path, "nöw")
    assert path.read_text("utf-8") == "nöw"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_an_error_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(TypeError), atomic_writer(path) as file:
        file.writelines([b"half of the new o", None])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_is_indented_and_finite(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": [1]})
    assert json.loads(path.read_bytes()) == {"a": [1]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_bytes()) == {"a": [1]}
