"""The network that recognises single digits, run by ONNX Runtime, without torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import WeightsError
from tendigits.reading.session import open_session, try_out
from tendigits.registry import shipped_file

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

DEFAULT = "small"
SECOND = "best"  # asked where the default and the line network leave a digit in doubt
BATCH = 1_000  # pictures at a time, to bound memory


def find_model(name: str | Path) -> Path:
    """Return the ONNX file of a shipped model by its name, or the path of another ONNX file.

    Raises:
        UnknownNameError: There is no shipped model of that name.
        WeightsError: There is no such file, or the shipped one is damaged.
    """
    path = Path(name)
    if path.suffix != ".onnx":
        return shipped_file(str(name), "onnx")
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file: expected an ONNX file")
    return path


def load_classifier(model: str | Path = DEFAULT, *, threads: int = 0) -> Classify:
    """Return a function that classifies pictures with an ONNX model.

    Args:
        model: A shipped model's name, or an ONNX file that takes ``images`` (N, 1, 28, 28) float32
            in [0, 1] and gives ``logits`` (N, 10).
        threads: To compute with; 0 for one a core.

    Returns:
        (N, 28, 28) uint8, ink 255 -> (N, 10) float32 logits.

    Raises:
        UnknownNameError: There is no such model.
        WeightsError: The file is no such model, or a shipped one is damaged.
    """
    path = find_model(model)
    session = open_session(path, "images", threads=threads)
    if path == Path(model):  # none of ours, of which the sha256 is known
        try_out(session, path, as_input(np.zeros((2, 28, 28), np.uint8)), (2, 10))

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [
            session.run(["logits"], {"images": as_input(images[start : start + BATCH])})[0]
            for start in range(0, len(images), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 10), np.float32)

    return classify


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures, (N, 28, 28) uint8, as a network takes them: (N, 1, 28, 28) in [0, 1]."""
    return images[:, None].astype(np.float32) / np.float32(255)
