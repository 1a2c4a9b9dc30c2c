"""Teach the model in use, and put what it became into use where it is better."""

import json
import tempfile
from pathlib import Path

from tendigits.atomic import write_text
from tendigits.data import Digits, load_mnist
from tendigits.evaluation.confidence import calibrate
from tendigits.evaluation.predict import predict_logits
from tendigits.export import export_onnx
from tendigits.shelf import current_model, put_on_shelf
from tendigits.training.teach import Lesson, teach
from tendigits.weights import MODEL_FILE, load_model, save_model

BASE = "small"  # is taught first
ONNX_FILE = "small.onnx"  # the service goes on under this name
LESSON_FILE = "lesson.json"


def teach_shelf(corrections: Digits, shelf: Path, *, seed: int = 0) -> tuple[Lesson, Path | None]:
    """Teach the model in use; where the lesson is accepted, put the taught one in its place.

    Args:
        corrections: Pictures with their right labels, at least six.
        shelf: The folder of taught models; made where it is missing.
        seed: Fixes everything random.

    Returns:
        The lesson, and the folder of the new model; None where the old one stays in use.

    Raises:
        SettingError: There are too few corrections.
        WeightsError: The model in use must not be used.
        ExtraMissingError: What exports a model is not installed.
        OSError: The shelf cannot be written.
    """
    loaded = load_model(current_model(shelf) or BASE)
    taught, lesson = teach(loaded, corrections, seed=seed)
    if not lesson.accepted:
        return lesson, None
    train = load_mnist().train
    calibration = loaded.calibration
    if loaded.info.hold_out and calibration is not None:
        _, held_out = train.hold_out(loaded.info.hold_out)
        calibration = calibrate(predict_logits(taught, held_out.images), held_out.labels)
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shelf) as draft:
        folder = Path(draft) / "model"
        folder.mkdir()
        save_model(folder / MODEL_FILE, taught, loaded.config, loaded.info, calibration)
        export_onnx(taught, folder / ONNX_FILE, train.images)
        write_text(folder / LESSON_FILE, f"{json.dumps(lesson.to_dict(), indent=2)}\n")
        return lesson, put_on_shelf(shelf, folder)
