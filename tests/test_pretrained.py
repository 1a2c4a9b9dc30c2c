"""The models inside the package: their answers are the known ones, and as good as stated."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tendigits
from tendigits.data import DigitSet
from tendigits.evaluation.measure import answer
from tendigits.evaluation.predict import predict_logits
from tendigits.export import MOST_DIFFERENCE
from tendigits.models import count_multiply_adds, count_parameters
from tendigits.reading.classifier import load_classifier
from tendigits.registry import shipped_file, shipped_models

GOLDEN = json.loads((Path(__file__).parent / "golden-logits.json").read_bytes())
ROUNDED = 5e-4  # processors differ in the last digits of a logit
NAMES = list(shipped_models())

READ_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import numpy as np
from tendigits.reading.classifier import load_classifier
print(load_classifier("{name}")(np.zeros((1, 28, 28), np.uint8)).shape)
"""


def read_onnx(name: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return load_classifier(name)(images)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_test_pictures_get_the_known_logits(name: str, mnist: DigitSet) -> None:
    known = np.array(GOLDEN[name], np.float32)
    images = mnist.test.images[: len(known)]
    assert predict_logits(tendigits.load(name).model, images) == pytest.approx(known, abs=ROUNDED)
    assert read_onnx(name, images) == pytest.approx(known, abs=ROUNDED)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_as_good_as_its_entry_says(name: str) -> None:
    entry, loaded = shipped_models()[name], tendigits.load(name)
    assert loaded.info.seed == entry.seed
    assert count_parameters(loaded.model) == entry.parameters
    assert count_multiply_adds(loaded.model) == entry.multiply_adds
    measured = answer(Path(name)).evaluate()
    assert measured.accuracy == pytest.approx(entry.test_accuracy, abs=1.5e-4)


@pytest.mark.parametrize("name", NAMES)
def test_onnx_answers_every_test_picture_as_torch_does(name: str, mnist: DigitSet) -> None:
    images = mnist.test.images
    by_torch = predict_logits(tendigits.load(name).model, images)
    by_onnx = read_onnx(name, images)
    assert np.abs(by_torch - by_onnx).max() < MOST_DIFFERENCE
    assert (by_torch.argmax(axis=1) == by_onnx.argmax(axis=1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_knows_how_sure_it_is(name: str) -> None:
    calibration = tendigits.load(name).calibration
    assert calibration is not None
    assert calibration.fitted_on == tendigits.load(name).info.hold_out > 0
    assert 0 < calibration.threshold < 1


def test_small_is_small() -> None:
    assert shipped_models()["small"].multiply_adds <= 2_000_000
    for ending in ("safetensors", "onnx"):
        assert shipped_file("small", ending).stat().st_size <= 500_000


def test_a_model_reads_without_torch() -> None:
    outcome: Any = subprocess.run(
        [sys.executable, "-c", READ_WITHOUT_TORCH.format(name="small")],
        capture_output=True,
        text=True,
    )
    assert outcome.stdout == "(1, 10)\n", outcome.stderr
