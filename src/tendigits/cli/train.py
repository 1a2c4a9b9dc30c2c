"""`tendigits train`: a recipe, a set, a run folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tendigits.cli.options import DataFolder, Device
from tendigits.environment import require_torch
from tendigits.errors import SettingError

if TYPE_CHECKING:
    from tendigits.training import Recipe, RunResult, RunSettings

CHECKPOINT_SECONDS = 30.0  # a crash costs at most this much training


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="article-mlp, article-cnn, cnn, fast, fast-99.4, fast-99.7, member, forms, "
            "small or best.",
            show_default="cnn",
        ),
    ] = None,
    data: DataFolder = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Run folder to go on with, exactly where it stopped.", readable=False),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes everything random.", show_default="0")] = (
        None
    ),
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the set, instead of the recipe's.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Pictures a step, instead of the recipe's.")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Highest learning rate, instead of the recipe's.")
    ] = None,
    hold_out: Annotated[
        int | None,
        typer.Option(
            help="Training pictures to hold out and evaluate epochs on, not the test set: "
            "5000 for choices between recipes.",
            show_default="the recipe's",
        ),
    ] = None,
    device: Device = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads on the processor.", show_default="one a core")
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(help="Folder of all run folders.", show_default="runs", readable=False),
    ] = None,
    checkpoint_seconds: Annotated[
        float | None,
        typer.Option(help="Time between checkpoints.", show_default=str(CHECKPOINT_SECONDS)),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each event.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events ([track]) too.")
    ] = False,
) -> None:
    """Train a network, evaluate it, and write a run folder with its model, figure and report.

    A training that is asked to stop (Ctrl-C, SIGTERM), or whose output nobody reads any more, makes
    a checkpoint, says how to go on, and ends with exit code 130.
    """
    require_torch()
    from tendigits.training import DEFAULT_RECIPE, changed, recipe_named, resume_run, start_run

    fixed = (recipe, data, seed, epochs, batch_size, lr, hold_out, device, threads, runs)
    if resume and any(value is not None for value in (*fixed, checkpoint_seconds)):
        raise SettingError("a resumed run keeps its settings: give --resume RUN and no others")
    if resume:
        work = partial(resume_run, resume)
    else:
        named = recipe_named(recipe or DEFAULT_RECIPE)
        settings = _settle(
            changed(named, epochs=epochs, batch_size=batch_size, lr=lr),
            seed=seed,
            data=data,
            hold_out=hold_out,
            device=device,
            threads=threads,
            checkpoint_seconds=checkpoint_seconds,
        )
        work = partial(
            start_run,
            settings,
            runs or Path("runs"),
            fit_batch_size=batch_size is None,
            fit_hold_out=hold_out is None,
        )
    _watch(work, quiet=quiet, json=json, tensorboard=tensorboard)


def _settle(
    recipe: "Recipe",
    *,
    seed: int | None,
    data: Path | None,
    hold_out: int | None,
    device: str | None,
    threads: int | None,
    checkpoint_seconds: float | None,
) -> "RunSettings":
    """Return the settings of a new run, each that was not given as it is by default."""
    from tendigits.environment import available_cores, choose_device
    from tendigits.training import RunSettings

    return RunSettings(
        recipe=recipe,
        seed=seed or 0,
        data=data,
        hold_out=recipe.hold_out if hold_out is None else hold_out,
        device=str(choose_device(device)),
        threads=available_cores() if threads is None else threads,
        checkpoint_seconds=CHECKPOINT_SECONDS if checkpoint_seconds is None else checkpoint_seconds,
    )


def _watch(work: "Callable[..., RunResult]", *, quiet: bool, json: bool, tensorboard: bool) -> None:
    """Show a training while it goes on, and stop it when that is asked for.

    Args:
        work: The training; it takes an ``observer`` and ``should_stop``.
        quiet: Show nothing.
        json: Show lines of JSON.
        tensorboard: Write events as well.
    """
    from tendigits.cli.progress import choose_display
    from tendigits.training import Observers
    from tendigits.training.interrupt import stop_on_signal
    from tendigits.training.track import TensorBoardObserver

    display = choose_display(quiet=quiet, json=json)
    observer = Observers([display, TensorBoardObserver()]) if tensorboard else display
    with stop_on_signal() as is_asked_to_stop, display:
        work(observer=observer, should_stop=lambda: is_asked_to_stop() or display.is_unread)
