"""The first layer's feature maps, out of any ONNX file, with nothing but ONNX Runtime.

An ONNX file is a message of Protocol Buffers, and a decoder joins a message that comes twice: so
the first convolution's result becomes one more output of the graph by a few bytes at the file's
end, which say ``graph { output { name: ... } }``. The field numbers are those of onnx.proto.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import WeightsError
from tendigits.reading.classifier import as_input

GRAPH = 7  # of a model
NODE, OUTPUT = 1, 12  # of a graph
NODE_OUTPUT, NODE_TYPE = 2, 4  # of a node
NAME = 1  # of an output
BYTES = 2  # wire type of texts and messages


class FirstLayer:
    """The part of a network up to its first convolution.

    Args:
        path: An ONNX file that takes ``images`` (N, 1, 28, 28).

    Raises:
        WeightsError: There is no convolution in it.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        model = path.read_bytes()
        self.output = first_convolution(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            expose(model, self.output), options, providers=["CPUExecutionProvider"]
        )

    def maps(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what the first convolution's filters answer to pictures.

        Args:
            images: (N, 28, 28) uint8, ink 255; N is at least 1.

        Returns:
            (N, C, H, W) uint8: 0 where a filter does not answer, 255 where one answers most to
            that picture; negative answers, which the next layer drops or dampens, count as none.
        """
        (found,) = self.session.run([self.output], {"images": as_input(images)})
        answers = np.maximum(found, 0)
        most = answers.max(axis=(1, 2, 3), keepdims=True)
        return np.asarray(np.rint(255 * answers / np.maximum(most, 1e-6)), np.uint8)


def first_convolution(model: bytes) -> str:
    """Return the name of the first convolution's output in an ONNX file's bytes.

    Raises:
        WeightsError: There is none, or the bytes are no ONNX file.
    """
    try:
        for graph in messages(model, GRAPH):
            for node in messages(graph, NODE):
                if next(messages(node, NODE_TYPE), b"") == b"Conv":
                    return next(messages(node, NODE_OUTPUT)).decode()
    except (IndexError, ValueError, StopIteration) as error:
        raise WeightsError("the model cannot be looked into: expected an ONNX file") from error
    raise WeightsError("the model has no convolution, so there are no feature maps to show")


def expose(model: bytes, name: str) -> bytes:
    """Return an ONNX file's bytes with one more output, the value that is called `name`."""
    return model + _message(GRAPH, _message(OUTPUT, _message(NAME, name.encode())))


def messages(content: bytes, field: int) -> Iterator[bytes]:
    """Yield the texts or messages in one field of a message, in order.

    Raises:
        ValueError: The content is cut off, or is no message.
    """
    place = 0
    while place < len(content):
        key, place = _read_number(content, place)
        kind = key & 7
        if kind == BYTES:
            length, place = _read_number(content, place)
            if place + length > len(content):
                raise ValueError("cut off")
            if key >> 3 == field:
                yield content[place : place + length]
            place += length
        elif kind == 0:
            _, place = _read_number(content, place)
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")


def _message(field: int, content: bytes) -> bytes:
    """Return one field of a message; its length is less than 128 bytes, and fits in one."""
    assert len(content) < 128
    return bytes([field << 3 | BYTES, len(content)]) + content


def _read_number(content: bytes, place: int) -> tuple[int, int]:
    """Return a number, seven bits a byte from the lowest up, and the place after it."""
    number, shift = 0, 0
    while True:
        byte = content[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
