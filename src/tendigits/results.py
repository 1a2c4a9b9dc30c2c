"""What was read off a picture: a `Page` of `Field`s of `Digit`s.

They are plain values: frozen, comparable, and the same after a way through JSON.

>>> seven = Digit(
...     text="7",
...     confidence=0.61,
...     accepted=False,
...     box=(4, 2, 20, 30),
...     alternatives=(Alternative(text="1", confidence=0.38),),
... )
>>> print(seven)
? (7 or 1, 61 to 38)
>>> Digit.from_dict(seven.to_dict()) == seven
True
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import DataFormatError

DIGITS = "0123456789"
SIDE = 28  # pixels: height and width of the picture that the network sees
REJECTED = "?"  # stands for a digit that a person should look at

ORDINALS = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)
ENDINGS = {1: "st", 2: "nd", 3: "rd"}

Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Another answer.

    Attributes:
        text: What it would be.
        confidence: Its chance of being right, in [0, 1].
    """

    text: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {"text": self.text, "confidence": self.confidence}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Alternative":
        """Return what `to_dict` was called on; raises `DataFormatError` at anything else."""
        with _Checked("an alternative"):
            return cls(text=_text(fields["text"]), confidence=_chance(fields["confidence"]))


@dataclass(frozen=True, kw_only=True)
class Digit:
    """One digit.

    Attributes:
        text: ``"0"`` to ``"9"``, the best guess even where it is not accepted.
        confidence: The chance that it is right, in [0, 1].
        accepted: Its chance of being wrong is within what the reader was told to accept.
        box: (left, top, right, bottom) in pixels of the upright picture; right and bottom are
            outside.
        alternatives: Other digits that it may be, the likeliest first.
        seen: The (28, 28) uint8 picture that the network saw, row by row; empty if not kept.
    """

    text: str
    confidence: float
    accepted: bool
    box: Box
    alternatives: tuple[Alternative, ...] = ()
    seen: bytes = b""

    def __str__(self) -> str:
        if self.accepted:
            return self.text
        return f"{REJECTED} ({self.doubt()})"

    def doubt(self) -> str:
        """Return the two best guesses in words, such as ``7 or 1, 61 to 38``."""
        if not self.alternatives:
            return f"{self.text}, {self.confidence:.0%}"
        other = self.alternatives[0]
        return f"{self.text} or {other.text}, {100 * self.confidence:.0f} to " + (
            f"{100 * other.confidence:.0f}"
        )

    def image(self) -> NDArray[np.uint8] | None:
        """Return the picture that the network saw, (28, 28) uint8, ink 255; None if not kept."""
        if not self.seen:
            return None
        return np.frombuffer(self.seen, np.uint8).reshape(SIDE, SIDE)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it; the picture is base64."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "accepted": self.accepted,
            "box": list(self.box),
            "alternatives": [other.to_dict() for other in self.alternatives],
            "seen": base64.b64encode(self.seen).decode(),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Digit":
        """Return what `to_dict` was called on; raises `DataFormatError` at anything else."""
        with _Checked("a digit"):
            return cls(
                text=_text(fields["text"]),
                confidence=_chance(fields["confidence"]),
                accepted=_yes_or_no(fields["accepted"]),
                box=_box(fields["box"]),
                alternatives=tuple(map(Alternative.from_dict, fields["alternatives"])),
                seen=_seen(fields["seen"]),
            )


@dataclass(frozen=True, kw_only=True)
class Field:
    """A string of digits on one line.

    Attributes:
        text: The digits, left to right, the best guess even where it is not accepted.
        confidence: The chance that the whole text is right, in [0, 1].
        accepted: Its chance of being wrong is within what the reader was told to accept.
        box: (left, top, right, bottom) around its digits, in pixels of the upright picture.
        digits: One for each character of the text.
        alternatives: Other readings of the field, the likeliest first.
        unconstrained: The best reading had there been no format, where it is another one.
    """

    text: str
    confidence: float
    accepted: bool
    box: Box
    digits: tuple[Digit, ...]
    alternatives: tuple[Alternative, ...] = ()
    unconstrained: str | None = None

    def __str__(self) -> str:
        shown = "".join(digit.text if digit.accepted else REJECTED for digit in self.digits)
        line = f"{shown}  {self.confidence:.1%}"
        if not self.accepted:
            line += f", doubtful: {'; '.join(self.doubts())}"
        if self.unconstrained is not None:
            line += f" (without the format: {self.unconstrained or 'nothing'})"
        return line

    def doubts(self) -> list[str]:
        """Return why the field needs a person, in words; a field is more than its digits."""
        doubts = [
            f"{ordinal(place)} digit is {digit.doubt()}"
            for place, digit in enumerate(self.digits, 1)
            if not digit.accepted
        ]
        if not doubts and self.alternatives:
            doubts = [f"{self.text} or {self.alternatives[0].text}"]
        return doubts or ["no reading is likely"]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "accepted": self.accepted,
            "box": list(self.box),
            "digits": [digit.to_dict() for digit in self.digits],
            "alternatives": [other.to_dict() for other in self.alternatives],
            "unconstrained": self.unconstrained,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Field":
        """Return what `to_dict` was called on; raises `DataFormatError` at anything else."""
        with _Checked("a field"):
            unconstrained = fields["unconstrained"]
            return cls(
                text=_text(fields["text"]),
                confidence=_chance(fields["confidence"]),
                accepted=_yes_or_no(fields["accepted"]),
                box=_box(fields["box"]),
                digits=tuple(map(Digit.from_dict, fields["digits"])),
                alternatives=tuple(map(Alternative.from_dict, fields["alternatives"])),
                unconstrained=None if unconstrained is None else _text(unconstrained),
            )


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that was read off a picture; blank paper has no fields.

    Attributes:
        fields: Top to bottom, then left to right.
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
    """

    fields: tuple[Field, ...]
    width: int
    height: int

    def __str__(self) -> str:
        return "\n".join(map(str, self.fields))

    @property
    def text(self) -> str:
        """The text of the fields, one a line."""
        return "\n".join(field.text for field in self.fields)

    @property
    def accepted(self) -> bool:
        """Nothing on the page needs a person; an empty page says nothing, and needs one."""
        return bool(self.fields) and all(field.accepted for field in self.fields)

    @property
    def confidence(self) -> float:
        """That of the least sure field; 0 where nothing was read."""
        return min((field.confidence for field in self.fields), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "fields": [field.to_dict() for field in self.fields],
            "width": self.width,
            "height": self.height,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Page":
        """Return what `to_dict` was called on; raises `DataFormatError` at anything else."""
        with _Checked("a page"):
            return cls(
                fields=tuple(map(Field.from_dict, fields["fields"])),
                width=int(fields["width"]),
                height=int(fields["height"]),
            )


def ordinal(place: int) -> str:
    """Return a place, from 1, in words; in figures above ten.

    >>> ordinal(3), ordinal(12), ordinal(22)
    ('third', '12th', '22nd')
    """
    if place <= len(ORDINALS):
        return ORDINALS[place - 1]
    ending = "th" if place // 10 % 10 == 1 else ENDINGS.get(place % 10, "th")
    return f"{place}{ending}"


def surround(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that holds all of `boxes`, of which there is one or more."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _box(values: Iterable[Any]) -> Box:
    left, top, right, bottom = (int(value) for value in values)
    return left, top, right, bottom


def _text(value: Any) -> str:
    if not isinstance(value, str) or value.strip(DIGITS):
        raise ValueError(f"expected digits, not {value!r}")
    return value


def _chance(value: Any) -> float:
    if not 0 <= (chance := float(value)) <= 1:
        raise ValueError(f"expected a chance from 0 to 1, not {value!r}")
    return chance


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, not {value!r}")
    return value


def _seen(value: Any) -> bytes:
    seen = base64.b64decode(value, validate=True)
    if len(seen) not in (0, SIDE * SIDE):
        raise ValueError(f"expected {SIDE}x{SIDE} pixels or none, not {len(seen)}")
    return seen


class _Checked:
    """Turns what goes wrong in its block, where a dictionary is taken apart, into our error."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: Any, traceback: Any) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | OverflowError):
            raise DataFormatError(
                f"this is not {self.what} as to_dict() gives it ({type(error).__name__}: {error})"
            ) from error
