"""Readers: processes that read pictures, each with a thread here that hands it batches.

Reading is mostly Python, which uses one core a process. And a picture that makes a decoder crash
ends a reader, not the service: its batch is read again one by one, and what crashes alone is
refused.
"""

import logging
import multiprocessing
import signal
import threading
import time
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
CLOSE_SECONDS = 2.0  # until what is being read at the end is given up: nobody waits for it by then
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
        """End it; where another thread waits for its answer, that fails."""


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
        self._lock = threading.Lock()  # held while a process begins or ends
        self._is_closed = False
        self._start()

    @property
    def identity(self) -> Identity:
        """Which model reads."""
        return self._identity

    def answer(self, jobs: Sequence[Job]) -> list[Answer]:
        """Answer several requests.

        Raises:
            EOFError: The process crashed or hung, and was started again.
            WeightsError: It could not be started again.
        """
        if not self._process.is_alive():  # it was ended while it had nothing to do
            self._start_again()
        try:
            answers: list[Answer] = self._ask(list(jobs), self._seconds)
        except EOFError:
            self._start_again()
            raise
        return answers

    def load(self, model: str | Path) -> None:
        """Read with another model from now on; raises `WeightsError`, and keeps the old one."""
        try:
            self._identity = self._load(model)
        except WeightsError:
            if not self._process.is_alive():
                self._start_again()
            raise
        self._model = model

    def close(self) -> None:
        """End the process for good; where another thread waits for its answer, that fails."""
        self._is_closed = True
        self._end()

    def _start_again(self) -> None:
        self._end()
        self._pipe.close()
        self._start()

    def _start(self) -> None:
        with self._lock:
            if self._is_closed:
                raise WeightsError(f"{self._model}: not loaded again: the reader was closed")
            # Not a fork: threads run here, and a fork would copy their locks as they are.
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=serve_pipe, args=(theirs,), daemon=True)
            try:
                process.start()
            except BaseException:  # the next try finds everything as it was
                ours.close()
                raise
            finally:
                theirs.close()
            self._pipe, self._process = ours, process
        try:
            self._identity = self._load(self._model)
        except BaseException:  # Ctrl-C, too
            self._end()  # it ignores SIGTERM, and would be waited for at the end
            raise

    def _end(self) -> None:
        with self._lock:
            self._process.kill()
            self._process.join()

    def _load(self, model: str | Path) -> Identity:
        """Let the process load a model; where that ends or hangs it, raise `WeightsError`."""
        try:
            identity: Identity = self._ask(model, START_SECONDS)
        except EOFError as error:
            self._end()  # its answer may still come, and would be taken for another question's
            raise WeightsError(f"{model}: no reader could load it ({error})") from error
        return identity

    def _ask(self, question: Any, seconds: float) -> Any:
        """Return the answer to a question; raises it where it is an error, else `EOFError`."""
        late = EOFError(f"no answer within {seconds:g} s")
        try:
            self._pipe.send(question)
            answer = self._pipe.recv() if self._pipe.poll(seconds) else late
        except (EOFError, OSError) as error:
            raise EOFError("its process ended") from error
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
        return bool(self._readers) and any(thread.is_alive() for thread in self._threads)

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
        except BaseException:  # Ctrl-C, too
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
        except Exception:
            for reader, lock in changed:
                with lock:
                    reader.load(self._model)
            raise
        self._model = model
        return self.identity

    def close(self) -> None:
        """Read what waits, as far as there is time, then end; may be called again."""
        self.batcher.close()
        self._join()
        for reader in self._readers:
            reader.close()
        self._join()  # those that waited for a reader that hung

    def _join(self) -> None:
        """Wait for the threads to end, but not for long."""
        end = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _work(self, reader: Reads, lock: threading.Lock) -> None:
        """Read batch after batch until the queue is closed."""
        while taken := self.batcher.take():
            batch = [one for one in taken if one.answer.set_running_or_notify_cancel()]
            if not batch:  # nobody waits for them any more
                continue
            self._on_batch(len(batch))
            try:
                with lock:
                    answers = answer_all(reader, batch)
            except Exception:  # whoever waits is told, and the next batch is read
                log.exception("a batch of %d pictures was not read", len(batch))
                answers = [FAILED] * len(batch)
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.answer.set_result(answer)


def answer_all(
    reader: Reads, batch: Sequence[Waiting], *, is_last_try: bool = False
) -> list[Answer]:
    """Answer a batch; where that fails as a whole, one by one, and what fails alone once more."""
    jobs = [waiting.job for waiting in batch]
    try:
        return reader.answer(jobs)
    except Exception as error:
        log.exception("reading %d pictures failed", len(jobs))
        alone = CRASHED if isinstance(error, EOFError) else FAILED
    if len(jobs) == 1:
        return [alone if is_last_try else answer_all(reader, batch, is_last_try=True)[0]]
    return [
        answer for waiting in batch for answer in answer_all(reader, [waiting], is_last_try=True)
    ]
