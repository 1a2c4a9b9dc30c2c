"""ONNX files opened for reading, seen to take and give what is expected."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import WeightsError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(path: Path, takes: str, *, threads: int) -> "InferenceSession":
    """Return a session of ONNX Runtime on the processor.

    Args:
        path: An ONNX file with one input, and one output named ``logits``.
        takes: The input's name.
        threads: To compute with; 0 for one a core.

    Raises:
        WeightsError: The file is no such network.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait for the next call by spinning would be in the way of the other networks'.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in (*session.get_inputs(), *session.get_outputs())]
    except Exception as error:  # ONNX Runtime has a class of its own for each kind of bad file
        raise WeightsError(
            f"{path}: cannot be loaded ({in_one_line(error)}): expected an ONNX file"
        ) from error
    if names != [takes, "logits"]:
        raise WeightsError(f"{path}: has {', '.join(names)}: expected {takes} in and logits out")
    return session


def try_out(
    session: "InferenceSession", path: Path, given: NDArray[np.float32], shape: tuple[int, ...]
) -> None:
    """See that a network that is not ours takes and gives arrays of the right shapes.

    Args:
        session: Of the network.
        path: Its file.
        given: Such as it will be given.
        shape: Of the logits that are to come out.

    Raises:
        WeightsError: It does not run, or gives something else.
    """
    (takes,) = session.get_inputs()
    try:
        logits = session.run(["logits"], {takes.name: given})[0]
    except Exception as error:  # as above
        raise WeightsError(
            f"{path}: cannot be run on {takes.name} {given.shape} ({in_one_line(error)}): expected "
            f"logits {shape}"
        ) from error
    if logits.shape != shape:
        raise WeightsError(
            f"{path}: gives logits {logits.shape} for {takes.name} {given.shape}: expected {shape}"
        )


def in_one_line(error: Exception) -> str:
    """Return what ONNX Runtime says, which may be of several lines."""
    return " ".join(str(error).split())
