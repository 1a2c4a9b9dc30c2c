"""A run in its folder: trained, watched, checkpointed, evaluated, and told in a report."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tendigits.data import Digits, DigitSet
from tendigits.environment import available_cores, describe_device
from tendigits.errors import DataFormatError, DivergedError, InterruptedTrainingError
from tendigits.evaluation.confidence import Calibration, calibrate
from tendigits.evaluation.metrics import Evaluation, evaluate_logits
from tendigits.evaluation.predict import evaluation_mode, predict_logits
from tendigits.models import count_parameters
from tendigits.training.advice import resume_command
from tendigits.training.batches import Batches
from tendigits.training.checkpoint import checkpoint_path, load_checkpoint, save_checkpoint
from tendigits.training.events import EpochReport, Observer, RunResult, RunStart, StepReport
from tendigits.training.examples import Examples, join_made
from tendigits.training.loop import check_finite, count_steps, train_steps
from tendigits.training.memory import keep_freed_memory
from tendigits.training.pages import write_pages
from tendigits.training.rate import Rate
from tendigits.training.recipe import learning_rate
from tendigits.training.run_folder import RunFolder, RunSettings
from tendigits.training.state import TrainingState
from tendigits.training.stopwatch import Stopwatch
from tendigits.weights import ModelInfo, save_model

SHOW_SECONDS = 0.1  # least time between two reports of progress


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
        keep_freed_memory()
        train, self.val = divide(digit_set, settings.hold_out)
        self.class_counts = train.class_counts()
        checkpoint = load_checkpoint(folder.checkpoint)
        self.saved_step = None if checkpoint is None else checkpoint.step
        self.stopwatch = Stopwatch()  # the data is in memory: training time begins
        self.train_count = len(train)
        self.examples = Examples(self.recipe, train, settings.device)
        self.batches = Batches(
            join_made(train, self.recipe.augmentation),
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
            self.stopwatch.stop()
            self._save()
            return self._conclude(start)
        except DivergedError as error:
            raise DivergedError(f"{error}; {self._name_last_checkpoint()}") from error

    def _announce(self) -> RunStart:
        """Tell the observer what is about to happen, and return it."""
        if self.settings.threads > available_cores():
            self.observer.note(
                f"{self.settings.threads} threads on {available_cores()} cores: "
                "more threads than cores make training slower"
            )
        missing = [
            self.digit_set.classes[label] for label in np.flatnonzero(self.class_counts == 0)
        ]
        if missing:
            self.observer.note(f"no training pictures of {', '.join(missing)}")
        start = RunStart(
            folder=self.folder.path,
            recipe=self.recipe.name,
            teacher=self.recipe.teacher,
            seed=self.settings.seed,
            device=describe_device(self.state.device),
            threads=self.settings.threads,
            parameters=count_parameters(self.state.model),
            data=self.digit_set.name,
            train_count=self.train_count,
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
        train_steps(
            self.state,
            self.batches,
            self.recipe,
            until,
            self.examples,
            after_step=self._after_step,
        )
        images_per_second = self.rate.images_per_second(self.state.seen)
        with self.stopwatch.paused():
            check_finite(self.state.loss_sum, self.state.step - 1)
            logits = self._answer(self.val)
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
        self.state.metrics_bytes = self.folder.append_metrics("epoch", asdict(report))
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
                f"continue with: {resume_command(self.folder.path)}"
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
        """Write a checkpoint of this instant, unless there is one of this step."""
        if self.state.step == self.saved_step:
            return
        self._check_weights()
        self.state.seconds = self.stopwatch.seconds
        save_checkpoint(self.folder.checkpoint, self.state.checkpoint())
        self.saved_step = self.state.step
        self.saved_at = self.stopwatch.seconds

    def _check_weights(self) -> None:
        """Raise a `DivergedError` unless all weights, and the next step's loss, are finite."""
        check_finite(self.state.loss_sum, self.state.step - 1)
        images, labels = self.batches.at(self.state.step)
        with torch.inference_mode(), evaluation_mode(self.state.model):
            loss = functional.cross_entropy(self.state.model(images).float(), labels)
        check_finite(loss, self.state.step)
        if not all(bool(weight.isfinite().all()) for weight in self.state.model.parameters()):
            raise self._diverged("weights")

    def _answer(self, digits: Digits) -> NDArray[np.float32]:
        """Return the logits, (N, 10), of the network as it is; a `DivergedError` if not finite."""
        logits = predict_logits(self.state.model, digits.images, device=self.state.device)
        if not np.isfinite(logits).all():
            raise self._diverged("network's answers")
        return logits

    def _calibrate(self) -> Calibration | None:
        """Return how the network's answers become chances, where pictures were held out for it."""
        if not self.settings.hold_out:
            return None
        try:
            return calibrate(self._answer(self.val), self.val.labels)
        except DataFormatError as error:
            self.observer.note(f"the model is not calibrated: {error}")
            return None

    def _diverged(self, what: str) -> DivergedError:
        """Return the error that says that `what` the network has or gives is not finite."""
        return DivergedError(
            f"the {what} are not finite numbers after step {self.state.step}: "
            "try a smaller learning rate (--lr)"
        )

    def _name_last_checkpoint(self) -> str:
        """Return words for where the last good weights are."""
        if self.saved_step is None:
            return "no checkpoint was made yet"
        path = checkpoint_path(self.folder.checkpoint, self.saved_step)
        return f"the last good checkpoint is {path}"

    def _conclude(self, start: RunStart) -> RunResult:
        """Write the model, the figures and the report of the trained network."""
        info = ModelInfo(
            recipe=self.recipe.name,
            seed=self.settings.seed,
            data=self.digit_set.name,
            train_fingerprint=self.settings.train_fingerprint,
            hold_out=self.settings.hold_out,
        )
        calibration = self._calibrate()
        with self.folder.writing(self.folder.model):
            save_model(self.folder.model, self.state.model, self.recipe.model, info, calibration)
        test = self.digit_set.test
        if self.test_logits is None:
            self.test_logits = self._answer(test)
        result = RunResult(
            folder=self.folder.path,
            recipe=self.recipe.name,
            seed=self.settings.seed,
            test=evaluate_logits(self.test_logits, test.labels),
            train_seconds=self.stopwatch.seconds,
        )
        self.folder.append_metrics("done", result.to_dict())
        write_pages(self.folder, self.settings, self.digit_set, self.test_logits, start, result)
        self.observer.done(result)
        return result


def divide(digit_set: DigitSet, hold_out: int) -> tuple[Digits, Digits]:
    """Return the pictures to train on and those that each epoch is evaluated on."""
    if hold_out:
        return digit_set.train.hold_out(hold_out)
    return digit_set.train, digit_set.test
