"""What `tendigits show` does: draw a model's answers into a file."""

from dataclasses import replace
from pathlib import Path

from tendigits.errors import DataNotFoundError, SettingError
from tendigits.evaluation.measure import Answers, answer
from tendigits.evaluation.metrics import worst_mistakes
from tendigits.evaluation.plots import prediction_figure, save_figure

MAX_COUNT = 500  # a hundred rows: a taller picture is more than many viewers open


def draw_answers(
    model: Path,
    *,
    count: int = 5,
    mistakes: bool = False,
    data: Path | None = None,
    device: str | None = None,
    out: Path | None = None,
) -> Path:
    """Draw pictures that a model has never seen, with what it reads in them.

    Args:
        model: A model file, or a run folder that holds one.
        count: The most pictures to draw, 1 to 500.
        mistakes: Draw what it reads wrong, the surest of the wrong answers first.
        data: Folder of the set; None for the MNIST inside the package.
        device: Where to compute; None for the best device here.
        out: The PNG file to write; None for ``show.png`` or ``mistakes.png`` beside the model.
            The figure of the run itself, ``predictions.png``, is left alone.

    Returns:
        The file that was written.

    Raises:
        SettingError: `count` is outside its range, or `out` is no name of a PNG file.
        DataNotFoundError: There are no mistakes to draw.
        TendigitsError: As `answer`.
        OSError: `out` cannot be written.
    """
    if not 1 <= count <= MAX_COUNT:
        raise SettingError(f"cannot draw {count} pictures: expected 1 to {MAX_COUNT}")
    answers = answer(model, data=data, device=device, limit=None if mistakes else count)
    if out is None:
        folder = model if model.is_dir() else model.parent
        out = folder / ("mistakes.png" if mistakes else "show.png")
    if mistakes:
        answers = _worst(answers, count)
    figure = prediction_figure(answers.digits, answers.logits, classes=answers.classes)
    save_figure(figure, out)
    return out


def _worst(answers: Answers, count: int) -> Answers:
    """Return the wrong ones of `answers`, the surest first, at most `count`."""
    indices = worst_mistakes(answers.logits, answers.digits.labels, count)
    if len(indices) == 0:
        raise DataNotFoundError(
            f"there are no mistakes to draw: all {len(answers.digits)} pictures were read right"
        )
    return replace(answers, digits=answers.digits.take(indices), logits=answers.logits[indices])
