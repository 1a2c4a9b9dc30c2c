"""Requests that wait, and how they are put together for one run of the network.

A picture never waits for company: a reader that is free takes what is there, at most 8 pictures
and at most its fair share. So at rest a request goes alone and at once, and the busier the service
is, the more of them share a run. No picture waits 5 ms, or any time, just to be in a batch.
"""

import math
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from tendigits.serving.answers import Answer, Job
from tendigits.serving.problems import too_busy

MOST = 8  # pictures in a batch: more would make the first of them wait for the last


@dataclass(frozen=True, kw_only=True, eq=False)
class Waiting:
    """A picture that waits to be read.

    Attributes:
        job: What is asked for.
        answer: Where the answer goes.
    """

    job: Job
    answer: "Future[Answer]" = field(default_factory=Future)


class Batcher:
    """A queue of pictures between the threads that ask and the threads that read.

    Args:
        waiting: Pictures that may wait, at least 1.
        readers: Threads that take from it, at least 1.
    """

    def __init__(self, *, waiting: int, readers: int) -> None:
        self.limit = waiting
        self.readers = readers
        self._queue: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def is_full(self) -> bool:
        """The next picture would be refused."""
        return len(self._queue) >= self.limit

    def put(self, job: Job) -> "Future[Answer]":
        """Add a picture; returns where its answer will be.

        Raises:
            Problem: 429, too many are waiting; or 503, the service is ending.
        """
        waiting = Waiting(job=job)
        with self._changed:
            if self.is_full or self._closed:
                raise too_busy()
            self._queue.append(waiting)
            self._changed.notify()
        return waiting.answer

    def take(self) -> list[Waiting]:
        """Wait for pictures and return one batch; empty once the queue is closed and worked off."""
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            share = min(MOST, math.ceil(len(self._queue) / self.readers))
            return [self._queue.popleft() for _ in range(share)]

    def close(self) -> None:
        """Take no more pictures; what waits is still read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
