"""The models inside the package: seen to be the ones that were shipped, and found by name."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tendigits import registry
from tendigits.errors import UnknownNameError, WeightsError

ENTRY = {
    "name": "tiny",
    "seed": 0,
    "test_accuracy": 0.99,
    "parameters": 10,
    "multiply_adds": 20,
    "licence": "MIT",
    "sha256": {"safetensors": hashlib.sha256(b"weights").hexdigest()},
}


@pytest.fixture
def pretrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package's folder of models that holds one."""
    (tmp_path / "index.json").write_text(json.dumps([ENTRY]))
    (tmp_path / "tiny.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(registry, "folder", lambda: tmp_path)
    registry.shipped_models.cache_clear()
    yield tmp_path
    registry.shipped_models.cache_clear()


def test_a_shipped_file_is_found_by_name(pretrained: Path) -> None:
    assert registry.shipped_file("tiny", "safetensors") == pretrained / "tiny.safetensors"
    assert registry.locate("tiny") == pretrained / "tiny.safetensors"
    assert registry.locate(Path("runs") / "tiny") == Path("runs/tiny")
    assert registry.locate("other") == Path("other")


def test_what_lies_in_the_current_folder_comes_first(
    pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("tiny").mkdir()
    assert registry.locate("tiny") == Path("tiny")


def test_an_unknown_name_is_refused(pretrained: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no model 'tine': did you mean 'tiny'"):
        registry.shipped_file("tine", "safetensors")


@pytest.mark.parametrize("ending", ["safetensors", "onnx"])
def test_a_file_that_is_not_the_one_that_was_shipped_is_refused(
    pretrained: Path, ending: str
) -> None:
    (pretrained / f"tiny.{ending}").write_bytes(b"weightz")
    with pytest.raises(WeightsError, match="is damaged"):
        registry.shipped_file("tiny", ending)


def test_the_line_network_is_seen_to_be_the_one_that_was_shipped(pretrained: Path) -> None:
    entry = {
        "name": "line",
        "command": "fit",
        "lines_right": 0.9,
        "parameters": 10,
        "licence": "MIT",
        "sha256": hashlib.sha256(b"network").hexdigest(),
    }
    with pytest.raises(WeightsError, match="the installation is damaged"):
        registry.line_file()
    (pretrained / registry.LINE_INDEX).write_text(json.dumps(entry))
    with pytest.raises(WeightsError, match="cannot be read"):
        registry.line_file()
    (pretrained / "line.onnx").write_bytes(b"network")
    assert registry.line_file() == pretrained / "line.onnx"
    (pretrained / "line.onnx").write_bytes(b"netwerk")
    with pytest.raises(WeightsError, match="is damaged"):
        registry.line_file()


def test_a_missing_file_and_a_damaged_index_are_told_in_one_line(pretrained: Path) -> None:
    (pretrained / "tiny.safetensors").unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        registry.shipped_file("tiny", "safetensors")
    (pretrained / "index.json").write_text('[{"name": "tiny"}]')
    registry.shipped_models.cache_clear()
    with pytest.raises(WeightsError, match="the installation is damaged"):
        registry.locate("tiny")
