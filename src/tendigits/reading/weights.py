"""What each measure of a step counts for: fitted numbers, kept beside the network they suit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import WeightsError
from tendigits.reading.candidates import (
    DIGIT_MEASURES,
    FORM_MEASURES,
    SKIP_MEASURES,
    Candidates,
    log_softmax,
    measure_logits,
)
from tendigits.reading.lattice import Lattice

FITTED = Path(__file__).parent / "fitted.json"  # written by `python -m benchmarks.fit_reading`


SCORE_MEASURES = ("lattice", "line network", "digits", "nothing at all")
FIELD_MEASURES = ("log-odds", "lattice", "line network", "always")
SURE_MEASURES = ("log-odds", "least digit", "always")
ONE_MEASURES = ("log-odds", "lattice", "line network", "always")


@dataclass(frozen=True, kw_only=True, eq=False)
class JointWeights:
    """The weights of two readers of one line, of the lattice and of the network over the line.

    Attributes:
        score: (4,) float64, of `SCORE_MEASURES`: a text's log-chances by both, how many digits it
            has, and whether it has none.
        field: (4,) float64, of `FIELD_MEASURES`: what the log-odds of the answer's confidence are
            made of: its log-odds among all texts, and its log-chances by both.
        sure: (3,) float64, of `SURE_MEASURES`: the same where the line network is sure enough to
            be alone: its log-odds after further looks, and `answers.least_chance`.
    """

    score: NDArray[np.float64]
    field: NDArray[np.float64]
    sure: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON knows them."""
        return {
            "score": dict(zip(SCORE_MEASURES, self.score.tolist(), strict=True)),
            "field": dict(zip(FIELD_MEASURES, self.field.tolist(), strict=True)),
            "sure": dict(zip(SURE_MEASURES, self.sure.tolist(), strict=True)),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "JointWeights":
        """Return what `to_dict` was called on; raises KeyError, TypeError or ValueError."""
        return cls(
            score=np.array([float(fields["score"][name]) for name in SCORE_MEASURES]),
            field=np.array([float(fields["field"][name]) for name in FIELD_MEASURES]),
            sure=np.array([float(fields["sure"][name]) for name in SURE_MEASURES]),
        )


def even_weights() -> JointWeights:
    """Return weights that trust both readers alike."""
    return JointWeights(
        score=np.array([0.5, 0.5, 0, 0]),
        field=np.array([1.0, 0, 0, 0]),
        sure=np.array([1.0, 0, 0]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """The weights of a `Lattice`'s scores, and of the confidence that comes out.

    Attributes:
        recognition: Of the logarithm of a digit's probability; below 1 it trusts the network less.
        digit: (12,) float64, of `DIGIT_MEASURES`.
        form: (5, 10) float64, of `FORM_MEASURES`, for each digit.
        skip: (7,) float64, of `SKIP_MEASURES`.
        field: Slope and offset that make the log-odds of a whole field calibrated.
        single: The same for a digit.
        one: (4,) float64, of `ONE_MEASURES`: what the log-odds of a line of one digit are made of.
        own: The same where the network of single digits is somebody's own, and decides alone.
        joint: How much the lattice and the line network count for.
    """

    recognition: float
    digit: NDArray[np.float64]
    form: NDArray[np.float64]
    skip: NDArray[np.float64]
    field: tuple[float, float] = (1.0, 0.0)
    single: tuple[float, float] = (1.0, 0.0)
    one: NDArray[np.float64] = dataclass_field(default_factory=lambda: np.array([1.0, 0, 0, 0]))
    own: NDArray[np.float64] = dataclass_field(default_factory=lambda: np.array([1.0, 0, 0, 0]))
    joint: JointWeights = dataclass_field(default_factory=even_weights)

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON knows them, each number by its name."""
        return {
            "recognition": self.recognition,
            "digit": dict(zip(DIGIT_MEASURES, self.digit.tolist(), strict=True)),
            "form": dict(zip(FORM_MEASURES, self.form.tolist(), strict=True)),
            "skip": dict(zip(SKIP_MEASURES, self.skip.tolist(), strict=True)),
            "field": list(self.field),
            "single": list(self.single),
            "one": dict(zip(ONE_MEASURES, self.one.tolist(), strict=True)),
            "own": dict(zip(ONE_MEASURES, self.own.tolist(), strict=True)),
            "joint": self.joint.to_dict(),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Weights":
        """Return what `to_dict` was called on.

        Raises:
            WeightsError: A number is missing, or is none.
        """
        try:
            return cls(
                recognition=float(fields["recognition"]),
                digit=np.array([float(fields["digit"][name]) for name in DIGIT_MEASURES]),
                form=np.array([fields["form"][name] for name in FORM_MEASURES], np.float64),
                skip=np.array([float(fields["skip"][name]) for name in SKIP_MEASURES]),
                field=(float(fields["field"][0]), float(fields["field"][1])),
                single=(float(fields["single"][0]), float(fields["single"][1])),
                one=np.array([float(fields["one"][name]) for name in ONE_MEASURES]),
                own=np.array([float(fields["own"][name]) for name in ONE_MEASURES]),
                joint=JointWeights.from_dict(fields["joint"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise WeightsError(
                f"these are no weights for reading ({type(error).__name__}: {error}): expected "
                "what `python -m benchmarks.fit_reading` writes"
            ) from error


def load_weights(path: Path = FITTED) -> Weights:
    """Return the weights in a file.

    Raises:
        WeightsError: The file is not there or holds none.
    """
    try:
        fields = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read as JSON ({error})") from error
    return Weights.from_dict(fields)


def weigh(candidates: Candidates, logits: NDArray[np.float32], weights: Weights) -> Lattice:
    """Return the scored steps through a line.

    Args:
        candidates: K of them.
        logits: (K, 10) float32, the network's answers to their pictures.
        weights: Of each measure.
    """
    measures = np.hstack([candidates.shapes, measure_logits(logits)])
    digits = weights.recognition * log_softmax(logits) if len(logits) else np.zeros((0, 10))
    return Lattice(
        steps=candidates.steps,
        digits=digits + candidates.forms @ weights.form + (measures @ weights.digit)[:, None],
        skips=candidates.skips @ weights.skip,
    )
