"""Training time, which stands still while a run evaluates itself."""

import contextlib
import time
from collections.abc import Iterator


class Stopwatch:
    """Counts seconds from the moment that it is made.

    Attributes:
        elapsed: Seconds counted up to the last time it started to run.
    """

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._since: float | None = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds counted so far."""
        running = 0.0 if self._since is None else time.perf_counter() - self._since
        return self.elapsed + running

    def stop(self) -> None:
        """Stand still."""
        self.elapsed, self._since = self.seconds, None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still during the block, and run after it."""
        self.stop()
        yield
        self._since = time.perf_counter()
