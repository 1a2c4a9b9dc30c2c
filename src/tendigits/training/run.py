"""A run: a recipe trained on a set, watched, checkpointed, evaluated, and told in a report."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tendigits.data import Digits, DigitSet, open_data
from tendigits.environment import available_cores, computes_in_bfloat16, describe_device
from tendigits.errors import DivergedError, InterruptedTrainingError, RunFolderError
from tendigits.evaluation.metrics import Evaluation, evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.models import count_parameters
from tendigits.training.batches import Batches
from tendigits.training.checkpoint import (
    finished_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from tendigits.training.events import EpochReport, Observer, RunResult, RunStart, StepReport
from tendigits.training.loop import check_finite, count_steps, train_steps
from tendigits.training.pages import write_pages
from tendigits.training.recipe import Recipe, learning_rate
from tendigits.training.run_folder import RunFolder, RunSettings, create_run_folder
from tendigits.training.state import TrainingState
from tendigits.training.stopwatch import Stopwatch
from tendigits.weights import ModelInfo, save_model

SHOW_SECONDS = 0.1  # least time between two reports of progress


def start_run(
    settings: RunSettings,
    runs: Path,
    *,
    observer: Observer | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Train as `settings` say, in a new run folder.

    Args:
        settings: What to do.
        runs: The folder of all runs.
        observer: Told of everything that happens.
        should_stop: Asked after each step; True ends training tidily.

    Raises:
        DataError: The set cannot be used.
        SettingError: The settings do not fit the set.
        DivergedError: The loss stopped being finite.
        CheckpointError: A checkpoint could not be written.
        InterruptedTrainingError: `should_stop` said so; the run can be resumed.
    """
    digit_set = open_data(settings.data)
    train, _ = divide(digit_set, settings.hold_out)
    settings = replace(
        settings,
        recipe=settle_precision(settings.recipe, settings.device),
        train_fingerprint=digit_set.train.fingerprint(),
    )
    Batches(train, batch_size=settings.recipe.batch_size, seed=settings.seed)  # do they fit?
    folder = create_run_folder(runs, settings)
    return Run(folder, settings, digit_set, observer or Observer(), should_stop).finish()


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
        RunFolderError: It is no run folder, or its set is no longer what it was.
        CheckpointError: No checkpoint of it is whole.
        DataError: The set cannot be used.
    """
    folder = RunFolder(path)
    settings = folder.read_settings()
    digit_set = open_data(settings.data)
    if digit_set.train.fingerprint() != settings.train_fingerprint:
        raise RunFolderError(
            f"the pictures in {settings.data or 'the package'} are not those that {path} was "
            "trained on: put them back, or train again from the start"
        )
    return Run(folder, settings, digit_set, observer or Observer(), should_stop).finish()


def settle_precision(recipe: Recipe, device: str) -> Recipe:
    """Return `recipe` with the precision that ``auto`` means on `device`."""
    if recipe.precision != "auto":
        return recipe
    native = computes_in_bfloat16(torch.device(device))
    return replace(recipe, precision="bfloat16" if native else "float32")


def divide(digit_set: DigitSet, hold_out: int) -> tuple[Digits, Digits]:
    """Return the pictures to train on and those that each epoch is evaluated on."""
    if hold_out:
        return digit_set.train.hold_out(hold_out)
    return digit_set.train, digit_set.test


class Run:
    """A run in its folder, from its last checkpoint or from nothing.

    Args:
        folder: Its folder.
        settings: What it was asked to do.
        digit_set: The set that the settings name.
        observer: Told of everything that happens.
        should_stop: Asked after each step.
    """

    def __init__(
        self,
        folder: RunFolder,
        settings: RunSettings,
        digit_set: DigitSet,
        observer: Observer,
        should_stop: Callable[[], bool],
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.recipe = settings.recipe
        self.digit_set = digit_set
        self.observer = observer
        self.should_stop = should_stop
        torch.set_num_threads(settings.threads)
        train, self.val = divide(digit_set, settings.hold_out)
        checkpoint = load_checkpoint(folder.checkpoint)
        self.stopwatch = Stopwatch()  # the data is in memory: training time begins
        self.batches = Batches(
            train,
            batch_size=self.recipe.batch_size,
            seed=settings.seed,
            drop_last=self.recipe.drop_last,
            device=settings.device,
        )
        self.state = TrainingState(self.recipe, settings.seed, settings.device)
        if checkpoint is not None:
            self.state.restore(checkpoint)
            self.stopwatch.elapsed += self.state.seconds
        self.total_steps = count_steps(self.recipe, self.batches)
        self.epochs = -(-self.total_steps // self.batches.steps_per_epoch)  # the last one in part
        self.rate = Rate(self.stopwatch)
        self.shown_at = self.saved_at = self.stopwatch.seconds
        self.test_logits: NDArray[np.float32] | None = None  # of the weights as they are

    def finish(self) -> RunResult:
        """Train what is left, evaluate, and write the model and the report."""
        start = self._announce()
        self.folder.truncate_metrics(self.state.metrics_bytes)
        try:
            while self.state.step < self.total_steps or self.state.seen:
                self._train_epoch()
        except DivergedError as error:
            raise DivergedError(f"{error}; {self._name_last_checkpoint()}") from error
        self.stopwatch.stop()
        self._save()
        return self._conclude(start)

    def _announce(self) -> RunStart:
        """Tell the observer what is about to happen, and return it."""
        if self.settings.threads > available_cores():
            self.observer.note(
                f"{self.settings.threads} threads on {available_cores()} cores: "
                "more threads than cores make training slower"
            )
        start = RunStart(
            folder=self.folder.path,
            recipe=self.recipe.name,
            seed=self.settings.seed,
            device=describe_device(self.state.device),
            threads=self.settings.threads,
            parameters=count_parameters(self.state.model),
            data=self.digit_set.name,
            train_count=len(self.batches.labels),
            val_count=len(self.val),
            val_is_test=self.val is self.digit_set.test,
            step=self.state.step,
            total_steps=self.total_steps,
            epochs=self.epochs,
        )
        self.observer.start(start)
        return start

    def _train_epoch(self) -> None:
        """Train to the end of the epoch, evaluate, report."""
        epoch_end = (self.state.epochs_done + 1) * self.batches.steps_per_epoch
        self.rate.restart(self.state.seen)
        until = min(epoch_end, self.total_steps)
        train_steps(self.state, self.batches, self.recipe, until, after_step=self._after_step)
        images_per_second = self.rate.images_per_second(self.state.seen)
        with self.stopwatch.paused():
            check_finite(self.state.loss_sum, self.state.step)
            logits = predict_logits(self.state.model, self.val.images, device=self.state.device)
            self.test_logits = logits if self.val is self.digit_set.test else None
            self._report_epoch(evaluate_logits(logits, self.val.labels), images_per_second)
            self.state.epochs_done += 1
            self.state.reset_sums()

    def _report_epoch(self, val: Evaluation, images_per_second: float) -> None:
        """Write the epoch into the metrics and tell the observer."""
        report = EpochReport(
            epoch=self.state.epochs_done + 1,
            epochs=self.epochs,
            step=self.state.step,
            train_loss=self.state.mean_loss(),
            train_accuracy=self.state.mean_accuracy(),
            val_loss=val.loss,
            val_accuracy=val.accuracy,
            seconds=self.stopwatch.seconds,
            images_per_second=images_per_second,
            learning_rate=learning_rate(self.recipe, self.state.step - 1, self.total_steps),
        )
        self.state.metrics_bytes = self.folder.append_metrics(report.to_dict())
        self.observer.epoch(report)

    def _after_step(self) -> None:
        """Show progress, save and stop, each when it is time."""
        seconds = self.stopwatch.seconds
        if seconds - self.shown_at >= SHOW_SECONDS:
            self.shown_at = seconds
            self.observer.step(self._progress())
        if self.should_stop():
            self._save()
            raise InterruptedTrainingError(
                f"stopped after step {self.state.step} of {self.total_steps}; "
                f"continue with: tendigits train --resume '{self.folder.path}'"
            )
        if seconds - self.saved_at >= self.settings.checkpoint_seconds:
            self._save()

    def _progress(self) -> StepReport:
        """Return how far the training is."""
        images_per_second = self.rate.images_per_second(self.state.seen)
        images_left = (self.total_steps - self.state.step) * self.recipe.batch_size
        return StepReport(
            step=self.state.step,
            total_steps=self.total_steps,
            epoch=self.state.epochs_done + 1,
            train_loss=self.state.mean_loss(),
            images_per_second=images_per_second,
            seconds=self.stopwatch.seconds,
            seconds_left=images_left / images_per_second,
        )

    def _save(self) -> None:
        """Write a checkpoint of this instant."""
        check_finite(self.state.loss_sum, self.state.step)
        self.state.seconds = self.stopwatch.seconds
        save_checkpoint(self.folder.checkpoint, self.state.checkpoint())
        self.saved_at = self.stopwatch.seconds

    def _name_last_checkpoint(self) -> str:
        """Return words for where the last good weights are."""
        names = finished_checkpoints(self.folder.checkpoint)
        return f"the last good checkpoint is {names[0]}" if names else "no checkpoint was made yet"

    def _conclude(self, start: RunStart) -> RunResult:
        """Write the model, the figures and the report of the trained network."""
        info = ModelInfo(
            recipe=self.recipe.name,
            seed=self.settings.seed,
            data=self.digit_set.name,
            train_fingerprint=self.settings.train_fingerprint,
        )
        save_model(self.folder.model, self.state.model, self.recipe.model, info)
        test = self.digit_set.test
        if self.test_logits is None:
            self.test_logits = predict_logits(
                self.state.model, test.images, device=self.state.device
            )
        result = RunResult(
            folder=self.folder.path,
            recipe=self.recipe.name,
            seed=self.settings.seed,
            test=evaluate_logits(self.test_logits, test.labels),
            train_seconds=self.stopwatch.seconds,
        )
        self.folder.append_metrics(result.to_dict())
        write_pages(self.folder, self.settings, self.digit_set, self.test_logits, start, result)
        self.observer.done(result)
        return result


class Rate:
    """How many pictures a second are trained on.

    Args:
        stopwatch: Of the training.
    """

    def __init__(self, stopwatch: Stopwatch) -> None:
        self.stopwatch = stopwatch
        self.restart(0)

    def restart(self, images: int) -> None:
        """Count anew, from `images` on."""
        self._images, self._seconds = images, self.stopwatch.seconds

    def images_per_second(self, images: int) -> float:
        """Return the rate since the restart, when `images` have been seen."""
        return (images - self._images) / max(self.stopwatch.seconds - self._seconds, 1e-9)
