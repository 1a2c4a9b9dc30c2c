"""What a reader does: several requests' pictures in, an answer for each, one run of the network."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import SettingError, TendigitsError, UnknownNameError, WeightsError
from tendigits.imaging import decode
from tendigits.reading.classifier import find_model
from tendigits.reading.postcode import POSTCODES, find_rules
from tendigits.reading.reader import (
    MOST_SHOWN,
    REJECT_ABOVE,
    Fields,
    Reader,
    load_recognisers,
    read_together,
)
from tendigits.reading.search import Rules
from tendigits.results import Field, Page
from tendigits.serving.features import FirstLayer

LONGEST_FORMAT = 40  # characters of a format's name
ALL_DIGITS = 9  # alternatives: every digit but the best


@dataclass(frozen=True, kw_only=True)
class Job:
    """A picture to read.

    Attributes:
        content: The bytes of its file.
        format: What a field keeps to, by name; None for any digits.
        fields: ``"one"`` or ``"lines"``.
        reject_above: The chance of being wrong above which a person should look, in [0, 1].
        look: Tell what the network saw: all ten chances, and the first layer's feature maps.
    """

    content: bytes
    format: str | None = None
    fields: str = "lines"
    reject_above: float = REJECT_ABOVE
    look: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a picture says, ready to be sent.

    Attributes:
        body: The page, a JSON object; empty where `status` is not 200.
        status: 200, or the HTTP status of the refusal.
        detail: Why it was refused, in one sentence.
        digits: The confidence of each digit, for the service's own figures.
        accepted: Nothing on the page needs a person.
    """

    body: bytes = b""
    status: int = 200
    detail: str = ""
    digits: tuple[float, ...] = ()
    accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which model reads.

    Attributes:
        name: A shipped model's name, or the name of its file.
        version: The first 12 digits of the file's sha256.
    """

    name: str
    version: str


class Answerer:
    """Answers requests with one model.

    Args:
        model: A shipped model's name, or an ONNX file.

    Raises:
        UnknownNameError: There is no such model.
        WeightsError: The file is no such model.
    """

    def __init__(self, model: str | Path) -> None:
        self.path = find_model(model)
        sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.identity = Identity(name=Path(model).stem, version=sha256[:12])
        self.recognisers = load_recognisers(model, threads=1)
        self.first_layer: FirstLayer | None = None

    def answer(self, jobs: Sequence[Job]) -> list[Answer]:
        """Answer several requests; what is wrong with one does not touch the others."""
        answers: list[Answer | None] = [None] * len(jobs)
        readable: list[tuple[int, Reader, NDArray[np.uint8]]] = []
        for place, job in enumerate(jobs):
            try:
                readable.append((place, self._reader(job), decode(job.content)))
            except TendigitsError as error:
                answers[place] = refusal(error)
        pictures = [(reader, pixels) for _, reader, pixels in readable]
        pages = read_together(pictures, self.recognisers)
        for (place, _, _), page in zip(readable, pages, strict=True):
            answers[place] = self._tell(page, jobs[place])
        return [answer for answer in answers if answer is not None]

    def _reader(self, job: Job) -> Reader:
        """Return a reader that does what a request asks for."""
        return Reader(
            self.recognisers,
            fields=cast(Fields, job.fields),
            reject_above=job.reject_above,
            format=rules_named(job.format),
            most_shown=ALL_DIGITS if job.look else MOST_SHOWN,
        )

    def _tell(self, page: Page, job: Job) -> Answer:
        """Return a page as an answer."""
        digits = [digit for field in page.fields for digit in field.digits]
        told: dict[str, Any] = {
            "model": self.identity.name,
            "version": self.identity.version,
            "text": page.text,
            "confidence": page.confidence,
            "accepted": page.accepted,
            **page.to_dict(),
        }
        for field, fields in zip(page.fields, told["fields"], strict=True):
            fields["reasons"] = reasons(field)
        if job.look:
            told["feature_maps"] = self._feature_maps([digit.image() for digit in digits])
        return Answer(
            body=json.dumps(told, allow_nan=False).encode(),
            digits=tuple(digit.confidence for digit in digits),
            accepted=page.accepted,
        )

    def _feature_maps(self, images: list[NDArray[np.uint8] | None]) -> dict[str, Any] | None:
        """Return the first layer's answers to (28, 28) pictures, as JSON; None if it has none."""
        if self.first_layer is None:
            try:
                self.first_layer = FirstLayer(self.path)
            except WeightsError:  # a network without convolutions reads as well
                return None
        seen = [image for image in images if image is not None]
        maps = self.first_layer.maps(np.stack(seen)) if seen else np.zeros((0, 0, 0, 0), np.uint8)
        _, count, height, width = maps.shape
        return {
            "count": count,
            "height": height,
            "width": width,
            "digits": [base64.b64encode(each.tobytes()).decode() for each in maps],
        }


def reasons(field: Field) -> list[str]:
    """Return why a field would go to a person, in words; nothing for one that is accepted."""
    return [] if field.accepted else field.doubts()


@lru_cache(maxsize=64)
def rules_named(name: str | None) -> Rules | None:
    """Return the rules of a format that a request may name.

    Regular expressions are not among them: a stranger's can take any time and memory.

    Raises:
        SettingError: There is no such format, or it is not well written.
    """
    if name is None:
        return None
    if name.startswith("regex:") or len(name) > LONGEST_FORMAT:
        raise SettingError(
            "this format cannot be asked for over the network: expected a name such as us-zip, "
            "de-plz or digits:5"
        )
    try:
        return find_rules(name)
    except UnknownNameError as error:
        raise SettingError(
            f"there is no format {name!r}: expected {', '.join(POSTCODES)}, isbn-10, ean-13, or "
            "one such as digits:5, digits:4-6 or luhn:16"
        ) from error


def refusal(error: TendigitsError) -> Answer:
    """Return an error that the request itself has caused as an answer."""
    return Answer(status=422, detail=str(error))
