"""What pieces of mail say, read by several processes, since reading is mostly Python's work.

A process reads several pieces with one call of the network. It ends when the process that started
it does, even if that one is killed.
"""

import contextlib
import hashlib
import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tendigits.errors import DataError, SortingError
from tendigits.imaging import decode
from tendigits.reading.classifier import DEFAULT, find_model
from tendigits.reading.reader import REJECT_ABOVE, Reader, read_together
from tendigits.results import Page
from tendigits.sorting.code_line import CodeReader
from tendigits.sorting.mail import Piece

log = logging.getLogger(__name__)

TOGETHER = 8  # pieces that a process reads at a time
AHEAD = 3  # times as many are handed to each process before the first is read


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """How pieces are read.

    Attributes:
        model: A shipped model's name, or an ONNX file.
        format: Of the codes; see `postcode.find_rules`.
        valid: A file with the codes that exist, one a line.
        reject_above: The chance of being wrong, in [0, 1], above which a person reads a piece.
    """

    model: str = DEFAULT
    format: str | None = None
    valid: Path | None = None
    reject_above: float = REJECT_ABOVE

    def make_reader(self) -> Reader:
        """Make the reader, which computes with one thread; raises what `Reader` raises."""
        return CodeReader(
            self.model,
            reject_above=self.reject_above,
            format=self.format,
            valid=self.valid,
            threads=1,
        )

    def model_name(self) -> str:
        """Return the model's name and the beginning of its file's sha256, for the ledger."""
        path = find_model(self.model)
        return f"{path.stem}@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a piece says.

    Attributes:
        code: The best guess; empty if there is none.
        confidence: The chance that it is right, in [0, 1].
        accepted: It may be sorted by this code.
        page: All that was read; None if the file is no picture.
    """

    code: str = ""
    confidence: float = 0.0
    accepted: bool = False
    page: Page | None = None


def judge(page: Page) -> Reading:
    """Return which code a page has: the surest field, unless another one is accepted too."""
    if not page.fields:
        return Reading(page=page)
    surest = max(page.fields, key=lambda field: field.confidence)
    accepted = [field for field in page.fields if field.accepted]
    return Reading(
        code=surest.text,
        confidence=surest.confidence,
        accepted=len({field.text for field in accepted}) == 1,
        page=page,
    )


def read_pieces(reader: Reader, folder: Path, pieces: Sequence[Piece]) -> list[Reading]:
    """Read pieces of a folder, all of their digits in one call of the network.

    A piece over which reading fails is unreadable, and no end of the run: it would fail again at
    each start. What failed is logged.
    """
    pixels = {}
    for piece in pieces:
        with contextlib.suppress(DataError):
            pixels[piece] = decode(folder / piece.picture)
    try:
        pages = read_together([(reader, each) for each in pixels.values()], reader.recognisers)
    except Exception:
        if len(pixels) > 1:
            return [read_pieces(reader, folder, [piece])[0] for piece in pieces]
        log.exception(
            "reading failed, so this is unreadable: %s", *(each.picture for each in pixels)
        )
        return [Reading() for _ in pieces]
    readings = dict(zip(pixels, map(judge, pages), strict=True))
    return [readings.get(piece, Reading()) for piece in pieces]


def read_all(
    settings: ReaderSettings, folder: Path, pieces: Iterable[Piece], *, workers: int
) -> Iterator[list[tuple[Piece, Reading]]]:
    """Read pieces as they come, some at a time, in their order.

    Args:
        settings: How.
        folder: Where the pictures are.
        pieces: Taken from only as far as there is work for all processes.
        workers: Processes that read; with 1, this one does.

    Yields:
        A few pieces, with what they say.

    Raises:
        TendigitsError: As `Reader`.
        SortingError: The processes die, whatever they read.
    """
    groups = _group(pieces)
    if workers == 1:
        reader = settings.make_reader()
        for group in groups:
            yield list(zip(group, read_pieces(reader, folder, group), strict=True))
        return
    pool = _Processes(workers, settings, folder)
    try:
        waiting: deque[tuple[list[Piece], Future[list[Reading]]]] = deque()
        for group in groups:
            waiting.append((group, pool.submit(group)))
            if len(waiting) >= AHEAD * workers:
                yield pool.take(*waiting.popleft())
        while waiting:
            yield pool.take(*waiting.popleft())
    finally:
        pool.close()


def _group(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield pieces some at a time."""
    group: list[Piece] = []
    for piece in pieces:
        group.append(piece)
        if len(group) == TOGETHER:
            yield group
            group = []
    if group:
        yield group


class _Processes:
    """Processes that read, and one more for pieces over which they died.

    Args:
        count: How many.
        settings: How they read.
        folder: Where the pictures are.
    """

    def __init__(self, count: int, settings: ReaderSettings, folder: Path) -> None:
        self.count, self.settings, self.folder = count, settings, folder
        self.many = self._start(count)
        self.one: ProcessPoolExecutor | None = None

    def submit(self, group: list[Piece]) -> Future[list[Reading]]:
        """Have a group read."""
        try:
            return self._submit(self.many, group)
        except BrokenProcessPool:  # over a group that was handed out before
            self.many.shutdown()
            self.many = self._start(self.count)
            return self._submit(self.many, group)

    def take(
        self, group: list[Piece], future: Future[list[Reading]]
    ) -> list[tuple[Piece, Reading]]:
        """Wait for a group; where reading it ended a process, read its pieces one by one."""
        try:
            return list(zip(group, future.result(), strict=True))
        except BrokenProcessPool:
            return [(piece, self._read_alone(piece)) for piece in group]

    def close(self) -> None:
        """End them."""
        for pool in filter(None, (self.many, self.one)):
            pool.shutdown(cancel_futures=True)

    def _read_alone(self, piece: Piece) -> Reading:
        """Read a piece in a process that reads nothing else; if that dies, it is unreadable.

        Raises:
            SortingError: The process cannot even be started.
        """
        if self.one is None:
            self.one = self._start(1)
            try:
                self._submit(self.one, []).result()  # makes its reader
            except BrokenProcessPool as error:
                raise SortingError(
                    "the processes that read die at their start: is there too little memory? "
                    "start again with --workers 1"
                ) from error
        try:
            return self._submit(self.one, [piece]).result()[0]
        except BrokenProcessPool:
            self.one.shutdown()
            self.one = None
            return Reading()

    def _submit(self, pool: ProcessPoolExecutor, group: list[Piece]) -> Future[list[Reading]]:
        return pool.submit(_read_in_process, self.settings, self.folder, group)

    def _start(self, count: int) -> ProcessPoolExecutor:
        # A fork would copy the threads of ONNX Runtime half.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(count, context, initializer=_start_process)


def _start_process() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


@lru_cache(maxsize=1)
def _reader(settings: ReaderSettings) -> Reader:
    """Return the reader of this process, which is made once."""
    return settings.make_reader()


def _read_in_process(settings: ReaderSettings, folder: Path, pieces: list[Piece]) -> list[Reading]:
    """Read pieces with the reader of this process, which is made once."""
    return read_pieces(_reader(settings), folder, pieces)
