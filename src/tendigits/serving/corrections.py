"""Corrections: what a person says a digit is, kept as pictures that `tendigits teach` takes."""

import base64
import hashlib
import threading
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, StringConstraints

from tendigits.atomic import write_bytes
from tendigits.reading.drawing import encode_png
from tendigits.results import SIDE
from tendigits.serving.problems import Problem

MOST = 10_000  # corrections that are kept: a stranger on the network could fill the disk


class Correction(BaseModel):
    """What a person says.

    Attributes:
        seen: The 28x28 pixels that the network saw, ink 255 on 0, row by row, in base64.
        label: What the digit is.
        read: What it was read as.
        confidence: The chance that this was right.
    """

    seen: Annotated[str, StringConstraints(max_length=2 * SIDE * SIDE)]
    label: Annotated[str, StringConstraints(pattern="^[0-9]$")]
    read: Annotated[str, StringConstraints(pattern="^[0-9]?$")] = ""
    confidence: float = 0.0


class Corrections:
    """A folder of corrected digits, with a sub-folder for each label.

    Args:
        folder: Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()  # two people may say different things at once
        folder.mkdir(parents=True, exist_ok=True)

    def store(self, correction: Correction) -> None:
        """Keep a correction; it is on the disk when this returns. The same one is kept once.

        Raises:
            Problem: 422, it holds no picture; 507, there are as many as are kept.
            OSError: The disk refused it.
        """
        pixels = decode_seen(correction.seen)
        name = f"{hashlib.sha256(pixels).hexdigest()[:32]}.png"
        place = self.folder / correction.label
        image = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
        with self._lock:
            if not (place / name).exists():
                if len(self) >= MOST:
                    raise Problem(
                        507, f"There are {MOST:,} corrections, which is all that is kept."
                    )
                place.mkdir(exist_ok=True)
                write_bytes(place / name, encode_png(image))
            for other in self.folder.glob(f"[0-9]/{name}"):
                if other.parent.name != correction.label:
                    other.unlink()  # the person thought again

    def __len__(self) -> int:
        return sum(1 for _ in self.folder.glob("[0-9]/*.png"))


def decode_seen(seen: str) -> bytes:
    """Return the 784 pixels that base64 stands for; raises `Problem` where it stands for others."""
    try:
        pixels = base64.b64decode(seen, validate=True)
    except ValueError:  # of base64, or of letters that are none of ASCII
        pixels = b""
    if len(pixels) != SIDE * SIDE:
        raise Problem(422, f"Seen is no picture: expected {SIDE * SIDE} bytes in base64.")
    return pixels
