"""`tendigits show`: the tutorial's figure, drawn from a model's answers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tendigits.environment import require_torch


def show(
    model: Annotated[Path, typer.Argument(help="A model file, or a run folder.", readable=False)],
    count: Annotated[int, typer.Option(help="Pictures to draw, at most 500.")] = 5,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Draw what it reads wrong, the surest first.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of IDX files, or of pictures with a sub-folder for each digit.",
            show_default="the MNIST inside the package",
            readable=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="PNG file to write.",
            show_default="show.png or mistakes.png beside the model",
            readable=False,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="cuda, mps, xpu or cpu.", show_default="the first of these that is here"),
    ] = None,
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
    require_torch()
    from tendigits.evaluation.show import draw_answers, open_window

    path = draw_answers(model, count=count, mistakes=mistakes, data=data, device=device, out=out)
    print(path)
    if window if window is not None else sys.stdout.isatty():
        open_window(path)
