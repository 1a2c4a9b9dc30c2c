"""Readers: processes that read pictures, each with a thread here that hands it batches.

Reading is mostly Python, which uses one core a process. And a picture that makes a decoder crash
ends a reader, not the service: its batch is read again one by one, and what crashes alone is
refused.
"""

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from tendigits.errors import TendigitsError, WeightsError
from tendigits.serving.answers import Answer, Answerer, Identity, Job
from tendigits.serving.batching import Batcher, Waiting
from tendigits.serving.settings import Settings

START_SECONDS = 60.0  # until a reader has loaded its model
FAILED = Answer(status=500, detail="The service made a mistake; its log says which.")
CRASHED = Answer(status=422, detail="The picture cannot be read: reading it failed.")

log = logging.getLogger("tendigits.serving")


class Reads(Protocol):
    """What answers a batch of requests."""

    @property
    def identity(self) -> Identity:
        """Which model reads."""

    def answer(self, jobs: Sequence[Job]) -> list[Answer]:
        """Answer several requests.

        Raises:
            EOFError: Reading failed as a whole.
        """

    def load(self, model: str | Path) -> None:
        """Read with another model from now on; raises `WeightsError`, and keeps the old one."""

    def close(self) -> None:
        """End it."""


class ThreadReader:
    """Reads in the thread that asks."""

    def __init__(self, model: str | Path) -> None:
        self._answerer = Answerer(model)

    @property
    def identity(self) -> Identity:
        """Which model reads."""
        return self._answerer.identity

    def answer(self, jobs: Sequence[Job]) -> list[Answer]:
        """Answer several requests."""
        return self._answerer.answer(jobs)

    def load(self, model: str | Path) -> None:
        """Read with another model from now on; raises `WeightsError`, and keeps the old one."""
        self._answerer = Answerer(model)

    def close(self) -> None:
        """Do nothing: a thread has nothing to end."""


class ProcessReader:
    """Reads in a process of its own, which is started again where it crashes or hangs.

    Args:
        model: A shipped model's name, or an ONNX file.
        seconds: Until a batch is read, or the process is ended.

    Raises:
        TendigitsError: The model cannot be loaded.
    """

    def __init__(self, model: str | Path, seconds: float) -> None:
        self._model, self._seconds = model, seconds
        self._start()

    @property
    def identity(self) -> Identity:
        """Which model reads."""
        return self._identity

    def answer(self, jobs: Sequence[Job]) -> list[Answer]:
        """Answer several requests; raises `EOFError` where the process crashes or hangs."""
        try:
            answers: list[Answer] = self._ask(list(jobs), self._seconds)
        except (EOFError, OSError) as error:
            self.close()
            self._start()
            raise EOFError from error
        return answers

    def load(self, model: str | Path) -> None:
        """Read with another model from now on; raises `WeightsError`, and keeps the old one."""
        self._identity = self._load(model)
        self._model = model

    def close(self) -> None:
        """End the process, which ends by itself where nobody speaks to it any more."""
        self._pipe.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        # Not a fork: threads run here, and a fork would copy their locks as they are.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve_pipe, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._identity = self._load(self._model)
        except (TendigitsError, EOFError, OSError):
            self.close()  # it ignores SIGTERM, and would be waited for at the end
            raise

    def _load(self, model: str | Path) -> Identity:
        identity: Identity = self._ask(model, START_SECONDS)
        return identity

    def _ask(self, question: Any, seconds: float) -> Any:
        self._pipe.send(question)
        if not self._pipe.poll(seconds):
            raise EOFError(f"no answer within {seconds:g} s")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve_pipe(pipe: "Connection[Any, Any]") -> None:
    """Answer what comes through a pipe until its other end is closed: a model's path, or jobs."""
    # Ctrl-C and a service manager's SIGTERM reach all processes; this one ends after the service.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    import cv2

    cv2.setNumThreads(1)  # the other cores have readers of their own
    answerer: Answerer | None = None
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        try:
            if answerer is not None and isinstance(question, list):
                pipe.send(answerer.answer(question))
            else:
                answerer = Answerer(question)
                pipe.send(answerer.identity)
        except (TendigitsError, OSError) as error:
            pipe.send(WeightsError(str(error)))
        except Exception as error:
            log.exception("reading failed")
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


class Readers:
    """All readers of a service, with the queue before them.

    Args:
        settings: Of the service.
        on_batch: Called with the number of pictures of each batch.
    """

    def __init__(self, settings: Settings, on_batch: Callable[[int], None] | None = None) -> None:
        count = max(1, settings.readers)
        self.batcher = Batcher(waiting=settings.waiting, readers=count)
        self._model = settings.model
        self._settings, self._on_batch = settings, on_batch or (lambda count: None)
        self._readers: list[Reads] = []
        self._locks = [threading.Lock() for _ in range(count)]
        self._threads: list[threading.Thread] = []

    @property
    def are_ready(self) -> bool:
        """The model is loaded, and pictures are read."""
        return bool(self._readers)

    @property
    def identity(self) -> Identity:
        """Which model reads."""
        return self._readers[0].identity

    def start(self) -> None:
        """Load the model and begin to read; where that was done, do nothing.

        Raises:
            TendigitsError: The model cannot be loaded.
        """
        if self._readers:
            return
        readers: list[Reads] = []
        try:
            for _ in self._locks:
                readers.append(self._make_reader())  # noqa: PERF401  # some, where one fails
        except TendigitsError:
            for reader in readers:
                reader.close()
            raise
        self._threads = [
            threading.Thread(target=self._work, args=pair, daemon=True)
            for pair in zip(readers, self._locks, strict=True)
        ]
        for thread in self._threads:
            thread.start()
        self._readers = readers

    def _make_reader(self) -> Reads:
        if self._settings.readers:
            return ProcessReader(self._settings.model, self._settings.read_seconds)
        return ThreadReader(self._settings.model)

    def put(self, job: Job) -> "Future[Answer]":
        """Let a picture be read; raises `Problem` where too many are waiting."""
        return self.batcher.put(job)

    def load(self, model: str | Path) -> Identity:
        """Read with another model from now on, one reader after the other, between two batches.

        No request is dropped or refused meanwhile.

        Raises:
            WeightsError: It cannot be loaded; the old one goes on.
        """
        changed = []
        try:
            for reader, lock in zip(self._readers, self._locks, strict=True):
                with lock:
                    reader.load(model)
                changed.append((reader, lock))
        except TendigitsError:
            for reader, lock in changed:
                with lock:
                    reader.load(self._model)
            raise
        self._model = model
        return self.identity

    def close(self) -> None:
        """Read what waits, then end; may be called again."""
        self.batcher.close()
        for thread in self._threads:
            thread.join()
        for reader in self._readers:
            reader.close()

    def _work(self, reader: Reads, lock: threading.Lock) -> None:
        """Read batch after batch until the queue is closed."""
        while taken := self.batcher.take():
            batch = [one for one in taken if one.answer.set_running_or_notify_cancel()]
            if not batch:  # nobody waits for them any more
                continue
            self._on_batch(len(batch))
            with lock:
                answers = answer_all(reader, batch)
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.answer.set_result(answer)


def answer_all(reader: Reads, batch: Sequence[Waiting]) -> list[Answer]:
    """Answer a batch; where that fails as a whole, one by one."""
    jobs = [waiting.job for waiting in batch]
    try:
        return reader.answer(jobs)
    except Exception as error:
        log.exception("reading %d pictures failed", len(jobs))
        alone = CRASHED if isinstance(error, EOFError) else FAILED
    if len(jobs) == 1:
        return [alone]
    return [answer for waiting in batch for answer in answer_all(reader, [waiting])]
