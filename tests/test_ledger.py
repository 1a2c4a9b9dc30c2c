"""The ledger: SQLite is the truth, ledger.csv follows it, and a kill changes nothing."""

import csv
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tendigits.errors import SortingError, StorageFullError
from tendigits.results import Page
from tendigits.sorting.ledger import CSV, CUT, DATABASE, Ledger, Row
from tendigits.sorting.mail import Piece

SHA = "ab" * 32
PAGE = Page(fields=(), width=40, height=30)


def row(picture: str, bin: str = "west", page: Page | None = None) -> Row:
    return Row(
        piece=Piece(picture=picture, sha256=SHA),
        code="94703",
        confidence=0.987654321,
        bin=bin,
        model="small@0123456789ab",
        time="2026-11-26T08:30:00Z",
        page=page,
    )


def decide_many(ledger: Ledger, count: int) -> None:
    for number in range(count):
        ledger.decide([row(f"{number}.png")])


def rows_in_csv(folder: Path) -> list[list[str]]:
    with (folder / CSV).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_row_is_in_sqlite_and_in_the_csv_file(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([row("tray/0001.png")])
        assert ledger.knows(Piece(picture="tray/0001.png", sha256=SHA))
        assert not ledger.knows(Piece(picture="tray/0001.png", sha256="cd" * 32))
    head, line = rows_in_csv(tmp_path)
    assert head == ["picture", "sha256", "code", "confidence", "bin", "model", "time"]
    assert line[:5] == ["tray/0001.png", SHA, "94703", "0.987654", "west"]
    assert line[5:] == ["small@0123456789ab", "2026-11-26T08:30:00Z"]


def test_a_piece_waits_until_it_is_settled_and_its_page_with_it(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([row("1.png"), row("2.png", "review", PAGE)])
    with Ledger(tmp_path) as ledger:  # as after a kill
        waiting = [each for _, each in ledger.waiting()]
        assert [each.piece.picture for each in waiting] == ["1.png", "2.png"]
        assert waiting[1] == replace(row("2.png", "review", PAGE), confidence=0.987654321)
        ledger.settle([waiting[0].piece], None, 0.0)
        assert [each.piece.picture for _, each in ledger.waiting()] == ["2.png"]
        ledger.settle([waiting[1].piece], None, 0.0)
        assert ledger.waiting() == []
    with sqlite3.connect(tmp_path / DATABASE) as database:
        assert database.execute("SELECT COUNT(*), COUNT(page) FROM pieces").fetchone() == (2, 0)
    database.close()


def test_a_piece_is_never_decided_twice(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([row("1.png")])
        with pytest.raises(SortingError, match="UNIQUE"):
            ledger.decide([row("2.png"), row("1.png", "east")])
        assert not ledger.knows(row("2.png").piece)  # all rows of a call, or none
    assert len(rows_in_csv(tmp_path)) == 2


@pytest.mark.parametrize("cut", [0, 1, 30, 75, 170, 240])
def test_a_torn_csv_file_is_completed(tmp_path: Path, cut: int) -> None:
    names = ["a.png", 'quoted ",".png', "two\nlines.png", "ä.png"]
    with Ledger(tmp_path) as ledger:
        ledger.decide([row(name) for name in names])
    whole = (tmp_path / CSV).read_bytes()
    (tmp_path / CSV).write_bytes(whole[:cut])
    Ledger(tmp_path).__exit__()
    assert (tmp_path / CSV).read_bytes() == whole
    (tmp_path / CSV).unlink()
    Ledger(tmp_path).__exit__()
    assert (tmp_path / CSV).read_bytes() == whole
    assert [line[0] for line in rows_in_csv(tmp_path)[1:]] == names


def test_what_a_person_wrote_into_the_csv_file_is_kept_beside_it(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([row("1.png"), row("2.png")])
    whole = (tmp_path / CSV).read_bytes()
    changed = whole.replace(b"2.png", b"2.png,checked by Ann")
    (tmp_path / CSV).write_bytes(changed)
    Ledger(tmp_path).__exit__()
    assert (tmp_path / CSV).read_bytes() == whole
    assert b"checked by Ann" in (tmp_path / CUT).read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_comes_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    with Ledger(tmp_path) as ledger:
        ledger.decide([row(name)])
        assert ledger.knows(row(name).piece)
        assert [each.piece.picture for _, each in ledger.waiting()] == [name]
    assert rows_in_csv(tmp_path)[1][0] == r"\udcff.png"
    Ledger(tmp_path).__exit__()
    assert len(rows_in_csv(tmp_path)) == 2


def test_a_full_disk_is_told_in_a_line_and_loses_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
        ledger.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StorageFullError, match=r"disk is full: make room and start again"):
            decide_many(ledger, 1_000)
        decided = len(ledger.waiting(most=2_000))
        assert decided > 10
    with Ledger(tmp_path) as ledger:  # with room again
        ledger.decide([row(f"{decided}.png")])
    assert len(rows_in_csv(tmp_path)) == decided + 2


def test_another_file_or_version_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.connection.execute("PRAGMA user_version = 9")
    with pytest.raises(SortingError, match=r"is of version 9: expected 1"):
        Ledger(tmp_path)
    (tmp_path / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(SortingError, match="cannot be used"):
        Ledger(tmp_path)
