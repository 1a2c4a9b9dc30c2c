"""Sorting a folder: each piece in one bin, once, whatever is killed when."""

import csv
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tendigits.data import DigitSet
from tendigits.data.lines import Hand, write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.errors import DataNotFoundError, SettingError, SortingError, StorageFullError
from tendigits.results import Page
from tendigits.sorting import mail
from tendigits.sorting import route as sorting
from tendigits.sorting.disk import only_one
from tendigits.sorting.ledger import CSV, DATABASE
from tendigits.sorting.plan import REVIEW, UNREADABLE, UNROUTED, Plan
from tendigits.sorting.readings import ReaderSettings, judge
from tendigits.sorting.route import Outcome, route
from tendigits.sorting.summary import SUMMARY

PLAN = Plan(bins={"0": "east", "1": "west"})
ZIP = ReaderSettings(format="us-zip")
SURE = ReaderSettings(format="us-zip", reject_above=0.0)


@pytest.fixture(scope="session")
def mailbag(tmp_path_factory: pytest.TempPathFactory, mnist: DigitSet) -> Path:
    """Six codes as 0.png to 5.png, three of them in a tray, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("mail")
    (folder / "tray").mkdir()
    chance = np.random.default_rng(5)
    for number, code in enumerate(("01234", "01239", "12345", "98765", "00000", "13579")):
        chosen = [chance.choice(np.flatnonzero(mnist.test.labels == int(digit))) for digit in code]
        ink, _ = write(mnist.test.take(np.array(chosen)), Hand(), chance)
        place = folder / "tray" if number % 2 else folder
        Image.fromarray(put_on_paper(ink, Paper(), chance)).save(place / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not mail")
    (folder / ".hidden.png").write_bytes(b"not mail")
    return folder


class Queue:
    """A queue that counts."""

    def __init__(self) -> None:
        self.added: list[tuple[str, str, str | None]] = []

    def add(self, name: str, picture: bytes, page: Page, format: str | None) -> None:
        assert isinstance(page, Page)
        self.added.append((name, hashlib.sha256(picture).hexdigest(), format))


def ledger_rows(out: Path) -> list[dict[str, str]]:
    """Return the ledger's rows, after a check that the CSV file, SQLite and the bins agree."""
    with (out / CSV).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    database = sqlite3.connect(out / DATABASE)
    query = "SELECT picture, sha256, bin, placed FROM pieces ORDER BY number"
    assert database.execute(query).fetchall() == [
        (row["picture"], row["sha256"], row["bin"], 1) for row in rows
    ]
    database.close()
    inside = Counter(
        (path.parent.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in out.glob("*/*")
    )
    assert inside == Counter((row["bin"], row["sha256"]) for row in rows)
    return rows


def test_each_piece_goes_to_the_bin_of_its_code(mailbag: Path, tmp_path: Path) -> None:
    out = tmp_path / "sorted"
    outcome = route(mailbag, out, PLAN, ReaderSettings(format="us-zip", reject_above=0.99))
    rows = {row["picture"]: row for row in ledger_rows(out)}
    names = ["0.png", "2.png", "4.png", "broken.jpg", "tray/1.png", "tray/3.png", "tray/5.png"]
    assert sorted(rows) == names
    assert outcome.routed == 7
    assert rows["broken.jpg"]["bin"] == UNREADABLE
    codes = {name: row["code"] for name, row in rows.items() if name != "broken.jpg"}
    right = {"0.png": "01234", "2.png": "12345", "4.png": "00000"}
    right |= {"tray/1.png": "01239", "tray/3.png": "98765", "tray/5.png": "13579"}
    assert sum(codes[name] == code for name, code in right.items()) >= 5
    for name, code in codes.items():
        assert rows[name]["bin"] in (PLAN.find_bin(code), REVIEW)
    assert {row["bin"] for row in rows.values()} >= {"east", "west", UNROUTED}
    assert "7 pieces" in (out / SUMMARY).read_text("utf-8")


def test_a_second_run_does_nothing_and_takes_what_is_new(mailbag: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "mail", tmp_path / "sorted"
    shutil.copytree(mailbag, folder)
    route(folder, out, PLAN, ZIP)
    before = ledger_rows(out)
    shutil.rmtree(out / UNREADABLE)  # its mail was taken away, and must not come back
    again = route(folder, out, Plan(bins={"0": "other", "1": "other"}), SURE)
    assert (again.routed, again.known) == (0, 7)
    assert not (out / UNREADABLE).exists()
    (folder / "0.png").write_bytes((folder / "2.png").read_bytes())  # other mail, the same name
    assert route(folder, out, PLAN, ZIP).routed == 1
    with (out / CSV).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[:7] == before
    assert (rows[7]["picture"], len(rows)) == ("0.png", 8)


def test_processes_read_as_one_does(mailbag: Path, tmp_path: Path) -> None:
    route(mailbag, tmp_path / "one", PLAN, ZIP, workers=1)
    route(mailbag, tmp_path / "two", PLAN, ZIP, workers=2)
    one, two = (
        [{**row, "time": ""} for row in ledger_rows(tmp_path / name)] for name in ("one", "two")
    )
    assert one == two


def test_what_is_rejected_goes_to_the_queue_too(mailbag: Path, tmp_path: Path) -> None:
    queue = Queue()
    route(mailbag, tmp_path / "sorted", PLAN, SURE, queue=queue)
    rows = [row for row in ledger_rows(tmp_path / "sorted") if row["bin"] == REVIEW]
    assert rows
    assert queue.added == [(row["picture"], row["sha256"], "us-zip") for row in rows]


def test_a_page_with_two_codes_or_none_needs_a_person(mailbag: Path) -> None:
    page = ZIP.make_reader().read(mailbag / "0.png")
    (field,) = page.fields
    sure = Page(fields=(field,), width=1, height=1)
    assert judge(sure).code == field.text
    other = type(field)(**{**vars(field), "text": "99999", "accepted": True})
    both = Page(fields=(type(field)(**{**vars(field), "accepted": True}), other), width=1, height=1)
    assert not judge(both).accepted
    assert judge(Page(fields=(), width=1, height=1)).accepted is False


def test_two_pieces_never_get_one_name() -> None:
    pieces = [
        mail.Piece(picture=picture, sha256=sha256)
        for picture in ("a/1.png", "b/1.png", "1.png", "a-1.png", "ä" * 200 + ".png")
        for sha256 in ("0" * 64, "1" * 64)
    ]
    names = {piece.copy_name() for piece in pieces}
    assert len(names) == len(pieces)
    assert max(len(name.encode()) for name in names) < 220


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few people make links")
def test_a_link_is_no_piece_and_leads_nowhere(mailbag: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "link.png").symlink_to(mailbag / "0.png")
    (folder / "tray").symlink_to(mailbag)
    assert list(mail.find_pictures(folder)) == []


def test_what_cannot_be_done_is_said_before_anything_is_written(
    mailbag: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="is inside"):
        route(mailbag, mailbag / "sorted", PLAN, ZIP)
    with pytest.raises(DataNotFoundError, match="expected a folder of pictures"):
        route(tmp_path / "none", tmp_path / "sorted", PLAN, ZIP)
    assert list(tmp_path.iterdir()) == []


def test_one_process_at_a_time_sorts_into_a_folder(mailbag: Path, tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(SortingError, match="another process sorts into it"):
        route(mailbag, tmp_path, PLAN, ZIP)
    assert route(mailbag, tmp_path, PLAN, ZIP).routed == 7


def test_a_full_disk_is_told_and_the_next_run_goes_on(
    mailbag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = 0

    def copy(*arguments: Any) -> Path:
        nonlocal copies
        copies += 1
        if copies == 3:
            raise OSError(28, "No space left on device")
        return mail.copy(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(sorting, "copy", copy)
        with pytest.raises(StorageFullError, match="make room and start again"):
            route(mailbag, tmp_path, PLAN, ZIP)
    assert route(mailbag, tmp_path, Plan(bins={"7": "none"}), ZIP).routed == 7
    ledger_rows(tmp_path)


def test_mail_that_is_gone_before_it_was_copied_is_told(
    mailbag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "mail", tmp_path / "sorted"
    shutil.copytree(mailbag, folder)

    def copy(piece: mail.Piece, *arguments: Any) -> Path:
        if piece.picture == "0.png":
            (folder / "0.png").unlink(missing_ok=True)
        return mail.copy(piece, *arguments)

    monkeypatch.setattr(sorting, "copy", copy)
    first = route(folder, out, PLAN, ZIP)
    assert (first.routed, first.lost) == (6, ("0.png",))
    again = route(folder, out, PLAN, ZIP)
    assert (again.routed, again.known, again.lost) == (0, 6, ("0.png",))


# A run whose reading costs nothing and says the number of the run, so that a piece which were
# decided again would go to another bin.
RUN = """
import sys
from pathlib import Path
from tendigits.results import Page
from tendigits.sorting import route as sorting
from tendigits.sorting.plan import Plan
from tendigits.sorting.readings import Reading, ReaderSettings

def read_all(settings, folder, pieces, *, workers):
    page = Page(fields=(), width=1, height=1)
    for piece in pieces:
        yield [(piece, Reading(code=sys.argv[3], confidence=1.0, accepted=True, page=page))]

sorting.read_all = read_all
print("begun", flush=True)
plan = Plan(bins={str(number): f"run {number}" for number in range(1, 10)})
sorting.route(Path(sys.argv[1]), Path(sys.argv[2]), plan, ReaderSettings())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_piece_stays_in_its_bin_through_kills(tmp_path: Path) -> None:
    folder, out = tmp_path / "mail", tmp_path / "sorted"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:03}.png").write_bytes(number.to_bytes(2, "big") * 500)
    chance = random.Random(3)
    killed = 0
    for number in range(1, 7):
        command = [sys.executable, "-c", RUN, str(folder), str(out), str(number)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(chance.uniform(0.2, 0.8))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
    subprocess.run([*command[:-1], "9"], check=True, stdout=subprocess.DEVNULL)
    rows = ledger_rows(out)
    assert sorted(row["picture"] for row in rows) == [f"{number:03}.png" for number in range(400)]
    assert killed > 0
    assert list(out.glob("*/.*")) == []


def test_an_outcome_begins_empty() -> None:
    assert (Outcome().routed, Outcome().summary.pieces) == (0, 0)
