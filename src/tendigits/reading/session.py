"""ONNX files opened for reading, seen to take and give what is expected."""

from pathlib import Path
from typing import TYPE_CHECKING

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
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path}: cannot be loaded ({reason}): expected an ONNX file") from error
    if names != [takes, "logits"]:
        raise WeightsError(f"{path}: has {', '.join(names)}: expected {takes} in and logits out")
    return session
