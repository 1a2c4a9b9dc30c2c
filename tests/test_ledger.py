"""The ledger: what a kill, a person's editor or a full disk leaves, the next start puts right."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tendigits.errors import SortingError, StorageFullError
from tendigits.results import Page
from tendigits.sorting.database import CSV, DATABASE, LOG
from tendigits.sorting.disk import is_full, only_one, told_when_full
from tendigits.sorting.ledger import CUT, Ledger, Row
from tendigits.sorting.mail import Piece

PIECES = 40

# Sorts with a reader that takes no time, and into another bin each time it is started.
SORTER = """
import sys, time
from pathlib import Path
from tendigits.sorting import route
from tendigits.sorting.plan import Plan
from tendigits.sorting.readings import Reading, ReaderSettings, _group

def read_all(settings, folder, pieces, *, workers):
    for group in _group(pieces):
        time.sleep(0.005)
        yield [(piece, Reading(code="1", confidence=1.0, accepted=True, page=object()))
               for piece in group]

class Settings(ReaderSettings):
    def make_reader(self): pass
    def model_name(self): return "none"

route.read_all = read_all
folder, out, bin = sys.argv[1:]
route.route(Path(folder), Path(out), Plan(bins={"1": bin}), Settings())
"""

# The tables of tendigits before the ledger kept formats, with a piece that waits for its bin.
VERSION_1 = """
CREATE TABLE pieces (
    number INTEGER PRIMARY KEY, picture NOT NULL, sha256 TEXT NOT NULL, code TEXT NOT NULL,
    confidence REAL NOT NULL, bin TEXT NOT NULL, model TEXT NOT NULL, time TEXT NOT NULL,
    placed INTEGER NOT NULL DEFAULT 0, page TEXT, UNIQUE (picture, sha256)
);
CREATE INDEX waiting ON pieces (number) WHERE placed = 0;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, start TEXT NOT NULL, settings TEXT NOT NULL,
    pieces INTEGER NOT NULL, seconds REAL NOT NULL
);
INSERT INTO runs VALUES (1, '2026-11-26T08:00:00Z', '{"format": "us-zip"}', 1, 2.0);
INSERT INTO runs VALUES (2, '2026-11-26T08:30:00Z', '{"format": "de-plz"}', 0, 0.0);
INSERT INTO runs VALUES (3, '2026-11-26T09:00:00Z', '{"format": null}', 0, 0.0);
INSERT INTO pieces VALUES (
    1, '1.png', '1', '94703', 0.9, 'west', 'small', '2026-11-26T08:10:00Z', 1, NULL
);
INSERT INTO pieces VALUES (
    2, '2.png', '2', '10115', 0.5, 'review', 'small', '2026-11-26T08:30:00Z', 0,
    '{"fields": [], "width": 3, "height": 2}'
);
INSERT INTO pieces VALUES (
    3, '3.png', '3', '10115', 0.9, 'west', 'small', '2026-11-26T08:40:00Z', 0, NULL
);
PRAGMA user_version = 1;
"""


def make_row(number: int, bin: str = "west") -> Row:
    return Row(
        piece=Piece(picture=f'{number}, "a".png', sha256=f"{number:064x}"),
        code=f"{number:05d}",
        confidence=0.5,
        bin=bin,
        model="small",
        time="2026-11-26T08:30:00Z",
    )


def csv_of(folder: Path) -> bytes:
    return (folder / CSV).read_bytes()


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_piece_is_decided_once(tmp_path: Path) -> None:
    row = make_row(1)
    with Ledger(tmp_path) as ledger:
        assert not ledger.knows(row.piece)
        ledger.decide([row])
        assert ledger.knows(row.piece)
        with pytest.raises(SortingError):
            ledger.decide([make_row(2), make_row(1, "east")])
        assert not ledger.knows(make_row(2).piece), "all rows or none"
        assert ledger.waiting() == [(1, row)]
        ledger.settle([row.piece], None, 0.0)
        assert ledger.waiting() == []
        assert ledger.count() == {"west": 1}


def test_what_the_queue_is_told_is_kept_until_the_piece_is_there(tmp_path: Path) -> None:
    row = replace(make_row(1, "review"), page=Page(fields=(), width=3, height=2), format="us-zip")
    with Ledger(tmp_path) as ledger:
        ledger.decide([row])
    with Ledger(tmp_path) as ledger:
        assert ledger.waiting() == [(1, row)]
        ledger.settle([row.piece], None, 0.0)
        kept = ledger.connection.execute("SELECT placed, page, format FROM pieces").fetchall()
    assert kept == [(1, None, None)]


def test_both_say_the_same(tmp_path: Path) -> None:
    rows = [make_row(number) for number in range(3)]
    with Ledger(tmp_path) as ledger:
        ledger.decide(rows)
    head = b"picture,sha256,code,confidence,bin,model,time\n"
    assert csv_of(tmp_path) == head + b"".join(row.line() for row in rows)


@pytest.mark.parametrize("left", [0, 1, 50, -1, -30], ids=str)
def test_a_file_that_was_cut_is_completed(tmp_path: Path, left: int) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([make_row(number) for number in range(3)])
    whole = csv_of(tmp_path)
    (tmp_path / CSV).write_bytes(whole[:left])
    Ledger(tmp_path).connection.close()
    assert csv_of(tmp_path) == whole
    assert not (tmp_path / CUT).exists()


def test_what_a_person_wrote_is_kept_beside_it(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([make_row(number) for number in range(3)])
    whole = csv_of(tmp_path)
    (tmp_path / CSV).write_bytes(whole.replace(b"00001", b"99999") + b"a note\n")
    Ledger(tmp_path).connection.close()
    assert csv_of(tmp_path) == whole
    assert b"99999" in (tmp_path / CUT).read_bytes()
    assert (tmp_path / CUT).read_bytes().endswith(b"a note\n")


def test_every_commit_is_flushed(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        settings = [
            ledger.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]
    assert settings == ["wal", 2]


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(SortingError, match=r"ledger\.sqlite3: cannot be used"):
        Ledger(tmp_path)


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path).connection.close()
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(SortingError, match="is of version 3: expected 2"):
        Ledger(tmp_path)


def test_an_older_ledger_is_renewed_and_knows_by_which_format_a_piece_was_read(
    tmp_path: Path,
) -> None:
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.executescript(VERSION_1)
    connection.close()
    for _ in range(2):
        with Ledger(tmp_path) as ledger:
            waiting = [(row.piece.picture, row.format) for _, row in ledger.waiting()]
            assert waiting == [("2.png", "de-plz"), ("3.png", None)]
            assert ledger.count() == {"review": 1, "west": 2}
            assert ledger.measure() == (1, 2.0)
    with Ledger(tmp_path) as ledger:
        ledger.decide([make_row(4)])
        assert ledger.knows(make_row(4).piece)


def test_lines_without_their_database_are_not_sorted_a_second_time(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.decide([make_row(1)])
    (tmp_path / DATABASE).unlink()
    before = contents_of(tmp_path)
    for _ in range(2):
        with pytest.raises(SortingError, match=r"but ledger\.csv lists what was sorted"):
            Ledger(tmp_path)
    assert contents_of(tmp_path) == before


def test_lines_beside_an_empty_database_are_not_sorted_a_second_time(tmp_path: Path) -> None:
    """As SQLite makes one when anything looks for the database that is gone."""
    with Ledger(tmp_path) as ledger:
        ledger.decide([make_row(1)])
    (tmp_path / DATABASE).unlink()
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    before = contents_of(tmp_path)
    with pytest.raises(SortingError, match="is gone or empty"):
        Ledger(tmp_path)
    assert contents_of(tmp_path) == before


@pytest.mark.parametrize("lines", [True, False], ids=["with lines", "without lines"])
@pytest.mark.parametrize("left", [None, b""], ids=["gone", "empty"])
def test_the_log_of_a_ledger_that_is_gone_is_left_for_its_return(
    tmp_path: Path, left: bytes | None, lines: bool
) -> None:
    killed = tmp_path / "killed"
    with Ledger(tmp_path) as ledger:
        ledger.decide([make_row(number) for number in range(3)])
        shutil.copytree(tmp_path, killed)  # as a kill leaves it: the log was not closed
    database = (killed / DATABASE).rename(tmp_path / "elsewhere")
    if left is not None:
        (killed / DATABASE).write_bytes(left)
    if not lines:
        (killed / CSV).unlink()
    before = contents_of(killed)
    with pytest.raises(SortingError, match=f"but {CSV if lines else LOG} lists what was sorted"):
        Ledger(killed)
    assert contents_of(killed) == before
    database.replace(killed / DATABASE)
    with Ledger(killed) as ledger:
        assert ledger.count() == {"west": 3}


def test_a_full_disk_is_told_by_both_kinds_of_error(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.connection.execute("PRAGMA max_page_count = 6")
        with pytest.raises(StorageFullError, match="the disk is full: make room and start again"):
            ledger.decide([make_row(number) for number in range(1_000)])
        assert ledger.count() == {}
    with pytest.raises(StorageFullError), told_when_full(tmp_path):
        raise OSError(28, "No space left on device")
    assert not is_full(OSError(13, "Permission denied"))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(SortingError, match="another process sorts into it"),
        only_one(tmp_path),
    ):
        pass
    with only_one(tmp_path):
        pass


def start_sorter(folder: Path, out: Path, bin: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SORTER, str(folder), str(out), bin])


@pytest.mark.parametrize("seed", range(3))
def test_killed_whenever_each_piece_is_in_one_bin_once(tmp_path: Path, seed: int) -> None:
    folder, out = tmp_path / "mail", tmp_path / "sorted"
    folder.mkdir()
    for number in range(PIECES):
        (folder / f"{number}.png").write_bytes(b"piece %d" % number)
    chance = random.Random(seed)
    for bin in ("first", "second", "third"):
        process = start_sorter(folder, out, bin)
        copies = len(list(out.glob("*/*.png")))
        while process.poll() is None and len(list(out.glob("*/*.png"))) == copies:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start_sorter(folder, out, "last").wait() == 0
    copies_of = Counter(path.read_bytes() for path in out.glob("*/*.png"))
    assert copies_of == {b"piece %d" % number: 1 for number in range(PIECES)}
    assert not list(out.rglob("*.part"))
    with Ledger(out) as ledger:
        assert sum(ledger.count().values()) == PIECES
        assert ledger.waiting() == []
        for bin, count in ledger.count().items():
            assert len(list((out / bin).iterdir())) == count
    assert csv_of(out).count(b"\n") == PIECES + 1
