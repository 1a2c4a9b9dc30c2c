"""The summary of a sorting: one HTML file for people, which needs nothing from elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from tendigits.atomic import write_text
from tendigits.sorting.disk import told_when_full
from tendigits.sorting.ledger import Ledger
from tendigits.sorting.plan import OWN_BINS, REVIEW, UNREADABLE, UNROUTED
from tendigits.version import __version__

SUMMARY = "summary.html"
MOST_BINS = 1_000  # that are listed; the rest is counted


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a ledger says, counted.

    Attributes:
        bins: How many pieces in each bin, by bin.
        timed: Pieces that runs put into bins themselves, not those that a kill had left to them.
        seconds: That these runs took for them, from their first piece to their last.
    """

    bins: Mapping[str, int]
    timed: int = 0
    seconds: float = 0.0

    @property
    def pieces(self) -> int:
        """All that were decided."""
        return sum(self.bins.values())

    @property
    def read(self) -> int:
        """Pieces whose code was accepted, whether the plan has it or not."""
        return self.pieces - self.rejected - self.bins.get(UNREADABLE, 0)

    @property
    def rejected(self) -> int:
        """Pieces that wait for a person."""
        return self.bins.get(REVIEW, 0)

    @property
    def pieces_a_second(self) -> float:
        """How fast they were sorted; 0 if none was."""
        return self.timed / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it; rates are in [0, 1]."""
        return {
            "pieces": self.pieces,
            "read_rate": round(self.read / max(1, self.pieces), 6),
            "reject_rate": round(self.rejected / max(1, self.pieces), 6),
            "pieces_a_second": round(self.pieces_a_second, 2),
            "bins": dict(self.bins),
        }


NOTHING = Summary(bins={})


def summarise(ledger: Ledger) -> Summary:
    """Return what a ledger says, counted."""
    timed, seconds = ledger.measure()
    return Summary(bins=ledger.count(), timed=timed, seconds=seconds)


def write_summary(folder: Path, summary: Summary) -> None:
    """Write a summary into a folder as ``summary.html``, whole or not at all.

    Raises:
        StorageFullError: The disk is full; the summary that was there is left.
        OSError: It cannot be written.
    """
    with told_when_full(folder / SUMMARY):
        write_text(folder / SUMMARY, render(summary))


def render(summary: Summary) -> str:
    """Return a summary as HTML."""
    page = resources.files("tendigits.sorting").joinpath(SUMMARY).read_text("utf-8")
    return Template(page).substitute(
        read=percent(summary.read, summary.pieces),
        rejected=percent(summary.rejected, summary.pieces),
        pieces=f"{summary.pieces:,}",
        speed=f"{summary.pieces_a_second:,.1f}",
        unrouted=f"{summary.bins.get(UNROUTED, 0):,}",
        unreadable=f"{summary.bins.get(UNREADABLE, 0):,}",
        rows="\n".join(_rows(summary)),
        version=escape(__version__),
    )


def percent(part: int, whole: int) -> str:
    """Return a share in words; only nothing is 0 % and only all is 100 %.

    >>> percent(1, 3), percent(99_999, 100_000), percent(1, 100_000), percent(0, 0)
    ('33.3 %', '99.9 %', '0.1 %', '0.0 %')
    """
    value = 100 * part / max(1, whole)
    return f"{min(max(value, 0.1), 99.9) if 0 < part < whole else value:.1f} %"


def _rows(summary: Summary) -> Iterable[str]:
    """Yield a row of the table for each bin: the plan's, the fullest first, then our own."""
    names = sorted(
        (name for name in summary.bins if name not in OWN_BINS),
        key=lambda name: (-summary.bins[name], name),
    )
    for name in names[:MOST_BINS]:
        yield _row(name, summary.bins[name], summary)
    if len(names) > MOST_BINS:
        rest = sum(summary.bins[name] for name in names[MOST_BINS:])
        yield _row(f"{len(names) - MOST_BINS:,} more bins", rest, summary)
    for name in OWN_BINS:
        if name in summary.bins:
            yield _row(name, summary.bins[name], summary, kind="own")


def _row(name: str, count: int, summary: Summary, kind: str = "plan") -> str:
    """Return a row of the table."""
    width = 100 * count / max(summary.bins.values())
    return (
        f'<tr class="{kind}"><th scope="row">{escape(name)}</th><td>{count:,}</td>'
        f"<td>{percent(count, summary.pieces)}</td>"
        f'<td class="bar"><span style="width: {width:.1f}%"></span></td></tr>'
    )
