"""How a run begins and how it goes on: the settings, the set and the folder, before any step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from tendigits.data import open_data
from tendigits.environment import choose_device, computes_in_bfloat16
from tendigits.errors import RunFolderError, UsageError
from tendigits.registry import shipped_file, shipped_models
from tendigits.training.batches import Batches
from tendigits.training.events import Observer, RunResult
from tendigits.training.own_data import require_digits
from tendigits.training.recipe import Recipe
from tendigits.training.run_folder import RunFolder, RunSettings, create_run_folder
from tendigits.training.trainer import Run, divide

HELD_OUT_PART = 12  # a twelfth is held out at most: 5,000 of MNIST's 60,000


def start_run(
    settings: RunSettings,
    runs: Path,
    *,
    fit_batch_size: bool = False,
    fit_hold_out: bool = False,
    observer: Observer | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Train as `settings` say, in a new run folder.

    Args:
        settings: What to do.
        runs: The folder of all runs.
        fit_batch_size: Train on all pictures at once where they are fewer than a batch.
        fit_hold_out: Hold out no more than a twelfth of the pictures.
        observer: Told of everything that happens.
        should_stop: Asked after each step; True ends training tidily.

    Raises:
        DataError: The set cannot be used.
        SettingError: The settings do not fit the set.
        UnknownNameError: The recipe's teacher is no shipped model.
        WeightsError: The teacher's file is not the one that was shipped.
        DivergedError: The loss stopped being finite.
        RunFolderError: A file of the run could not be written.
        CheckpointError: A checkpoint could not be written.
        InterruptedTrainingError: `should_stop` said so; the run can be resumed.
    """
    observer = observer or Observer()
    digit_set = open_data(settings.data)
    if fit_hold_out:
        most = len(digit_set.train) // HELD_OUT_PART
        settings = replace(settings, hold_out=min(settings.hold_out, most))
    train, _ = divide(digit_set, settings.hold_out)
    recipe = settle_precision(settings.recipe, settings.device)
    if fit_batch_size and recipe.batch_size > len(train):
        observer.note(
            f"all {len(train)} training pictures make one batch: the recipe's are of "
            f"{recipe.batch_size}"
        )
        recipe = replace(recipe, batch_size=len(train))
    Batches(train, batch_size=recipe.batch_size, seed=settings.seed)  # do they fit?
    if recipe.teacher:
        shipped_file(recipe.teacher, "safetensors")  # is it there, and whole?
    if settings.data is not None:
        require_digits(recipe, train)
    settings = replace(
        settings,
        recipe=recipe,
        data=settings.data and settings.data.resolve(),  # a resume may come from anywhere
        train_fingerprint=digit_set.train.fingerprint(),
        teacher_sha256=teacher_sha256(recipe),
    )
    folder = create_run_folder(runs, settings)
    with folder.locked():
        return Run(folder, settings, digit_set, observer, should_stop).finish()


def resume_run(
    path: Path,
    *,
    observer: Observer | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Go on with the run in the folder `path`, exactly where its last checkpoint is.

    Args:
        path: The run folder.
        observer: Told of everything that happens.
        should_stop: Asked after each step; True ends training tidily.

    Raises:
        RunFolderError: It is no run folder, another process is training it, its device is not here,
            its set or its teacher is no longer what it was, or a file of it could not be written.
        CheckpointError: No checkpoint of it is whole.
        DataError: The set cannot be used.
        WeightsError: The teacher's file is not the one that was shipped.
    """
    folder = RunFolder(path)
    settings = folder.read_settings()
    check_device(path, settings.device)
    digit_set = open_data(settings.data)
    if digit_set.train.fingerprint() != settings.train_fingerprint:
        raise RunFolderError(
            f"the pictures in {settings.data or 'the package'} are not those that {path} was "
            "trained on, or an earlier tendigits divided them otherwise: put them back, or train "
            "again from the start"
        )
    if teacher_sha256(settings.recipe) != settings.teacher_sha256:
        raise RunFolderError(
            f"the model {settings.recipe.teacher!r} that taught {path} is not in this version of "
            "tendigits: continue it with the version that began it, or train again"
        )
    with folder.locked():
        return Run(folder, settings, digit_set, observer or Observer(), should_stop).finish()


def teacher_sha256(recipe: Recipe) -> str:
    """Return the sha256 of the file of a recipe's teacher; empty for none that is shipped."""
    teacher = shipped_models().get(recipe.teacher)
    return teacher.sha256["safetensors"] if teacher else ""


def check_device(path: Path, device: str) -> None:
    """Raise a `RunFolderError` where the `device` that the run in `path` began on is not here."""
    try:
        choose_device(device)
    except UsageError as error:
        raise RunFolderError(
            f"{path} cannot be continued here: {error}; go on where it began, or train again"
        ) from error


def settle_precision(recipe: Recipe, device: str) -> Recipe:
    """Return `recipe` with the precision that ``auto`` means on `device`."""
    if recipe.precision != "auto":
        return recipe
    native = computes_in_bfloat16(torch.device(device))
    return replace(recipe, precision="bfloat16" if native else "float32")
