"""Sort a folder of mail into bins, each piece once; `ledger` says why once."""

import datetime
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tendigits.atomic import WriteError, remove_parts, sync_folder
from tendigits.errors import SettingError
from tendigits.results import Page
from tendigits.sorting.disk import only_one, told_when_full
from tendigits.sorting.ledger import Ledger, Row
from tendigits.sorting.mail import ChangedError, Piece, copy, find_pictures, identify
from tendigits.sorting.plan import REVIEW, UNREADABLE, Plan
from tendigits.sorting.readings import ReaderSettings, Reading, read_all
from tendigits.sorting.summary import NOTHING, SUMMARY, Summary, summarise, write_summary

COPIERS = 8  # threads: a copy mostly waits for the disk, and a disk flushes several at once


class Queue(Protocol):
    """Where rejected pieces wait for a person. Adding a piece again changes nothing."""

    def add(self, name: str, picture: bytes, page: Page, format: str | None) -> None:
        """Add a picture, under a name, with what was read off it and the format it was read by."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did.

    Attributes:
        routed: Pieces that it put into bins.
        known: Pieces that an earlier run had decided.
        lost: Pieces that were decided, but whose pictures are gone or changed: in no bin.
        shut: Pictures that may not be read: not decided, in no bin.
        seconds: From its start to the last piece.
        summary: Of all runs; only at the end of this one.
    """

    routed: int = 0
    known: int = 0
    lost: tuple[str, ...] = ()
    shut: tuple[str, ...] = ()
    seconds: float = 0.0
    summary: Summary = NOTHING


Report = Callable[[Outcome], None]


def route(
    folder: Path,
    out: Path,
    plan: Plan,
    settings: ReaderSettings,
    *,
    queue: Queue | None = None,
    workers: int = 1,
    report: Report = lambda outcome: None,
) -> Outcome:
    """Sort the pictures of a folder into bins; those that were sorted before are left alone.

    Args:
        folder: Of pictures, and of folders of them. Nothing in it is changed.
        out: Gets a folder for each bin, and the ledger; it is made if need be.
        plan: Which code goes to which bin.
        settings: How codes are read.
        queue: Gets the rejected pieces too.
        workers: Processes that read; with 1, this one does.
        report: Called with what was done so far, now and then.

    Returns:
        What this run did.

    Raises:
        SettingError: `out` and `folder` are the same, or one is inside the other.
        DataNotFoundError: There is no such folder.
        StorageFullError: The disk is full; the same call goes on.
        SortingError: Another process sorts into `out`, or its ledger cannot be used.
        TendigitsError: The reader cannot be made.
    """
    _refuse_nested(folder, out)
    model = settings.model_name()
    settings.make_reader()  # what is wrong with the settings is said before anything is written
    next(find_pictures(folder), None)
    with told_when_full(out):
        out.mkdir(parents=True, exist_ok=True)
        with only_one(out), Ledger(out) as ledger:
            sorting = _Sorting(folder, out, plan, settings, ledger, queue, model, report)
            try:
                outcome = sorting.run(workers)
            except KeyboardInterrupt:
                write_summary(out, summarise(ledger))
                raise
            summary = summarise(ledger)
            write_summary(out, summary)
            return replace(outcome, summary=summary)


def _refuse_nested(folder: Path, out: Path) -> None:
    """Refuse folders of which one holds the other: copies would be sorted as mail."""
    mail, bins = folder.resolve(), out.resolve()
    if bins.is_relative_to(mail) or mail.is_relative_to(bins):
        raise SettingError(
            f"{out} and {folder} are the same, or one is inside the other: name another folder "
            "for the bins"
        )


class _Sorting:
    """A run."""

    def __init__(
        self,
        folder: Path,
        out: Path,
        plan: Plan,
        settings: ReaderSettings,
        ledger: Ledger,
        queue: Queue | None,
        model: str,
        report: Report,
    ) -> None:
        self.folder, self.out, self.plan, self.settings = folder, out, plan, settings
        self.ledger, self.queue, self.model, self.report = ledger, queue, model, report
        self.outcome = Outcome()

    def run(self, workers: int) -> Outcome:
        """Finish what an earlier run began, then sort what is new."""
        remove_parts(self.out / SUMMARY)
        with ThreadPoolExecutor(COPIERS) as self.copiers:
            self.finish()
            self.start = time.perf_counter()
            self.number = self.ledger.start_run(now(), self.describe())
            for group in read_all(self.settings, self.folder, self.new_pieces(), workers=workers):
                rows = [self.decide(piece, reading) for piece, reading in group]
                self.ledger.decide(rows)
                self.place(rows, self.number)
                self.report(self.outcome)
        return self.outcome

    def describe(self) -> dict[str, object]:
        """Return what is kept of the run's settings in the ledger."""
        return {
            "folder": str(self.folder),
            "format": self.settings.format,
            "valid": self.settings.valid and str(self.settings.valid),
            "reject_above": self.settings.reject_above,
            "model": self.model,
        }

    def new_pieces(self) -> Iterator[Piece]:
        """Yield the pieces that no run has decided."""
        for picture in find_pictures(self.folder):
            try:
                piece = identify(self.folder, picture)
            except FileNotFoundError:
                continue  # taken away since the folder was listed
            except OSError:
                self.outcome = replace(self.outcome, shut=(*self.outcome.shut, picture))
                continue
            if self.ledger.knows(piece):
                self.outcome = replace(self.outcome, known=self.outcome.known + 1)
            else:
                yield piece

    def decide(self, piece: Piece, reading: Reading) -> Row:
        """Return where a piece goes."""
        if reading.page is None:
            bin = UNREADABLE
        elif not reading.accepted:
            bin = REVIEW
        else:
            bin = self.plan.find_bin(reading.code)
        return Row(
            piece=piece,
            code=reading.code,
            confidence=reading.confidence,
            bin=bin,
            model=self.model,
            time=now(),
            page=reading.page if bin == REVIEW else None,
            format=self.settings.format if bin == REVIEW else None,
        )

    def finish(self) -> None:
        """Put pieces into their bins that a run had decided when it was stopped.

        Only these can have left the beginnings of copies.
        """
        after = 0
        while waiting := self.ledger.waiting(after=after):
            rows = [row for _, row in waiting]
            for row in rows:
                remove_parts(self.out / row.bin / row.piece.copy_name())
            self.place(rows, None)
            after = waiting[-1][0]
        # They are met again in the folder, and are not to be counted twice.
        self.outcome = replace(self.outcome, known=-self.outcome.routed)

    def place(self, rows: list[Row], run: int | None) -> None:
        """Put decided pieces into their bins, and commit that they are there."""
        self.make_bins(rows)
        placed, lost = [], []
        for row, copied in zip(rows, list(self.copiers.map(self.copy, rows)), strict=True):
            if copied is None:
                lost.append(row.piece.picture)
                continue
            if self.queue is not None and row.page is not None:
                self.queue.add(row.piece.picture, copied.read_bytes(), row.page, row.format)
            placed.append(row.piece)
        seconds = 0.0 if run is None else time.perf_counter() - self.start
        self.ledger.settle(placed, run, seconds)
        self.outcome = replace(
            self.outcome,
            routed=self.outcome.routed + len(placed),
            lost=(*self.outcome.lost, *lost),
            seconds=seconds,
        )

    def make_bins(self, rows: list[Row]) -> None:
        """Make the bins that are not there yet, and flush their names to the disk."""
        missing = [bin for bin in {row.bin for row in rows} if not (self.out / bin).is_dir()]
        for bin in missing:
            (self.out / bin).mkdir(exist_ok=True)
        if missing:
            sync_folder(self.out)

    def copy(self, row: Row) -> Path | None:
        """Copy a piece into its bin; None if its picture is gone or has changed."""
        try:
            return copy(row.piece, self.folder, self.out / row.bin)
        except ChangedError:
            return None
        except WriteError as error:
            raise error.__cause__ or error from None


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
