"""The tutorial's figure: pictures in a row, each titled with the answer and the label."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.atomic import atomic_writer
from tendigits.data.digits import DIGIT_NAMES, Digits
from tendigits.errors import ExtraMissingError, SettingError
from tendigits.evaluation.metrics import softmax_probs
from tendigits.evaluation.wording import sureness
from tendigits.imaging.png import require_png

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
except ImportError as error:
    raise ExtraMissingError("drawing", "train") from error

COLUMNS = 5  # as in the tutorial
TILE_INCHES = (1.8, 2.15)  # width and height of a picture with its title and caption
PAD_INCHES = 0.08  # around each picture
TITLE_LENGTH = 22  # characters that fit above a picture
DPI = 150
WRONG = "#b3400f"  # vermilion: told from black by the colour-blind too, and 5.7:1 on white
WRONG_SIGN = "✗"
QUIET = "#595959"  # 7:1 on white


def prediction_figure(
    digits: Digits,
    logits: NDArray[np.floating[Any]],
    *,
    classes: Sequence[str] = DIGIT_NAMES,
) -> Figure:
    """Draw pictures with what a model reads in them, five to a row.

    Each is titled as in the tutorial, ``Pred: 7, Label: 7``, and captioned with how sure the model
    is. A wrong answer has a frame, a title in colour and a ✗.

    Args:
        digits: N pictures and labels, at least one.
        logits: (N, 10), the model's answers.
        classes: What each of the ten labels stands for.

    Raises:
        SettingError: There are no pictures.
    """
    if len(digits) == 0:
        raise SettingError("there are no pictures to draw: expected at least 1")
    rows = -(-len(digits) // COLUMNS)
    columns = min(len(digits), COLUMNS)
    width, height = TILE_INCHES
    figure = Figure(
        figsize=(columns * width, rows * height),
        dpi=DPI,
        layout=ConstrainedLayoutEngine(w_pad=PAD_INCHES, h_pad=PAD_INCHES),
    )
    places = figure.subplots(rows, columns, squeeze=False).flat
    probs = softmax_probs(logits)
    for index, axes in enumerate(places):
        if index < len(digits):
            image, label = digits.images[index], int(digits.labels[index])
            _draw_answer(axes, image, label, probs[index], classes)
        else:
            axes.set_axis_off()
    return figure


def _draw_answer(
    axes: Axes,
    image: NDArray[np.uint8],
    label: int,
    probs: NDArray[np.float64],
    classes: Sequence[str],
) -> None:
    """Draw one picture, (28, 28), with its title, caption and mark."""
    answer = int(probs.argmax())
    wrong = answer != label
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    title = f"Pred: {classes[answer]}, Label: {classes[label]}"
    if len(title) > TITLE_LENGTH:
        title = title.replace(", Label", ",\nLabel")
    axes.set_title(title, fontsize=10, color=WRONG if wrong else "black", parse_math=False)
    axes.set_xlabel(sureness(float(probs[answer])), fontsize=8, color=QUIET)
    axes.spines[:].set(color=WRONG if wrong else "none", linewidth=3)
    if wrong:
        axes.text(
            0.96,
            0.96,
            WRONG_SIGN,
            transform=axes.transAxes,
            ha="right",
            va="top",
            color="white",
            fontsize=11,
            bbox={"facecolor": WRONG, "edgecolor": "none", "boxstyle": "circle,pad=0.25"},
        )


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` to `path` as PNG, whole or not at all.

    Raises:
        SettingError: The name does not end in ``.png``.
        OSError: The file system refused.
    """
    require_png(path)
    with atomic_writer(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})
