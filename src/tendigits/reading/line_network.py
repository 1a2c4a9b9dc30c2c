"""The network that reads a whole line, run by ONNX Runtime, without torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import WeightsError
from tendigits.reading.canvas import Canvas
from tendigits.reading.ctc import LogProbs
from tendigits.registry import folder, line_file

Transcribe = Callable[[Canvas], LogProbs]

SHIPPED = folder() / "line.onnx"


def load_line_network(path: Path = SHIPPED, *, threads: int = 0) -> Transcribe:
    """Return a function that says what may stand at each place of a line.

    Args:
        path: An ONNX file that takes ``lines`` (N, 2, 40, W) float32 in [0, 1] and gives ``logits``
            (N, W / 2, 11).
        threads: To compute with; 0 for one a core.

    Returns:
        (2, 40, W) uint8, as `canvas.lay_out` makes it -> (W / 2, 11) float64: the logarithms of the
        chances of each digit and of a blank.

    Raises:
        WeightsError: The file is no such network, or the shipped one is damaged.
    """
    import onnxruntime

    if path == SHIPPED:
        path = line_file()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in (*session.get_inputs(), *session.get_outputs())]
    except Exception as error:  # ONNX Runtime has a class of its own for each kind of bad file
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path}: cannot be loaded ({reason}): expected an ONNX file") from error
    if names != ["lines", "logits"]:
        raise WeightsError(f"{path}: has {', '.join(names)}: expected lines in and logits out")

    def transcribe(canvas: Canvas) -> LogProbs:
        lines = canvas[None].astype(np.float32) / np.float32(255)
        logits: NDArray[np.float64] = session.run(["logits"], {"lines": lines})[0][0].astype(float)
        highest = logits.max(axis=1, keepdims=True)
        return np.asarray(
            logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
        )

    return transcribe
