"""The report of a run: one HTML file that holds everything it shows.

It works from a disk, offline and for ever: no script, nothing from elsewhere, and a content
security policy that would refuse both.
"""

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tendigits.atomic import write_text
from tendigits.data.digits import DIGIT_NAMES, Digits
from tendigits.errors import ExtraMissingError
from tendigits.evaluation import wording
from tendigits.evaluation.arguable import ArguableLabels, Doubt, read_arguable
from tendigits.evaluation.curves import Chart, draw_chart
from tendigits.evaluation.metrics import Evaluation, softmax_probs, worst_mistakes

try:
    import jinja2
    from markupsafe import Markup
except ImportError as error:
    raise ExtraMissingError("drawing", "train") from error

MISTAKES = 18  # pictures: whole rows on a desk (6) and on a phone (3)
ARGUABLE = 18  # pictures, likewise
HEAT_LEVELS = 6  # shades of the confusion matrix; report.css has as many
COMMON = 3  # confusions that are named in words


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportContent:
    """What a report tells.

    Attributes:
        recipe: The recipe's name.
        seed: Of the training.
        parameters: Numbers that training changed.
        train_seconds: From decoded data in memory to final weights.
        data: Name of the set.
        train_count: Training pictures.
        val_count: Pictures that each epoch was evaluated on.
        val_is_test: Those were the test pictures, as in the tutorial.
        epochs: A dict for each epoch: ``epoch``, ``train_loss``, ``train_accuracy``, ``val_loss``,
            ``val_accuracy``, ``seconds``, ``images_per_second``, ``learning_rate``; those of
            ``val`` may be missing.
        test: The test pictures and their labels, at least one.
        logits: (N, 10), the trained model's answers to them.
        evaluation: What those are worth.
        settings: The recipe's settings; values may be dicts.
        environment: Facts of the machine; values may be dicts.
        classes: What each of the ten labels stands for.
    """

    recipe: str
    seed: int
    parameters: int
    train_seconds: float
    data: str
    train_count: int
    val_count: int
    val_is_test: bool
    epochs: Sequence[Mapping[str, Any]]
    test: Digits
    logits: NDArray[np.floating[Any]]
    evaluation: Evaluation
    settings: Mapping[str, Any]
    environment: Mapping[str, Any]
    classes: Sequence[str] = DIGIT_NAMES


class Picture(NamedTuple):
    """A test picture and what the model read in it."""

    source: str  # a data URI
    label: int
    answer: int
    probs: list[float]


class ArguablePicture(NamedTuple):
    """A test picture whose label is doubted, and what the model of this run read in it."""

    source: str  # a data URI
    doubt: Doubt
    answer: int


class Confusion(NamedTuple):
    """How often pictures of one class were read as another."""

    label: int
    answer: int
    times: int


def write_report(path: Path, content: ReportContent) -> None:
    """Write the report to `path`, whole or not at all.

    Raises:
        OSError: The file system refused.
    """
    write_text(path, render_report(content))


def render_report(content: ReportContent) -> str:
    """Return the report as HTML."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": wording.percent,
        "per_10_000": wording.per_10_000,
        "sureness": wording.sureness,
        "duration": wording.duration,
        "name_class": wording.name_class,
        "flat": flat,
    }
    # Files of the package are not what a user gives: they are the only thing that is not escaped.
    style = Markup(_package_text("report.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    mistakes = worst_mistakes(content.logits, content.test.labels, MISTAKES)
    arguable = read_arguable()
    return environment.from_string(_package_text("report.html.j2")).render(
        content=content,
        measured=content.evaluation,
        interval=wording.interval_per_10_000(content.evaluation),
        style=style,
        style_sha256=digest,
        charts=learning_curves(content.epochs),
        heat=heat_levels(content.evaluation.confusion),
        common=common_confusions(content.evaluation.confusion),
        mistakes=pictures(content, mistakes),
        right=pictures(content, first_right(content)),
        arguable=arguable,
        doubted=arguable_pictures(content, arguable),
    )


def learning_curves(epochs: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Return the charts of loss and accuracy, or none if there are no epochs."""
    if not epochs:
        return []
    return [
        draw_chart("Loss (nats)", _series(epochs, "loss", 1), "{:.4f}".format),
        draw_chart("Accuracy (%)", _series(epochs, "accuracy", 100), "{:.2f} %".format),
    ]


def _series(
    epochs: Sequence[Mapping[str, Any]], key: str, scale: int
) -> dict[str, list[tuple[float, float]]]:
    """Return the values of ``train_<key>`` and, where it is known, ``val_<key>``."""
    series = {
        name: [
            (epoch["epoch"], scale * epoch[f"{name}_{key}"])
            for epoch in epochs
            if epoch.get(f"{name}_{key}") is not None
        ]
        for name in ("train", "val")
    }
    return {name: points for name, points in series.items() if points}


def heat_levels(confusion: NDArray[np.int64]) -> list[list[int]]:
    """Return how hot each cell of a confusion matrix is: 0 for none, 6 for the most mistakes.

    The right answers are left out, or nothing else would be seen; the root shows rare mistakes too.
    """
    wrong = confusion * ~np.eye(len(confusion), dtype=bool)
    levels: list[list[int]] = np.ceil(HEAT_LEVELS * np.sqrt(wrong / max(wrong.max(), 1))).tolist()
    return levels


def common_confusions(confusion: NDArray[np.int64]) -> list[Confusion]:
    """Return the most frequent mistakes, the most frequent first."""
    return [
        Confusion(label, answer, times)
        for (label, answer), times in Counter(dict(np.ndenumerate(confusion))).most_common()
        if label != answer and times
    ][:COMMON]


def first_right(content: ReportContent) -> NDArray[np.int64]:
    """Return for each class its first picture that was read right, where there is one."""
    right = np.flatnonzero(content.logits.argmax(axis=1) == content.test.labels)
    _, firsts = np.unique(content.test.labels[right], return_index=True)
    return right[firsts]


def pictures(content: ReportContent, indices: NDArray[np.int64]) -> list[Picture]:
    """Return the test pictures at `indices` with the model's answers."""
    chosen, probs = content.test.take(indices), softmax_probs(content.logits[indices])
    return [
        Picture(data_uri(image), int(label), int(row.argmax()), row.tolist())
        for image, label, row in zip(chosen.images, chosen.labels, probs, strict=True)
    ]


def arguable_pictures(content: ReportContent, arguable: ArguableLabels) -> list[ArguablePicture]:
    """Return the test pictures whose label is doubted most; none where the set is not MNIST."""
    return [
        ArguablePicture(
            source=data_uri(content.test.images[doubt.index]),
            doubt=doubt,
            answer=int(content.logits[doubt.index].argmax()),
        )
        for doubt in arguable.about(content.test, "test")[:ARGUABLE]
    ]


def data_uri(image: NDArray[np.uint8]) -> str:
    """Return a picture, (H, W), as a PNG inside a URI."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings in words, those inside other settings with both names.

    >>> flat({"lr": 0.001, "final_lr": 0.0, "model": {"hidden": (256, 128), "std": None}})
    {'lr': '0.001', 'final lr': '0.0', 'model hidden': '256, 128', 'model std': 'none'}
    """
    words: dict[str, str] = {}
    for name, value in settings.items():
        name = name.replace("_", " ")
        if isinstance(value, Mapping):
            words |= {f"{name} {inner}": text for inner, text in flat(value).items()}
        elif isinstance(value, list | tuple):
            words[name] = ", ".join(str(item) for item in value)
        else:
            words[name] = "none" if value is None else str(value)
    return words


def _package_text(name: str) -> str:
    """Return a text file of this package."""
    return (resources.files("tendigits.evaluation") / name).read_text("utf-8")
