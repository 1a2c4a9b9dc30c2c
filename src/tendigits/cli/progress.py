"""How a run looks while it goes on: a live line, plain lines, JSON lines, or nothing."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from tendigits.training.events import EpochReport, Observer, RunResult, RunStart, StepReport

PLAIN_SECONDS = 10.0  # least training time between two plain lines of progress


class Display(Observer):
    """An observer that may hold the terminal, and lets go of it when its block ends.

    Attributes:
        is_unread: Whoever read the output has closed it, as `head` does.
    """

    is_unread = False

    def __enter__(self) -> "Display":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the terminal."""

    @contextlib.contextmanager
    def printing(self) -> Iterator[None]:
        """Take note if nobody reads what the block prints, and print into nothing from then on."""
        try:
            yield
        except BrokenPipeError:
            self.is_unread = True
            # What is still in a buffer goes there too, instead of failing when python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class PlainConsole(Console):
    """A console that prints names as they are, and leaves a closed pipe to its user."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=True, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Pass the error on that is being handled: newer versions of rich would exit here."""
        raise


def choose_display(*, quiet: bool, json: bool) -> Display:
    """Return the display that the options and the terminal ask for."""
    if json:
        return JsonDisplay()
    if quiet:
        return Display()
    return LiveDisplay() if sys.stdout.isatty() else PlainDisplay()


class PlainDisplay(Display):
    """Lines of text, for a file or a pipe."""

    def __init__(self) -> None:
        self.console = PlainConsole()
        self.shown_at = 0.0

    def start(self, start: RunStart) -> None:
        """Print what is about to happen, and what "Val" means."""
        self._print(
            f"Training {start.recipe} ({start.parameters:,} parameters, seed {start.seed}) "
            f"on {start.train_count:,} digits of {start.data}"
        )
        self._print(f"Device: {start.device}, {start.threads} thread{'s' * (start.threads > 1)}")
        if start.teacher:
            self._print(f"Teacher: {start.teacher}, whose answers are learned beside the labels")
        if start.step:
            self._print(f"Going on after step {start.step:,} of {start.total_steps:,}")
        self._print(explain_val(start))

    def step(self, report: StepReport) -> None:
        """Print a line now and then."""
        if report.seconds - self.shown_at >= PLAIN_SECONDS:
            self.shown_at = report.seconds
            self._print(
                f"  step {report.step:,} of {report.total_steps:,}, loss {report.train_loss:.4f}, "
                f"{report.images_per_second:,.0f} images/s, {report.seconds_left:.0f} s left"
            )

    def epoch(self, report: EpochReport) -> None:
        """Print the tutorial's line."""
        self._print(report.line())

    def note(self, text: str) -> None:
        """Print the note."""
        self._print(f"Note: {text}")

    def done(self, result: RunResult) -> None:
        """Print what came out and where it is."""
        for line in result_lines(result):
            self._print(line)

    def _print(self, text: str) -> None:
        with self.printing():
            self.console.print(text)


class LiveDisplay(PlainDisplay):
    """A bar that moves, with the epochs' lines above it."""

    def __init__(self) -> None:
        super().__init__()
        # Drawn when a step is reported, ten times a second at most: no thread competes with torch.
        self.progress = Progress(
            TextColumn("Epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(
                "loss {task.fields[loss]:.4f} · {task.fields[rate]:,.0f} images/s · "
                "{task.fields[left]:.0f} s left"
            ),
            console=self.console,
            auto_refresh=False,
            transient=True,
        )

    def start(self, start: RunStart) -> None:
        """Print what is about to happen, and begin the bar."""
        super().start(start)
        self.progress.start()
        self.task = self.progress.add_task(
            "", total=start.total_steps, completed=start.step, epoch=1, loss=0.0, rate=0.0, left=0.0
        )

    def step(self, report: StepReport) -> None:
        """Move the bar."""
        self.progress.update(
            self.task,
            completed=report.step,
            epoch=report.epoch,
            loss=report.train_loss,
            rate=report.images_per_second,
            left=report.seconds_left,
        )
        self.progress.refresh()

    def done(self, result: RunResult) -> None:
        """Take the bar away and print what came out."""
        self.close()
        super().done(result)

    def close(self) -> None:
        """Take the bar away."""
        self.progress.stop()


class JsonDisplay(Display):
    """A line of JSON for each event, flushed, the last one ``done``."""

    def start(self, start: RunStart) -> None:
        """Print it."""
        self._print("start", {**asdict(start), "folder": str(start.folder)})

    def step(self, report: StepReport) -> None:
        """Print it."""
        self._print("step", asdict(report))

    def epoch(self, report: EpochReport) -> None:
        """Print it."""
        self._print("epoch", asdict(report))

    def note(self, text: str) -> None:
        """Print it."""
        self._print("note", {"text": text})

    def done(self, result: RunResult) -> None:
        """Print it."""
        self._print("done", result.to_dict())

    def _print(self, event: str, fields: dict[str, Any]) -> None:
        with self.printing():
            print(json.dumps({"event": event, **fields}), flush=True)


def explain_val(start: RunStart) -> str:
    """Return the sentence that says what the epochs are evaluated on."""
    if start.val_is_test:
        return (
            f'"Val" is the test set, {start.val_count:,} digits: '
            "shown after each epoch, never used to choose anything"
        )
    return f'"Val" is {start.val_count:,} digits held out of the training set'


def result_lines(result: RunResult) -> list[str]:
    """Return what came out of a run, and where it is, in words."""
    test = result.test
    return [
        f"Test accuracy: {test.accuracy:.2%} ({test.errors:,} errors in {test.count:,} digits)",
        f"Error: {test.errors_per_10_000:.0f} digits per 10,000",
        f"Trained in {result.train_seconds:.1f} s",
        f"Model:  {result.folder / 'model.safetensors'}",
        f"Figure: {result.folder / 'predictions.png'}",
        f"Report: {result.folder / 'report.html'}",
    ]
