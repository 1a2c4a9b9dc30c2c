"""What a finished run shows: the tutorial's figure and the report."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.data import DigitSet
from tendigits.evaluation.measure import spread
from tendigits.evaluation.plots import COLUMNS, prediction_figure, save_figure
from tendigits.evaluation.report import ReportContent, write_report
from tendigits.training.events import RunResult, RunStart
from tendigits.training.run_folder import RunFolder, RunSettings


def write_pages(
    folder: RunFolder,
    settings: RunSettings,
    digit_set: DigitSet,
    logits: NDArray[np.float32],
    start: RunStart,
    result: RunResult,
) -> None:
    """Write the figure and the report into the run folder.

    Args:
        folder: Of the run; its metrics give the learning curves.
        settings: What the run was asked to do.
        digit_set: The set that it was trained and tested on.
        logits: (N, 10), the trained network's answers to the test part.
        start: What was known when it began.
        result: What came out.

    Raises:
        RunFolderError: The file system refused, or the folder's environment cannot be read.
    """
    test = digit_set.test
    first = spread(test, COLUMNS)
    figure = prediction_figure(test.take(first), logits[first], classes=digit_set.classes)
    with folder.writing(folder.figure):
        save_figure(figure, folder.figure)
    content = ReportContent(
        recipe=result.recipe,
        seed=result.seed,
        parameters=start.parameters,
        train_seconds=result.train_seconds,
        data=digit_set.name,
        train_count=start.train_count,
        val_count=start.val_count,
        val_is_test=start.val_is_test,
        epochs=folder.read_metrics("epoch"),
        test=test,
        logits=logits,
        evaluation=result.test,
        settings=shown_settings(settings),
        environment=folder.read_environment(),
        classes=digit_set.classes,
    )
    with folder.writing(folder.report):
        write_report(folder.report, content)


def shown_settings(settings: RunSettings) -> dict[str, Any]:
    """Return the settings as the report lists them: the recipe's first, then the run's."""
    saved = settings.to_dict()
    return {**saved.pop("recipe"), **{name: saved[name] for name in saved if name != "format"}}
