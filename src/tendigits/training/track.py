"""TensorBoard events of a run, for those who compare many ([track])."""

from typing import TYPE_CHECKING

from tendigits.environment import package_version
from tendigits.errors import ExtraMissingError
from tendigits.training.events import EpochReport, Observer, RunResult, RunStart, StepReport

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


class TensorBoardObserver(Observer):
    """Writes loss, accuracy and speed into ``tensorboard/`` of the run folder.

    Raises:
        ExtraMissingError: TensorBoard is not installed.
    """

    def __init__(self) -> None:
        if package_version("tensorboard") is None:
            raise ExtraMissingError("--tensorboard", "track")
        self.writer: SummaryWriter | None = None

    def start(self, start: RunStart) -> None:
        """Open the events file."""
        from torch.utils.tensorboard.writer import SummaryWriter

        self.writer = SummaryWriter(str(start.folder / "tensorboard"), purge_step=start.step)

    def step(self, report: StepReport) -> None:
        """Write the loss so far and the speed."""
        self._write({"step/train_loss": report.train_loss}, report.step)
        self._write({"step/images_per_second": report.images_per_second}, report.step)

    def epoch(self, report: EpochReport) -> None:
        """Write the epoch's figures."""
        figures = {
            "epoch/train_loss": report.train_loss,
            "epoch/train_accuracy": report.train_accuracy,
            "epoch/val_loss": report.val_loss,
            "epoch/val_accuracy": report.val_accuracy,
        }
        self._write(figures, report.step)

    def done(self, result: RunResult) -> None:
        """Close the events file."""
        if self.writer is not None:
            self.writer.close()

    def _write(self, figures: dict[str, float], step: int) -> None:
        if self.writer is not None:
            for name, value in figures.items():
                self.writer.add_scalar(name, value, step)
