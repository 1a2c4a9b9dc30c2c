"""The ledger: what is in it stays, and its file for people says the same."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tendigits.errors import LedgerError
from tendigits.sorting.decisions import Decision, Run
from tendigits.sorting.ledger import Ledger
from tendigits.sorting.ledger_csv import LedgerCsv

RUN = Run(started=1e9, model="small 0123", format="us-zip", plan="ab", reject_above=0.05)


def decision(picture: str, bin: str = "west") -> Decision:
    return Decision(
        picture=picture,
        sha256="ab" * 32,
        code="94110",
        confidence=0.99,
        bin=bin,
        time=1e9 + 2,
        model="small 0123",
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path)
    opened.begin(RUN)
    yield opened
    opened.close()


def copy_of(ledger: Ledger) -> bytes:
    """Make the file agree, and return what is in it."""
    folder = ledger.path.parent
    LedgerCsv(folder, ledger).close()
    return (folder / "ledger.csv").read_bytes()


def test_a_piece_is_decided_once(ledger: Ledger) -> None:
    (noted,) = ledger.decide([decision("1.png")])
    assert list(ledger.decisions()) == [noted]
    assert ledger.is_decided("1.png", "ab" * 32)
    assert not ledger.is_decided("1.png", "cd" * 32)
    with pytest.raises(LedgerError, match="UNIQUE"):
        ledger.decide([decision("2.png"), decision("1.png", "east")])
    assert list(ledger.decisions()) == [noted]  # nor the other one: all of it, or nothing


def test_what_is_not_delivered_is_known(ledger: Ledger) -> None:
    first, second = ledger.decide([decision("1.png"), decision("2.png")])
    assert ledger.undelivered() == [first, second]
    ledger.decide([], [first.number])
    assert ledger.undelivered() == [second]


@pytest.mark.parametrize("table", ["runs", "decisions", "deliveries"])
@pytest.mark.parametrize("verb", ["DELETE FROM {0}", "UPDATE {0} SET rowid = 7"])
def test_nothing_is_changed_or_removed(ledger: Ledger, table: str, verb: str) -> None:
    (noted,) = ledger.decide([decision("1.png")])
    ledger.decide([], [noted.number])
    ledger.close()
    database = sqlite3.connect(ledger.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(verb.format(table))
    database.close()


def test_one_program_at_a_time(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="another tendigits sorts into this folder"):
        Ledger(tmp_path)
    ledger.close()
    Ledger(tmp_path).close()


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"a diary" * 1000)
    with pytest.raises(LedgerError, match="expected the ledger of a sorting"):
        Ledger(tmp_path)


def test_every_name_of_a_file_comes_back(ledger: Ledger) -> None:
    names = ["a,b.png", 'a"b\n.png', "ü.png", os.fsdecode(b"\xff.png"), "=1+1.png"]
    ledger.decide([decision(name) for name in names])
    assert [each.picture for each in ledger.decisions()] == names
    assert all(ledger.is_decided(name, "ab" * 32) for name in names)
    assert copy_of(ledger).count(b"94110") == len(names)


@pytest.mark.parametrize("end", [0, 1, 30, 60, 100, 200, -40, -1])
def test_a_file_that_lost_its_end_is_completed(ledger: Ledger, end: int) -> None:
    ledger.decide([decision("1.png"), decision("2\n.png")])
    whole = copy_of(ledger)
    path = ledger.path.with_name("ledger.csv")
    path.write_bytes(whole[:end])
    assert copy_of(ledger) == whole
    assert sorted(each.name for each in path.parent.glob("*.csv")) == ["ledger.csv"]


@pytest.mark.parametrize("place", [0, 60, -10])
def test_a_file_that_somebody_changed_is_kept_beside(ledger: Ledger, place: int) -> None:
    ledger.decide([decision("1.png"), decision("2.png")])
    whole = copy_of(ledger)
    changed = whole[:place] + b"!" + whole[place:]
    path = ledger.path.with_name("ledger.csv")
    path.write_bytes(changed)
    assert copy_of(ledger) == whole
    (kept,) = path.parent.glob("ledger-before-*.csv")
    assert kept.read_bytes() == changed


def test_what_is_added_by_hand_at_the_end_is_kept_too(ledger: Ledger) -> None:
    whole = copy_of(ledger)
    ledger.path.with_name("ledger.csv").write_bytes(whole + b"a note\n")
    assert copy_of(ledger) == whole
    assert len(list(ledger.path.parent.glob("ledger-before-*.csv"))) == 1


def test_runs_and_bins_are_counted(ledger: Ledger) -> None:
    ledger.decide([decision("1.png"), decision("2.png", "east"), decision("3.png")])
    assert ledger.bins() == {"east": 1, "west": 2}
    (run,) = ledger.runs()
    assert (run.pieces, run.seconds, run.format) == (3, 2.0, "us-zip")
    assert ledger.confidences(4) == [0, 0, 0, 3]
