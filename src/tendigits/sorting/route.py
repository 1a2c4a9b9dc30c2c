"""Mail sorting: pieces in, each into the bin of its code, the doubtful ones to a person.

Whenever it is stopped, and by whatever, it goes on where it was: see `ledger`.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from tendigits.errors import DataNotFoundError, SettingError, TendigitsError
from tendigits.results import Page
from tendigits.sorting import plan as plans
from tendigits.sorting.decisions import Decision, Run
from tendigits.sorting.delivery import Delivery, How
from tendigits.sorting.intake import Piece, find_pictures, take
from tendigits.sorting.ledger import Ledger
from tendigits.sorting.ledger_csv import LedgerCsv
from tendigits.sorting.plan import Plan, load_plan
from tendigits.sorting.queue import ReviewQueue
from tendigits.sorting.readers import Readers, Reading
from tendigits.sorting.summary import Totals, write_summary

QUEUE = "queue.sqlite"  # in the folder of the bins, where no other queue is named
BATCH = 16  # pieces whose decisions are written together
BATCH_BYTES = 4 << 20  # of pictures that are read together, to bound memory


@dataclass(frozen=True, kw_only=True)
class Sorting:
    """What is sorted, and how.

    Attributes:
        folder: Where the pieces are.
        plan: The file that says which code goes to which bin.
        out: Where the bins, the ledger and the summary are made; not `folder` itself.
        reading: How pieces are read.
        queue: Where doubtful pieces wait: an SQLite file or a PostgreSQL address; None for a file
            in `out`.
        opinions: How many people must say the same of a doubtful piece, at least 1.
        how: ``copy``, ``link`` or ``move`` pieces into their bins.
        readers: Processes that read, at least 0; 0 reads in this one.
    """

    folder: Path
    plan: Path
    out: Path
    reading: Reading = field(default_factory=Reading)
    queue: str | Path | None = None
    opinions: int = 1
    how: How = "copy"
    readers: int = 2


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        pieces: That it has decided.
        known: That an earlier run had decided.
        gone: That were decided, and were taken away before they could be delivered.
    """

    pieces: int = 0
    known: int = 0
    gone: int = 0


def route(
    sorting: Sorting, on_progress: Callable[[Progress], None] | None = None
) -> tuple[Progress, Totals]:
    """Sort all pieces in a folder that are not sorted yet.

    Args:
        sorting: What, and how.
        on_progress: Called after each few pieces.

    Returns:
        What this run did, and what the ledger says in all.

    Raises:
        TendigitsError: A setting has no meaning, the plan is none, another program sorts into the
            same folder, the queue cannot be used, or there is no room. Nothing is lost.
        OSError: A file cannot be read or written.
    """
    _check(sorting)
    plan = load_plan(sorting.plan)
    with contextlib.ExitStack() as stack:
        readers = Readers(sorting.reading, sorting.readers)
        stack.callback(readers.close)
        sorting.out.mkdir(parents=True, exist_ok=True)
        ledger = stack.enter_context(contextlib.closing(Ledger(sorting.out)))
        copy = stack.enter_context(contextlib.closing(LedgerCsv(sorting.out, ledger)))
        queue = ReviewQueue(sorting.queue or sorting.out / QUEUE, opinions=sorting.opinions)
        stack.callback(queue.close)
        sorter = Sorter(sorting, plan, ledger, copy, queue, readers)
        try:
            for progress in sorter.sort():
                if on_progress:
                    on_progress(progress)
        except BaseException:
            with contextlib.suppress(TendigitsError, OSError):  # of the first error it is told
                write_summary(sorting.out, ledger)
            raise
        return sorter.progress, write_summary(sorting.out, ledger)


def _check(sorting: Sorting) -> None:
    """Refuse settings without a meaning."""
    if not sorting.folder.is_dir():
        raise DataNotFoundError(f"{sorting.folder}: is no folder: expected one of pictures")
    if sorting.readers < 0:
        raise SettingError(f"{sorting.readers} processes should read: expected at least 0")
    if sorting.opinions < 1:
        raise SettingError(f"{sorting.opinions} people should agree: expected at least 1")
    if sorting.how not in get_args(How):
        raise SettingError(
            f"{sorting.how!r} is no way to deliver: expected {', '.join(get_args(How))}"
        )
    if sorting.out.resolve() == sorting.folder.resolve():
        raise SettingError(f"{sorting.out}: holds the pieces: expected another folder for the bins")


class Sorter:
    """One run of a sorting, with what it needs open.

    Attributes:
        progress: How far it is.
    """

    def __init__(
        self,
        sorting: Sorting,
        plan: Plan,
        ledger: Ledger,
        copy: LedgerCsv,
        queue: ReviewQueue,
        readers: Readers,
    ) -> None:
        self._sorting, self._plan = sorting, plan
        self._ledger, self._copy, self._queue, self._readers = ledger, copy, queue, readers
        self._delivery = Delivery(sorting.folder, sorting.out, sorting.how)
        self._model = sorting.reading.identity()
        self._known = self._gone = self._pieces = 0
        self._delivered: list[int] = []

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(pieces=self._pieces, known=self._known, gone=self._gone)

    def sort(self) -> Iterator[Progress]:
        """Carry out what is decided, then decide and carry out the rest; yields now and then."""
        reading = self._sorting.reading
        for decision in self._ledger.undelivered():
            self._delivery.sweep(decision)
            self._deliver(decision, None)
        self._ledger.begin(
            Run(
                started=time.time(),
                model=self._model,
                format=reading.format,
                plan=self._plan.sha256,
                reject_above=reading.reject_above,
            )
        )
        for batch, pages in self._readers.read(in_batches(self._new_pieces())):
            self._sort_batch(batch, pages)
            yield self.progress
        self._ledger.decide([], self._delivered)
        self._delivered = []

    def _new_pieces(self) -> Iterator[Piece]:
        """Yield the pieces that are not decided."""
        for picture, path in find_pictures(self._sorting.folder, self._sorting.out):
            piece = take(picture, path)
            if piece is None:
                self._gone += 1
            elif self._ledger.is_decided(piece.picture, piece.sha256):
                self._known += 1
            else:
                yield piece

    def _sort_batch(self, batch: Sequence[Piece], pages: Sequence[Page | None]) -> None:
        """Decide a few pieces, and carry it out."""
        now = time.time()
        decisions = [
            decide(piece, page, self._plan, self._model, now)
            for piece, page in zip(batch, pages, strict=True)
        ]
        decided = self._ledger.decide(decisions, self._delivered)
        self._delivered = []
        self._copy.add(decided)
        self._pieces += len(decided)
        for decision, page in zip(decided, pages, strict=True):
            self._deliver(decision, page)

    def _deliver(self, decision: Decision, page: Page | None) -> None:
        """Put a piece into its bin, and before the queue if a person must read it."""
        is_there = self._delivery.deliver(decision)
        if is_there and decision.bin == plans.REVIEW:
            content = self._delivery.read(decision)
            page = page or self._readers.read_one(content)
            assert page is not None  # what cannot be decoded is no piece for a person
            self._queue.add(decision.picture, content, page, self._sorting.reading.format)
        if is_there:
            self._delivered.append(decision.number)
        else:
            self._gone += 1


def decide(piece: Piece, page: Page | None, plan: Plan, model: str, now: float) -> Decision:
    """Decide where a piece goes.

    Args:
        piece: The piece.
        page: As it was read; None if it is no picture.
        plan: Which code goes where.
        model: That read it.
        now: In seconds since 1970.

    Returns:
        The decision; a page that is not accepted, or is empty, goes to a person.
    """
    code = page.fields[0].text if page and page.fields else ""
    confidence = page.fields[0].confidence if page and page.fields else 0.0
    if page is None:
        name = plans.UNREADABLE
    elif not page.accepted:
        name = plans.REVIEW
    else:
        name = plan.bin_of(code)
    return Decision(
        picture=piece.picture,
        sha256=piece.sha256,
        code=code,
        confidence=confidence,
        bin=name,
        time=now,
        model=model,
    )


def in_batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield a few pieces at a time, of few bytes."""
    batch: list[Piece] = []
    held = 0
    for piece in pieces:
        batch.append(piece)
        held += len(piece.content or b"")
        if len(batch) == BATCH or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
