"""The reader: a picture in, a page out."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import SettingError
from tendigits.imaging import Picture, decode
from tendigits.reading.answers import Answer, Letter
from tendigits.reading.classifier import (
    DEFAULT,
    SECOND,
    Classify,
    load_classifier,
)
from tendigits.reading.ground import find_ink
from tendigits.reading.line_network import SHIPPED, Transcribe, load_line_network
from tendigits.reading.postcode import find_rules
from tendigits.reading.search import Rules
from tendigits.reading.segment import Line, find_lines
from tendigits.reading.strings import Recognisers, read_lines
from tendigits.reading.weights import Weights, load_weights
from tendigits.registry import shipped_models
from tendigits.results import Alternative, Box, Digit, Field, Page, surround

REJECT_ABOVE = 0.05  # chance of being wrong: a person looks at what is likelier to be wrong
LEAST_SHOWN = 0.001  # chance: less likely digits are not named as alternatives
MOST_SHOWN = 3  # alternatives

Fields = Literal["one", "lines"]
LineNetwork = str | Path | Transcribe | None


class Reader:
    """Reads digits off pictures.

    Args:
        model: A shipped model's name, an ONNX file, a function (N, 28, 28) uint8 -> (N, 10)
            logits, or what `load_recognisers` returned, with which the settings of that are done.
            Where a line of one digit is in doubt, a second shipped model is asked beside a shipped
            one: ``best`` beside the default, the default beside any other.
        fields: ``"lines"`` for as many as there are on the page, ``"one"`` where the picture is
            of one field.
        reject_above: The chance of being wrong, in [0, 1], above which a digit or a field is not
            accepted.
        format: What a field's text keeps to, by name, such as ``us-zip``; see
            `postcode.find_rules`. Rules of your own will do too.
        valid: A file with the codes that exist, one a line.
        weights: Fitted with the models; None for those fitted with the shipped ones.
        line_network: What reads whole lines beside the model: ``"shipped"``, an ONNX file, or a
            function as `load_line_network` returns; None to read by the model alone. With a model
            of your own it never answers alone.
        threads: That each network computes with; 0 for one a core. With two a line takes a sixth
            less time where a second core is idle, and up to twice as much where none is.
        most_shown: Alternatives that are named at most, of each digit and each field.

    Raises:
        SettingError: A setting is outside its range.
        UnknownNameError: There is no such model or format.
        WeightsError: The model is no such file.
    """

    def __init__(
        self,
        model: str | Path | Classify | Recognisers = DEFAULT,
        *,
        fields: Fields = "lines",
        reject_above: float = REJECT_ABOVE,
        format: str | Rules | None = None,
        valid: Path | None = None,
        weights: Weights | None = None,
        line_network: LineNetwork = "shipped",
        threads: int = 1,
        most_shown: int = MOST_SHOWN,
    ) -> None:
        if fields not in ("one", "lines"):
            raise SettingError(f"fields cannot be {fields!r}: expected 'one' or 'lines'")
        if not 0 <= reject_above <= 1:
            raise SettingError(f"reject_above is {reject_above}: expected a chance from 0 to 1")
        if most_shown < 0:
            raise SettingError(f"most_shown is {most_shown}: expected a number of 0 or more")
        self.fields = fields
        self.reject_above = reject_above
        self.most_shown = most_shown
        self.rules = find_rules(format, valid=valid)
        if not isinstance(model, Recognisers):
            model = load_recognisers(
                model, weights=weights, line_network=line_network, threads=threads
            )
        self.recognisers = model
        self.classify = model.classify

    def read(self, picture: Picture) -> Page:
        """Read a picture.

        Args:
            picture: A file, the bytes of one, an image of Pillow's, or an array; see
                `imaging.decode`.

        Returns:
            The page; without fields if there are no digits on it.

        Raises:
            DataNotFoundError: There is no such file.
            DataFormatError: It cannot be decoded, is too large, or the array is of another form.
        """
        return self.read_pixels(decode(picture))

    def read_pixels(self, pixels: NDArray[np.uint8]) -> Page:
        """Read a decoded picture, (H, W) or (H, W, 3) uint8."""
        return read_together([(self, pixels)], self.recognisers)[0]

    def find_lines(self, pixels: NDArray[np.uint8]) -> list[Line]:
        """Return the lines of a decoded picture, (H, W) or (H, W, 3) uint8."""
        return find_lines(find_ink(pixels), one=self.fields == "one")

    def make_page(
        self, lines: Sequence[Line], answers: Sequence[Answer | None], width: int, height: int
    ) -> Page:
        """Return what lines say as a page of a picture, whose sizes are in pixels."""
        fields = tuple(
            self._field(answer, line, (0, 0, width, height))
            for answer, line in zip(answers, lines, strict=True)
            if answer is not None
        )
        return Page(fields=fields, width=width, height=height)

    def _field(self, answer: Answer, line: Line, page: Box) -> Field:
        """Return an answer with its boxes in the picture and a decision on it."""
        digits = tuple(self._digit(letter, line, page) for letter in answer.letters)
        return Field(
            text=answer.text,
            confidence=answer.chance,
            accepted=1 - answer.chance <= self.reject_above,
            box=surround(digit.box for digit in digits),
            digits=digits,
            alternatives=tuple(
                Alternative(text=text, confidence=chance) for text, chance in answer.others
            )[: self.most_shown],
            unconstrained=answer.unconstrained,
        )

    def _digit(self, letter: Letter, line: Line, page: Box) -> Digit:
        """Return a digit with its box in the picture and a decision on it."""
        confidence = float(letter.chances[letter.digit])
        others = [
            Alternative(text=str(other), confidence=float(letter.chances[other]))
            for other in np.argsort(-letter.chances).tolist()
            if other != letter.digit and letter.chances[other] >= LEAST_SHOWN
        ]
        left, top, right, bottom = line.box_in_picture(*letter.box)
        return Digit(
            text=str(letter.digit),
            confidence=confidence,
            accepted=1 - confidence <= self.reject_above,
            box=(max(left, 0), max(top, 0), min(right, page[2]), min(bottom, page[3])),
            alternatives=tuple(others[: self.most_shown]),
            seen=letter.image.tobytes(),
        )


def load_recognisers(
    model: str | Path | Classify = DEFAULT,
    *,
    weights: Weights | None = None,
    line_network: LineNetwork = "shipped",
    threads: int = 1,
) -> Recognisers:
    """Return what recognises digits and lines; the arguments and what they raise: see `Reader`."""
    if threads < 0:
        raise SettingError(f"threads is {threads}: expected a number of 0, for one a core, or more")
    if line_network == "shipped":
        line_network = SHIPPED
    if isinstance(line_network, str | Path):
        line_network = load_line_network(Path(line_network), threads=threads)
    shipped = isinstance(model, str | Path) and str(model) in shipped_models()
    second = SECOND if str(model) == DEFAULT else DEFAULT
    return Recognisers(
        classify=model if callable(model) else load_classifier(model, threads=threads),
        transcribe=line_network,
        weights=weights or load_weights(),
        alone=shipped,
        second=load_classifier(second, threads=threads) if shipped else None,
    )


def read_together(
    pictures: Sequence[tuple[Reader, NDArray[np.uint8]]], recognisers: Recognisers
) -> list[Page]:
    """Read several pictures, the candidates of all in one call of the network of digits.

    Args:
        pictures: Each decoded, (H, W) or (H, W, 3) uint8, with the reader whose fields, rules and
            decisions are wanted.
        recognisers: What reads the lines, in place of the readers' own.

    Returns:
        A page for each.
    """
    found = [reader.find_lines(pixels) for reader, pixels in pictures]
    rules = [
        reader.rules for (reader, _), lines in zip(pictures, found, strict=True) for _ in lines
    ]
    answers = iter(read_lines([line for lines in found for line in lines], recognisers, rules))
    return [
        reader.make_page(lines, list(islice(answers, len(lines))), pixels.shape[1], pixels.shape[0])
        for (reader, pixels), lines in zip(pictures, found, strict=True)
    ]


def read(picture: Picture, *, fields: Fields = "lines", format: str | None = None) -> Page:
    """Read the digits off a picture with the shipped model.

    Args:
        picture: A file, the bytes of one, an image of Pillow's, or an array.
        fields: ``"lines"`` or ``"one"``; see `Reader`.
        format: What a field's text keeps to, such as ``us-zip``; see `postcode.find_rules`.

    Returns:
        The page; without fields if there are no digits on it.

    Raises:
        TendigitsError: As `Reader` and `Reader.read`.
    """
    return _shipped_reader(fields, format).read(picture)


@lru_cache(maxsize=8)
def _shipped_reader(fields: Fields, format: str | None) -> Reader:
    """Return a reader with the shipped model, which is loaded once."""
    return Reader(fields=fields, format=format)
