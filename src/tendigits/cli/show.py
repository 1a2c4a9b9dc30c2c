"""`tendigits show`: the tutorial's figure, drawn from a model's answers; or arguable labels."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tendigits.cli.options import DataFolder, Device
from tendigits.environment import require_torch
from tendigits.errors import SettingError

COUNT = 5  # pictures, as in the tutorial
ARGUABLE_COUNT = 20  # pictures of each part: two rows


def show(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A model file, or a run folder; none with --arguable.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            help="Pictures to draw, at most 500; of each part with --arguable.",
            show_default=f"{COUNT}, or {ARGUABLE_COUNT} with --arguable",
        ),
    ] = None,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Draw what it reads wrong, the surest first.")
    ] = False,
    arguable: Annotated[
        bool,
        typer.Option(
            "--arguable",
            help="Draw those of MNIST whose label is doubted most by networks that were not "
            "trained on them.",
        ),
    ] = False,
    data: DataFolder = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="PNG file to write.",
            show_default="show.png or mistakes.png beside the model; arguable.png here",
            readable=False,
        ),
    ] = None,
    device: Device = None,
    window: Annotated[
        bool | None,
        typer.Option(
            "--window/--no-window",
            help="Open the figure, where there is a screen.",
            show_default="in a terminal",
        ),
    ] = None,
) -> None:
    """Draw pictures with a model's answers.

    Each is titled `Pred: 7, Label: 7`; the wrong ones are marked.
    """
    if arguable:
        if model or mistakes or data or device:
            raise SettingError(
                "--arguable shows MNIST's labels, not a model's answers: give --count, --out and "
                "--window only"
            )
        path = _draw_arguable(count, out)
    elif model is None:
        raise SettingError(
            "there is no model to show: name a model file or a run folder, as in `tendigits show "
            "runs/001-cnn`, or give --arguable"
        )
    else:
        path = _draw_answers(model, count, out, mistakes=mistakes, data=data, device=device)
    print(path)
    if window if window is not None else sys.stdout.isatty():
        from tendigits.evaluation.window import open_window

        open_window(path)


def _draw_arguable(count: int | None, out: Path | None) -> Path:
    """Draw labels of MNIST that are doubted; with neither torch nor matplotlib."""
    from tendigits.evaluation.gallery import draw_arguable

    return draw_arguable(
        count=ARGUABLE_COUNT if count is None else count, out=out or Path("arguable.png")
    )


def _draw_answers(
    model: Path,
    count: int | None,
    out: Path | None,
    *,
    mistakes: bool,
    data: Path | None,
    device: str | None,
) -> Path:
    """Draw a model's answers."""
    require_torch()
    from tendigits.evaluation.show import draw_answers

    return draw_answers(
        model,
        count=COUNT if count is None else count,
        mistakes=mistakes,
        data=data,
        device=device,
        out=out,
    )
