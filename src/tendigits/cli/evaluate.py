"""`tendigits evaluate`: a model's figures on pictures that it has never seen."""

from pathlib import Path
from typing import Annotated

import typer

from tendigits.cli.options import DataFolder, Device
from tendigits.environment import require_torch


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.", readable=False)],
    data: DataFolder = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="test, train or all.", show_default="the largest part the model never saw"
        ),
    ] = None,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a model on what it has not seen.

    Accuracy, errors with a 95 % interval, loss, precision and recall of each class, confusions.
    """
    require_torch()
    import json

    from tendigits.cli.figures import print_figures
    from tendigits.evaluation.measure import answer

    answers = answer(model, data=data, part=part, device=device)
    if as_json:
        print(json.dumps(answers.to_dict(), allow_nan=False))
    else:
        print_figures(answers)
