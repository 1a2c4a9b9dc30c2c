"""The network that reads a whole line, run by ONNX Runtime, without torch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.canvas import HEIGHT, LOOKS, Canvas, look_again
from tendigits.reading.ctc import BLANK, LogProbs
from tendigits.reading.session import open_session, try_out
from tendigits.registry import folder, line_file

Transcribe = Callable[[Canvas], LogProbs]

SHIPPED = folder() / "line.onnx"
TRIAL_WIDTH = 44  # pixels: of an empty sheet that a network that is not ours is tried out on


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
    session = open_session(line_file() if path == SHIPPED else path, "lines", threads=threads)
    if path != SHIPPED:  # of which the sha256 is known
        empty = np.zeros((1, 2, HEIGHT, TRIAL_WIDTH), np.float32)
        try_out(session, path, empty, (1, TRIAL_WIDTH // 2, BLANK + 1))

    def transcribe(canvas: Canvas) -> LogProbs:
        lines = canvas[None].astype(np.float32) / np.float32(255)
        logits: NDArray[np.float64] = session.run(["logits"], {"lines": lines})[0][0].astype(float)
        highest = logits.max(axis=1, keepdims=True)
        return np.asarray(
            logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
        )

    return transcribe


class Looks(Sequence[LogProbs]):
    """What the line network says of a line, (T, 11): as it is, and as it looks in other ways.

    T differs. A look is taken when it is first asked for, and kept.

    Args:
        sheet: The line, as `canvas.lay_out` makes it.
        transcribe: The network.
    """

    def __init__(self, sheet: Canvas, transcribe: Transcribe) -> None:
        self._sheet, self._transcribe = sheet, transcribe
        self._taken: list[LogProbs] = []

    def __len__(self) -> int:
        return 1 + len(LOOKS)

    @overload
    def __getitem__(self, place: int) -> LogProbs: ...

    @overload
    def __getitem__(self, place: slice) -> list[LogProbs]: ...

    def __getitem__(self, place: int | slice) -> LogProbs | list[LogProbs]:
        chosen = range(len(self))[place]
        if isinstance(chosen, int):
            self._take(1 + chosen)
            return self._taken[chosen]
        self._take(1 + max(chosen, default=-1))
        return [self._taken[number] for number in chosen]

    def _take(self, count: int) -> None:
        """Take the first `count` looks, as far as they are missing."""
        if count and not self._taken:
            self._taken.append(self._transcribe(self._sheet))
        if count > len(self._taken):
            missing = LOOKS[len(self._taken) - 1 : count - 1]
            self._taken += [self._transcribe(sheet) for sheet in look_again(self._sheet, missing)]
