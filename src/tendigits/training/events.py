"""What a run tells whoever watches it: plain facts, drawn elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tendigits.evaluation.metrics import Evaluation


@dataclass(frozen=True, kw_only=True)
class RunStart:
    """A run is about to make its first step, or to go on.

    Attributes:
        folder: The run folder.
        recipe: The recipe's name.
        teacher: The model whose answers are learned beside the labels; empty for none.
        seed: The seed.
        device: The device in words.
        threads: Threads that torch uses on the processor.
        parameters: Numbers that training changes.
        data: Name of the set.
        train_count: Training pictures.
        val_count: Pictures that each epoch is evaluated on.
        val_is_test: Those are the test set: shown, and never used to choose.
        step: Steps that were made before.
        total_steps: Steps of the whole training.
        epochs: Epochs of the whole training, the last one perhaps in part.
    """

    folder: Path
    recipe: str
    teacher: str
    seed: int
    device: str
    threads: int
    parameters: int
    data: str
    train_count: int
    val_count: int
    val_is_test: bool
    step: int
    total_steps: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """How far a training is.

    Attributes:
        step: Steps made.
        total_steps: Steps of the whole training.
        epoch: 1 for the first.
        train_loss: Mean over this epoch so far.
        images_per_second: In this epoch so far.
        seconds: Training time since the beginning, evaluation not counted.
        seconds_left: Estimated from that rate.
    """

    step: int
    total_steps: int
    epoch: int
    train_loss: float
    images_per_second: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """An epoch, or the last part of one, is over.

    Attributes:
        epoch: 1 for the first.
        epochs: Of the whole training.
        step: Steps made.
        train_loss: Mean over the epoch's batches as they were trained on (nats).
        train_accuracy: The same for the share of right answers.
        val_loss: On the pictures that epochs are evaluated on (nats).
        val_accuracy: Share of right answers on them.
        seconds: Training time since the beginning, evaluation not counted.
        images_per_second: In this epoch.
        learning_rate: Of its last step.
    """

    epoch: int
    epochs: int
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    images_per_second: float
    learning_rate: float

    def line(self) -> str:
        """Return the report as the tutorial prints it."""
        return (
            f"Epoch [{self.epoch}/{self.epochs}]: "
            f"Train Loss: {self.train_loss:.4f}, Train Acc: {self.train_accuracy:.4f} | "
            f"Val Loss: {self.val_loss:.4f}, Val Acc: {self.val_accuracy:.4f}"
        )


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A run is over.

    Attributes:
        folder: The run folder.
        recipe: The recipe's name.
        seed: The seed.
        test: The figures on the test set.
        train_seconds: From decoded data in memory to final weights, evaluation not counted.
    """

    folder: Path
    recipe: str
    seed: int
    test: Evaluation
    train_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "recipe": self.recipe,
            "seed": self.seed,
            "test_accuracy": self.test.accuracy,
            "test_loss": self.test.loss,
            "train_seconds": self.train_seconds,
            "run": str(self.folder),
        }


class Observer:
    """Watches a run; each method does nothing until a subclass says otherwise."""

    def start(self, start: RunStart) -> None:
        """Take note that training begins or goes on."""

    def step(self, report: StepReport) -> None:
        """Take note of progress; called at most ten times a second."""

    def epoch(self, report: EpochReport) -> None:
        """Take note of a finished epoch."""

    def note(self, text: str) -> None:
        """Take note of something that a person should know."""

    def done(self, result: RunResult) -> None:
        """Take note of the end."""


class Observers(Observer):
    """Several observers in the place of one.

    Args:
        observers: Each is told everything, in this order.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self.observers = tuple(observers)

    def start(self, start: RunStart) -> None:
        """Tell each."""
        for observer in self.observers:
            observer.start(start)

    def step(self, report: StepReport) -> None:
        """Tell each."""
        for observer in self.observers:
            observer.step(report)

    def epoch(self, report: EpochReport) -> None:
        """Tell each."""
        for observer in self.observers:
            observer.epoch(report)

    def note(self, text: str) -> None:
        """Tell each."""
        for observer in self.observers:
            observer.note(text)

    def done(self, result: RunResult) -> None:
        """Tell each."""
        for observer in self.observers:
            observer.done(result)
