"""How fast a training goes."""

from tendigits.training.stopwatch import Stopwatch


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
