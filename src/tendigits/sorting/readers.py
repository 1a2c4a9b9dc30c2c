"""Processes that read pieces, a stream of them, and outlive a picture that makes one crash."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from tendigits.errors import DataError
from tendigits.imaging import decode
from tendigits.reading.classifier import DEFAULT, find_model
from tendigits.reading.reader import REJECT_ABOVE, Reader
from tendigits.results import Page
from tendigits.sorting.intake import Piece

AHEAD = 2  # batches that wait for each process, so that none is idle
Contents = list[bytes | None]
Pages = list[Page | None]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How pieces are read.

    Attributes:
        model: A shipped model's name, or an ONNX file.
        format: What a code keeps to, by name, such as ``us-zip``; None for any digits.
        valid: A file with the codes that exist, one a line; None for all.
        reject_above: The chance of being wrong, in [0, 1], above which a person looks.
    """

    model: str | Path = DEFAULT
    format: str | None = None
    valid: Path | None = None
    reject_above: float = REJECT_ABOVE

    def make_reader(self) -> Reader:
        """Return a reader; raises `TendigitsError` where a setting has no meaning."""
        return Reader(
            self.model,
            fields="one",
            format=self.format,
            valid=self.valid,
            reject_above=self.reject_above,
            threads=1,
        )

    def identity(self) -> str:
        """Return the model's name and the first 12 digits of its file's sha256."""
        import hashlib

        digest = hashlib.sha256(find_model(self.model).read_bytes()).hexdigest()
        return f"{Path(self.model).stem} {digest[:12]}"


class Readers:
    """Processes that read, each with a core of its own.

    Args:
        reading: How.
        count: Of processes, at least 0; 0 to read in this one.

    Raises:
        TendigitsError: A setting has no meaning, or there is no such model.
    """

    def __init__(self, reading: Reading, count: int) -> None:
        self._reading, self._count = reading, count
        self._reader = reading.make_reader()  # says what is wrong; a process could not
        self._pool = self._start() if count else None

    def close(self) -> None:
        """End the processes; what they were to read is forgotten."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def read(self, batches: Iterable[Sequence[Piece]]) -> Iterator[tuple[Sequence[Piece], Pages]]:
        """Yield batches with their pages, in order; a few batches are taken ahead.

        A piece's page is None where it is no picture that can be decoded.
        """
        waiting: deque[tuple[Sequence[Piece], Future[Pages] | None]] = deque()
        for batch in batches:
            waiting.append((batch, self._put([piece.content for piece in batch])))
            if len(waiting) > self._count * AHEAD:
                yield self._take(*waiting.popleft())
        while waiting:
            yield self._take(*waiting.popleft())

    def read_one(self, content: bytes) -> Page | None:
        """Read one picture in this process; None if it cannot be decoded."""
        return read_contents(self._reader, [content])[0]

    def _start(self) -> ProcessPoolExecutor:
        # Not a fork, which would copy what threads of the libraries hold.
        return ProcessPoolExecutor(
            self._count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=prepare,
            initargs=(self._reading,),
        )

    def _put(self, contents: Contents) -> "Future[Pages] | None":
        """Let pictures be read, with another pool if this one is broken."""
        if self._pool is None:
            return None
        try:
            return self._pool.submit(read_here, contents)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = self._start()
            return self._pool.submit(read_here, contents)

    def _take(
        self, batch: Sequence[Piece], future: "Future[Pages] | None"
    ) -> tuple[Sequence[Piece], Pages]:
        """Wait for a batch; if a process ended over it, read its pieces alone."""
        if future is None:
            return batch, read_contents(self._reader, [piece.content for piece in batch])
        try:
            return batch, future.result()
        except BrokenProcessPool:
            return batch, [self._read_alone(piece) for piece in batch]

    def _read_alone(self, piece: Piece) -> Page | None:
        """Read a piece in a process; None if that ends over it."""
        future = self._put([piece.content])
        assert future is not None
        try:
            return future.result()[0]
        except BrokenProcessPool:
            return None


_here: list[Reader] = []  # the reader of a process that reads


def prepare(reading: Reading) -> None:
    """Make a process ready to read, and let it end when the one that started it has."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first one ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)  # the other cores have readers of their own
    _here.append(reading.make_reader())


def read_here(contents: Contents) -> Pages:
    """Read pictures in a process that is ready."""
    return read_contents(_here[0], contents)


def read_contents(reader: Reader, contents: Contents) -> Pages:
    """Return a page for each picture; None for what cannot be decoded."""
    return [None if content is None else _read(reader, content) for content in contents]


def _read(reader: Reader, content: bytes) -> Page | None:
    try:
        return reader.read_pixels(decode(content))
    except DataError:
        return None


def _end_with_parent() -> None:
    """End this process when its parent has ended, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
