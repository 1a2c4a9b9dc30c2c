"""A model file's answers on a part of a set, and which part that should be.

The part is chosen so that the figures say what a newcomer takes them to say: how well the model
reads pictures that it has never seen.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tendigits.data import open_available
from tendigits.data.digits import Digits, DigitSet
from tendigits.environment import choose_device
from tendigits.errors import UnknownNameError
from tendigits.evaluation.confidence import Calibration, top_probability
from tendigits.evaluation.metrics import Evaluation, evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.weights import ModelInfo, load_model

Part = Literal["test", "train", "all"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """Answers that are sure enough.

    Attributes:
        threshold: The calibrated chance from which an answer is accepted.
        count: How many are.
        errors: How many of these are wrong.
    """

    threshold: float
    count: int
    errors: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """A model's answers to the pictures of a part of a set.

    Attributes:
        info: Where the model's weights come from.
        data: Name of the set.
        classes: What each of the ten labels stands for.
        part: Which part of the set.
        trained_on: The model was trained on pictures of this part, or may have been: it was trained
            on a set of this name, whose pictures were others then.
        digits: Its N pictures and labels.
        logits: (N, 10) float32.
        calibration: How logits become chances; None where the model carries none.
    """

    info: ModelInfo
    data: str
    classes: tuple[str, ...]
    part: Part
    trained_on: bool
    digits: Digits
    logits: NDArray[np.float32]
    calibration: Calibration | None = None

    def evaluate(self) -> Evaluation:
        """Return what the answers are worth.

        Raises:
            DataFormatError: The part is empty.
            WeightsError: The answers are not finite.
        """
        return evaluate_logits(self.logits, self.digits.labels)

    def accepted(self) -> Accepted | None:
        """Return what is left where doubtful answers are rejected; None without a calibration."""
        if self.calibration is None:
            return None
        is_sure = top_probability(self.logits, self.calibration) >= self.calibration.threshold
        is_wrong = self.logits.argmax(axis=1) != self.digits.labels
        return Accepted(
            threshold=self.calibration.threshold,
            count=int(is_sure.sum()),
            errors=int((is_sure & is_wrong).sum()),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every figure, and what was measured on, as a JSON object."""
        accepted = self.accepted()
        return {
            "recipe": self.info.recipe,
            "seed": self.info.seed,
            "data": self.data,
            "part": self.part,
            "trained_on": self.trained_on,
            **self.evaluate().to_dict(),
            "accepted": accepted and asdict(accepted),
        }


def answer(
    model: Path,
    *,
    data: Path | None = None,
    part: str | None = None,
    device: str | None = None,
    limit: int | None = None,
) -> Answers:
    """Let the model in a file answer the pictures of a part of a set.

    Args:
        model: A model file, or a run folder that holds one.
        data: Folder of the set; None for the MNIST inside the package.
        part: ``"test"``, ``"train"`` or ``"all"``; None chooses as `part_to_measure` does.
        device: Where to compute; None for the best device here.
        limit: Answer only so many pictures of the part; None for all.

    Raises:
        UsageError: There is no such part or device.
        WeightsError: The model file must not be used.
        DataError: The set cannot be used.
    """
    if part is not None and part not in PARTS:
        raise UnknownNameError("part", part, PARTS)
    place = choose_device(device)
    loaded = load_model(model)
    digit_set = open_available(data)
    measured = part or part_to_measure(digit_set, loaded.info)
    digits = part_named(digit_set, measured)
    if limit is not None:
        digits = digits.take(spread(digits, limit))
    return Answers(
        info=loaded.info,
        data=digit_set.name,
        classes=digit_set.classes,
        part=measured,
        trained_on=measured != "test" and may_know(digit_set, loaded.info),
        digits=digits,
        logits=predict_logits(loaded.model, digits.images, device=place),
        calibration=loaded.calibration,
    )


def part_to_measure(digit_set: DigitSet, info: ModelInfo) -> Part:
    """Return the largest part of a set that says how well a model reads what it has never seen.

    That is the test part, where the source has one. Where it has none, it is the whole set; but if
    the model was trained on this set, it is the part that was set aside here: also where pictures
    have joined since, which leave those of that part there.

    Args:
        digit_set: The set.
        info: Where the model's weights come from.
    """
    return "all" if digit_set.divided_here and not may_know(digit_set, info) else "test"


def may_know(digit_set: DigitSet, info: ModelInfo) -> bool:
    """Return whether a model was trained on a set, or on what it was before it grew."""
    return info.data == digit_set.name or info.train_fingerprint == digit_set.train.fingerprint()


def part_named(digit_set: DigitSet, part: Part) -> Digits:
    """Return a part of a set."""
    if part == "all":
        return digit_set.all()
    return digit_set.test if part == "test" else digit_set.train


def spread(digits: Digits, count: int) -> NDArray[np.int64]:
    """Return which `count` pictures to show: the first ones, as the tutorial does.

    Pictures that come class by class, as from folders, are taken at even distances instead.
    """
    by_class = bool(np.all(digits.labels[1:] >= digits.labels[:-1]))
    if by_class and len(digits) > count:
        return np.linspace(0, len(digits) - 1, count).astype(np.int64)
    return np.arange(min(count, len(digits)))
