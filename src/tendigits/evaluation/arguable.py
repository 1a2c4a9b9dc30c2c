"""MNIST's arguable labels: the pictures whose label an ensemble doubts that never trained on them.

Some are labelled wrong, some can be read both ways, and some the ensemble itself gets wrong. None
of them is ever taken out of a set or a score. The list is made by ``scripts/bench arguable`` and is
inside the package; the ranking is confident learning's (Northcutt, Jiang & Chuang 2021, "Confident
Learning: Estimating Uncertainty in Dataset Labels", JAIR 70).
"""

import json
import math
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tendigits.atomic import write_json
from tendigits.data.digits import CLASSES, Digits
from tendigits.errors import DataFormatError

FORMAT = 1  # of the file

Part = Literal["test", "train"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A picture whose label is doubted.

    Attributes:
        part: The part of the set that it is in.
        index: Its place there, 0 for the first.
        label: What it is labelled, 0 to 9.
        answer: What the ensemble reads instead, 0 to 9.
        answer_prob: The probability that the ensemble gives its answer, 0 to 1.
        label_prob: The probability that it gives the label, 0 to 1.
    """

    part: Part
    index: int
    label: int
    answer: int
    answer_prob: float
    label_prob: float

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise ValueError(f"part is {self.part!r}: expected {' or '.join(PARTS)}")
        for name, most in (("index", math.inf), ("label", CLASSES - 1), ("answer", CLASSES - 1)):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= most:
                raise ValueError(f"{name} is {value!r}: expected a whole number, 0 to {most}")
        for name in ("answer_prob", "label_prob"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value <= 1:
                raise ValueError(f"{name} is {value!r}: expected a number from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class ArguableLabels:
    """The doubted labels of a set, and the ensemble that doubts them.

    Attributes:
        recipe: That its networks were trained by.
        folds: Into which the training part was divided: a network was trained on all but one, and
            judged the one and the test part.
        seeds: Divisions, with a network for each fold.
        date: Of the measurement, ``YYYY-MM-DD``.
        train_sha256: Fingerprint of the training part.
        test_sha256: Fingerprint of the test part.
        doubts: Of each part, the most doubted first.
    """

    recipe: str
    folds: int
    seeds: int
    date: str
    train_sha256: str
    test_sha256: str
    doubts: tuple[Doubt, ...]

    def __post_init__(self) -> None:
        for name in ("recipe", "date", "train_sha256", "test_sha256"):
            if type(getattr(self, name)) is not str:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected words")
        for name in ("folds", "seeds"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}: expected a whole number, at least 1")

    def judges(self, part: Part) -> int:
        """Return how many networks judged each picture of a part."""
        return self.seeds if part == "train" else self.seeds * self.folds

    def about(self, digits: Digits, part: Part) -> tuple[Doubt, ...]:
        """Return the doubts about a part of a set; none if it is not the part that was judged.

        Raises:
            DataFormatError: A doubt is about a picture that is not there or has another label.
        """
        known = self.train_sha256 if part == "train" else self.test_sha256
        if digits.fingerprint() != known:
            return ()
        doubts = tuple(doubt for doubt in self.doubts if doubt.part == part)
        for doubt in doubts:
            if doubt.index >= len(digits) or digits.labels[doubt.index] != doubt.label:
                raise DataFormatError(
                    f"the list of arguable labels calls {part} picture {doubt.index} a "
                    f"{doubt.label}, which it is not: install tendigits again"
                )
        return doubts


def label_margins(
    probs: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """Return the normalised margin of each label: low where it is doubted.

    It is the probability of the label less that of the likeliest other class; section 3.2 of the
    paper ranks by it.

    >>> label_margins(np.array([[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]]), np.array([0, 1]))
    array([-0.25,  0.25])

    Args:
        probs: (N, C), of classifiers that were not trained on these pictures.
        labels: (N,), 0 to C - 1.

    Returns:
        (N,), -1 to 1.
    """
    places = np.arange(len(labels))
    others = probs.astype(np.float64)
    of_label = others[places, labels]
    others[places, labels] = -np.inf
    margins: NDArray[np.float64] = of_label - others.max(axis=1)
    return margins


def find_doubts(
    part: Part, probs: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], most: int
) -> list[Doubt]:
    """Return the pictures in which an ensemble reads something else, the most doubted first.

    Args:
        part: The part of the set that they are.
        probs: (N, 10), the ensemble's.
        labels: (N,), 0 to 9.
        most: How many to return at most.
    """
    margins = label_margins(probs, labels)
    order = np.argsort(margins, kind="stable")[:most]
    return [
        Doubt(
            part=part,
            index=int(index),
            label=int(labels[index]),
            answer=int(probs[index].argmax()),
            answer_prob=round(float(probs[index].max()), 4),
            label_prob=round(float(probs[index, labels[index]]), 4),
        )
        for index in order
        if margins[index] < 0
    ]


def write_arguable(path: Path, arguable: ArguableLabels) -> None:
    """Write the list to `path`, whole or not at all.

    Raises:
        OSError: The file system refused.
    """
    write_json(path, {"format": FORMAT, **asdict(arguable)})


def read_arguable(path: Path | None = None) -> ArguableLabels:
    """Read the list.

    Args:
        path: A file that `write_arguable` wrote; None for the one inside the package.

    Raises:
        DataFormatError: It is missing or damaged.
    """
    source = path or resources.files("tendigits.data") / "files" / "arguable.json"
    try:
        saved = json.loads(source.read_text("utf-8"))
        if not isinstance(saved, dict) or saved.pop("format", None) != FORMAT:
            raise ValueError(f"expected an object of format {FORMAT}")
        doubts = tuple(Doubt(**entry) for entry in saved.pop("doubts"))
        return ArguableLabels(doubts=doubts, **saved)
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataFormatError(
            f"{source} is no list of arguable labels ({type(error).__name__}: {error}): "
            "install tendigits again"
        ) from error
