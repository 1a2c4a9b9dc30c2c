"""The summary of a sorting: one HTML file, with nothing from elsewhere."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from tendigits.atomic import write_text
from tendigits.sorting.decisions import Run
from tendigits.sorting.full_disk import told_full
from tendigits.sorting.ledger import Ledger
from tendigits.sorting.plan import OWN_BINS, REVIEW, UNREADABLE, UNROUTED
from tendigits.version import __version__

NAME = "summary.html"
PARTS = 20  # of the chances from 0 to 1
MOST_ROWS = 500  # of a table; the rest is counted

WIDTH, HEIGHT, BASE, TOP = 800, 220, 180, 20  # of the chart, in its own units


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a ledger says, counted.

    Attributes:
        pieces: All that were decided.
        bins: How many in each bin, by bin.
        seconds: Of all runs, from each one's start to its last decision.
    """

    pieces: int
    bins: dict[str, int]
    seconds: float

    @property
    def read(self) -> int:
        """Pieces whose code was accepted."""
        return self.pieces - self.bins.get(REVIEW, 0) - self.bins.get(UNREADABLE, 0)

    @property
    def pieces_a_second(self) -> float:
        """Pieces that were decided in a second; 0 where none was."""
        return self.pieces / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON knows it."""
        return {
            "pieces": self.pieces,
            "read": self.read,
            "review": self.bins.get(REVIEW, 0),
            "unrouted": self.bins.get(UNROUTED, 0),
            "unreadable": self.bins.get(UNREADABLE, 0),
            "read_rate": share(self.read, self.pieces),
            "reject_rate": share(self.bins.get(REVIEW, 0), self.pieces),
            "pieces_a_second": round(self.pieces_a_second, 2),
            "bins": self.bins,
        }


def count(ledger: Ledger) -> Totals:
    """Return what a ledger says, counted."""
    bins = ledger.bins()
    seconds = sum(run.seconds for run in ledger.runs())
    return Totals(pieces=sum(bins.values()), bins=bins, seconds=seconds)


def share(part: int, whole: int) -> float:
    """Return a part of a whole, in [0, 1]; 0 of nothing."""
    return part / whole if whole else 0.0


def write_summary(folder: Path, ledger: Ledger) -> Totals:
    """Write the summary of a ledger into a folder.

    Args:
        folder: Where it goes, as ``summary.html``.
        ledger: What it is about.

    Returns:
        What it says.

    Raises:
        LedgerError: The ledger cannot be read.
        StorageFullError: There is no room; the summary that was there is left.
        OSError: It cannot be written.
    """
    totals = count(ledger)
    with told_full(folder):
        write_text(folder / NAME, render(totals, ledger.runs(), ledger.confidences(PARTS)))
    return totals


def render(totals: Totals, runs: list[Run], confidences: list[int]) -> str:
    """Return the page.

    Args:
        totals: What was decided.
        runs: That decided it.
        confidences: How many codes have each confidence, in equal parts of [0, 1].
    """
    template = resources.files("tendigits.sorting").joinpath("summary.html").read_text("utf-8")
    reject_above = runs[-1].reject_above if runs else 0.0
    return Template(template).substitute(
        read_share=percent(totals.read, totals.pieces),
        review_share=percent(totals.bins.get(REVIEW, 0), totals.pieces),
        pieces=f"{totals.pieces:,}",
        facts="\n".join(_facts(totals)),
        bins="\n".join(_bins(totals)),
        step=f"{1 / len(confidences):g}",
        chart=chart(confidences, reject_above),
        chart_note=f"A person sees what has less than {1 - reject_above:g}.",
        runs="\n".join(_runs(runs)),
        version=escape(__version__),
    )


def percent(part: int, whole: int) -> str:
    """Return a share in words, never rounded to all or nothing.

    >>> percent(1, 3), percent(99_999, 100_000), percent(1, 100_000), percent(0, 0)
    ('33.3%', '99.9%', '0.1%', '0.0%')
    """
    value = 100 * share(part, whole)
    if 0 < part < whole:
        value = min(max(value, 0.1), 99.9)
    return f"{value:.1f}%"


def _facts(totals: Totals) -> Iterable[str]:
    """Yield the figures under the headline."""
    facts = {
        "read": f"{totals.read:,}",
        "to a person": f"{totals.bins.get(REVIEW, 0):,}",
        "in no bin of the plan": f"{totals.bins.get(UNROUTED, 0):,}",
        "unreadable": f"{totals.bins.get(UNREADABLE, 0):,}",
        "pieces a second": f"{totals.pieces_a_second:,.1f}",
    }
    for name, value in facts.items():
        yield f"<div><dt>{name}</dt><dd>{value}</dd></div>"


def _bins(totals: Totals) -> Iterable[str]:
    """Yield a row for each bin: the plan's, the fullest first, then our own."""
    plan = sorted(
        (name for name in totals.bins if name not in OWN_BINS),
        key=lambda name: (-totals.bins[name], name),
    )
    most = max(totals.bins.values(), default=1)
    for name in [*plan[:MOST_ROWS], *(own for own in OWN_BINS if own in totals.bins)]:
        pieces = totals.bins[name]
        kind = ' class="own"' if name in OWN_BINS else ""
        yield (
            f'<tr{kind}><th scope="row">{escape(name)}</th><td>{pieces:,}</td>'
            f"<td>{percent(pieces, totals.pieces)}</td>"
            f'<td><span class="bar" style="width: {100 * pieces / most:.1f}%"></span></td></tr>'
        )
    if len(plan) > MOST_ROWS:
        left = sum(totals.bins[name] for name in plan[MOST_ROWS:])
        rest = len(plan) - MOST_ROWS
        yield (
            f'<tr><th scope="row">{rest:,} more bins</th><td>{left:,}</td>'
            f"<td>{percent(left, totals.pieces)}</td><td></td></tr>"
        )


def _runs(runs: list[Run]) -> Iterable[str]:
    """Yield a row for each of the last runs."""
    for run in runs[-MOST_ROWS:]:
        moment = datetime.datetime.fromtimestamp(run.started, datetime.UTC)
        rate = run.pieces / run.seconds if run.seconds else 0.0
        yield (
            f'<tr><th scope="row">{moment:%Y-%m-%d %H:%M:%S}</th><td>{run.pieces:,}</td>'
            f"<td>{run.seconds:,.1f}</td><td>{rate:,.1f}</td><td>{escape(run.model)}</td>"
            f"<td>{escape(run.format or 'any digits')}</td><td>{run.reject_above:.1%}</td></tr>"
        )


def chart(counts: list[int], reject_above: float) -> str:
    """Return how many codes have each confidence as bars of SVG.

    Args:
        counts: In equal parts of [0, 1].
        reject_above: The chance of being wrong above which a person looks.
    """
    most = max(max(counts), 1)
    wide = WIDTH / len(counts)
    bars = []
    for place, pieces in enumerate(counts):
        high = (BASE - TOP) * pieces / most
        is_doubtful = (place + 0.5) / len(counts) < 1 - reject_above
        kind = ' class="doubt"' if is_doubtful else ""
        left = place * wide + 2
        bars.append(
            f'<rect{kind} x="{left:.1f}" y="{BASE - high:.1f}" width="{wide - 4:.1f}" '
            f'height="{high:.1f}"><title>{pieces:,}</title></rect>'
        )
        if pieces:
            bars.append(
                f'<text x="{left + wide / 2 - 2:.1f}" y="{BASE - high - 5:.1f}" '
                f'text-anchor="middle">{pieces:,}</text>'
            )
    words = f"{sum(counts):,} codes by their chance of being right"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f'<line x1="0" y1="{BASE}" x2="{WIDTH}" y2="{BASE}"/>{"".join(bars)}'
        f'<text x="0" y="{BASE + 20}">0</text>'
        f'<text x="{WIDTH / 2}" y="{BASE + 20}" text-anchor="middle">0.5</text>'
        f'<text x="{WIDTH}" y="{BASE + 20}" text-anchor="end">1</text></svg>'
    )
