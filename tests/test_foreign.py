"""Sets of other hands are read from a folder, and models are measured on them."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import across, results
from benchmarks.foreign import SOURCES, read_sets
from benchmarks.tables.documents import TABLES
from numpy.typing import NDArray
from PIL import Image

from tendigits.data import Digits, DigitSet
from tendigits.errors import DataFormatError, DataNotFoundError
from tendigits.imaging import to_mnist_form
from tendigits.models import VggConfig, build_model
from tendigits.weights import ModelInfo, save_model

Pixels = NDArray[np.uint8]


def write_bitmaps(folder: Path, digits: Digits) -> None:
    """Write digits as semeion has them: black and white, cut to the ink, filling the box."""
    boxes = []
    for image in digits.images:
        rows, columns = np.nonzero(image > 127)
        cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        boxes.append(np.asarray(Image.fromarray(cut).resize((16, 16))) // 128 * 255)
    (folder / "semeion").mkdir(parents=True)
    np.savez(folder / "semeion" / "semeion.npz", x=np.array(boxes, np.uint8), y=digits.labels)


def write_listed(folder: Path, digits: Digits) -> None:
    """Write digits as swiss has them: dark on white, in files that a list names."""
    (folder / "swiss" / "digits").mkdir(parents=True)
    with (folder / "swiss" / "digits.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "writer", "label"])
        for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
            Image.fromarray(255 - np.kron(image, np.ones((3, 3), np.uint8))).save(
                folder / "swiss" / "digits" / f"{place}.png"
            )
            table.writerow([f"digits/{place}.png", "0001", label])


@pytest.fixture
def few(mnist: DigitSet) -> Digits:
    """Twenty real digits."""
    return mnist.test.take(slice(20))


@pytest.fixture
def folder(few: Digits, tmp_path: Path) -> Path:
    write_bitmaps(tmp_path / "sets", few)
    write_listed(tmp_path / "sets", few)
    return tmp_path / "sets"


def test_every_set_that_is_there_is_read(folder: Path, few: Digits) -> None:
    found = {foreign.name: foreign for foreign in read_sets(folder)}
    assert list(found) == ["semeion", "swiss"]
    for foreign in found.values():
        digits = foreign.to_digits()
        np.testing.assert_array_equal(digits.labels, few.labels)
        assert digits.images.max(axis=(1, 2)).min() == 255
    away = np.abs(found["swiss"].to_digits().images.astype(int) - few.images).mean(axis=(1, 2))
    assert away.mean() < 10  # two different digits are 50 apart


def test_a_bitmap_that_ink_fills_stays_light_on_dark(tmp_path: Path) -> None:
    full = np.full((1, 16, 15), 255, np.uint8)
    full[:, 6:10, 6:9] = 0  # a thick 0: its border is all ink
    (tmp_path / "mfeat").mkdir()
    np.savez(tmp_path / "mfeat" / "mfeat.npz", x=full, y=np.zeros(1))
    (foreign,) = read_sets(tmp_path)
    image = foreign.to_digits().images[0]
    assert image[6:12, 6:22].min() == 255
    assert image[15, 13] == 0
    assert not image[:3].any()
    assert to_mnist_form(full[0])[14, 14] == 255  # without a margin the hole is taken for the ink


def test_a_folder_without_a_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"holds no set of digits: expected one of usps/"):
        next(read_sets(tmp_path))


def test_a_damaged_set_is_refused_by_name(folder: Path) -> None:
    np.savez(folder / "semeion" / "semeion.npz", pictures=np.zeros((1, 16, 16)))
    with pytest.raises(DataFormatError, match=r"semeion.npz: expected arrays x and y"):
        list(read_sets(folder))
    (folder / "semeion" / "semeion.npz").unlink()
    for text in ("file,label\na.png,four\n", "picture,label\na.png,4\n", "file,label\na.png,-1\n"):
        (folder / "swiss" / "digits.csv").write_text(text)
        with pytest.raises(DataFormatError, match=r"digits.csv: expected columns file and label"):
            list(read_sets(folder))


def test_names_are_those_of_files_in_folders_of_their_own() -> None:
    assert all(source.file.startswith(name.split("-")[0]) for name, source in SOURCES.items())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network that knows nothing, in a run folder."""
    config = VggConfig(stages=((2,), (2,), (2,)))
    path = tmp_path / "runs" / "001-tiny" / "model.safetensors"
    path.parent.mkdir(parents=True)
    info = ModelInfo(recipe="tiny", seed=0, data="none", train_fingerprint="")
    save_model(path, build_model(config), config, info)
    return path


def test_a_model_is_measured_on_every_set(
    model: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["across", str(model.parent), "--data", str(folder)])
    across.main()
    written = json.loads((tmp_path / "results" / "across-001-tiny.json").read_bytes())
    assert written["command"] == "scripts/bench across 001-tiny --data FOLDER"
    assert [row["name"] for row in written["runs"]] == ["mnist", "semeion", "swiss"]
    assert [row["count"] for row in written["runs"]] == [10_000, 20, 20]
    for row in written["runs"]:
        assert row["accuracy"] == pytest.approx(1 - row["errors"] / row["count"])
        low, high = row["error_interval"]
        assert low < row["errors"] / row["count"] < high
    table = TABLES["across"]()
    assert f"| swiss | 20 | {written['runs'][2]['accuracy']:.2%} (" in table
    assert "| set | n | 001-tiny |" in table


def test_a_model_is_measured_on_corrupted_digits(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(across, "CORRUPTIONS", ["stripe", "rotate"])  # two of fifteen, for speed
    monkeypatch.setattr(sys, "argv", ["across", str(model), "--corruptions"])
    across.main()
    written = json.loads((tmp_path / "results" / "corruptions-001-tiny.json").read_bytes())
    assert written["command"] == "scripts/bench across 001-tiny --corruptions"
    assert [row["name"] for row in written["runs"]] == ["none", "stripe", "rotate"]
    mean = (written["runs"][1]["accuracy"] + written["runs"][2]["accuracy"]) / 2
    assert f"| mean without none |  | {mean:.2%} |" in TABLES["corruptions"]()


def test_a_model_is_known_by_its_file_or_its_run_folder(tmp_path: Path) -> None:
    assert across.name_of(tmp_path / "runs" / "001-cnn") == "001-cnn"
    assert across.name_of(tmp_path / "001-cnn" / "model.safetensors") == "001-cnn"
    assert across.name_of(tmp_path / "best-99.7.safetensors") == "best-99.7"
