"""Sorting mail: which bin a piece goes to, and what stops in the middle goes on."""

import csv
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from tendigits.atomic import MOST_OF_NAME, SUFFIX
from tendigits.cli import CommonOptions, app
from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.errors import DataNotFoundError, SettingError
from tendigits.reading import Reader
from tendigits.reading.segment import Line
from tendigits.results import Page
from tendigits.sorting import route as room
from tendigits.sorting.mail import Piece, copy, find_pictures, identify
from tendigits.sorting.plan import Plan
from tendigits.sorting.readings import ReaderSettings
from tendigits.sorting.route import route
from tendigits.sorting.summary import Summary, render

PLAN = Plan(bins={str(digit): f"bin-{digit}" for digit in range(1, 10)} | {"00": "zeros"})
SETTINGS = ReaderSettings(format="us-zip", reject_above=0.5)
DEADLY = (13, 17)  # the shape of a picture that ends the process that reads it


class DeadlyReader(Reader):
    def find_lines(self, pixels: NDArray[np.uint8]) -> list[Line]:
        if pixels.shape == DEADLY:
            os._exit(9)
        return super().find_lines(pixels)


class DeadlySettings(ReaderSettings):
    def make_reader(self) -> Reader:
        return DeadlyReader(format=self.format, reject_above=self.reject_above, threads=1)


class Queue:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.added: list[tuple[str, bytes, Page, str | None]] = []

    def add(self, name: str, picture: bytes, page: Page, format: str | None = None) -> None:
        self.added.append((name, picture, page, format))


@pytest.fixture(scope="module")
def mail(mnist: DigitSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six neat codes, one of them in a folder inside, a blank sheet and no picture."""
    folder = tmp_path_factory.mktemp("mail")
    random = np.random.default_rng(4)
    (folder / "tray 2").mkdir()
    for number in range(6):
        digits = mnist.test.take(random.integers(len(mnist.test), size=5))
        ink, _ = write(digits, Hand(height=44), random)
        name = f"{'tray 2/' if number == 5 else ''}{number}.png"
        Image.fromarray(put_on_paper(ink, Paper(), random)).save(folder / name)
    Image.new("L", (200, 80), 250).save(folder / "blank.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (folder / "truth.csv").write_text("not a picture's name")
    return folder


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "ledger.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["picture"] for row in rows})
    return {row["picture"]: row for row in rows}


def check_bins(folder: Path, out: Path) -> None:
    """Check that every piece of the ledger is in its bin, as it was, and nothing else anywhere."""
    rows = rows_of(out)
    assert set(rows) == set(find_pictures(folder))
    expected = {
        out / row["bin"] / Piece(picture=name, sha256=row["sha256"]).copy_name(): name
        for name, row in rows.items()
    }
    assert {path for path in out.glob("*/*") if path.is_file()} == set(expected)
    for path, name in expected.items():
        assert path.read_bytes() == (folder / name).read_bytes()


def test_mail_is_sorted_once(mail: Path, tmp_path: Path) -> None:
    out, queue = tmp_path / "out", Queue()
    first = route(mail, out, PLAN, SETTINGS, queue=queue)
    check_bins(mail, out)
    rows = rows_of(out)
    assert (first.routed, first.known, first.lost) == (8, 0, ())
    assert rows["broken.jpg"]["bin"] == "unreadable"
    assert rows["blank.png"]["bin"] == "review"
    reader = SETTINGS.make_reader()
    for number in range(5):
        field = reader.read(mail / f"{number}.png").fields[0]
        row = rows[f"{number}.png"]
        assert row["code"] == field.text
        assert float(row["confidence"]) == pytest.approx(field.confidence, abs=1e-4)
        assert row["bin"] == (PLAN.find_bin(field.text) if field.accepted else "review")
    rejected = {name for name, row in rows.items() if row["bin"] == "review"}
    assert {name for name, *_ in queue.added} == rejected
    for name, picture, page, format in queue.added:
        assert picture == (mail / name).read_bytes()
        assert (page, format) == (reader.read(mail / name), "us-zip")
    before = (out / "ledger.csv").read_bytes()
    again = route(mail, out, Plan(bins={"1": "elsewhere"}), SETTINGS, queue=queue)
    assert (again.routed, again.known) == (0, 8)
    assert (out / "ledger.csv").read_bytes() == before
    assert len(queue.added) == len(rejected)


def test_what_a_killed_run_began_to_write_is_swept_away_and_nothing_else(
    mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "mail", tmp_path / "out"
    folder.mkdir()
    for name in ("0.png", f"[1] {'long ' * 20}.png"):
        (folder / name).write_bytes((mail / "0.png").read_bytes())

    def begin(piece: Piece, folder: Path, bin: Path) -> Path:
        path = bin / piece.copy_name()
        begun.append(path.with_name(f".{path.name[:MOST_OF_NAME]}.k3_x9w2a{SUFFIX}"))
        begun[-1].write_bytes(b"half")
        both.wait()
        raise KeyboardInterrupt

    begun: list[Path] = []
    both = threading.Barrier(2, timeout=60)
    with monkeypatch.context() as patch:
        patch.setattr(room, "copy", begin)
        with pytest.raises(KeyboardInterrupt):
            route(folder, out, PLAN, SETTINGS)
    (out / ".summary.html.k3_x9w2a.part").write_bytes(b"half")
    (out / "downloads").mkdir()
    others = {bin / ".film.mkv.part" for bin in (begun[0].parent, out / "downloads")}
    for path in others:
        path.write_bytes(b"not ours")
    assert route(folder, out, PLAN, SETTINGS).routed == 2
    assert set(out.rglob("*.part")) == others


def test_bins_may_be_emptied(mail: Path, tmp_path: Path) -> None:
    route(mail, tmp_path, PLAN, SETTINGS)
    for path in tmp_path.glob("*/*"):
        path.unlink()
    assert route(mail, tmp_path, PLAN, SETTINGS).routed == 0
    assert list(tmp_path.glob("*/*")) == []


def test_what_was_decided_is_placed_by_the_ledger(
    mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "copy", fail)
    with pytest.raises(KeyboardInterrupt):
        route(mail, tmp_path, PLAN, SETTINGS)
    assert list(tmp_path.glob("*/*")) == []
    monkeypatch.setattr(room, "copy", copy)
    bins = {name: row["bin"] for name, row in rows_of(tmp_path).items()}
    queue = Queue()
    other = replace(SETTINGS, format="digits:4")
    again = route(mail, tmp_path, Plan(bins={"1": "elsewhere"}), other, queue=queue)
    assert (again.routed, again.known) == (8, 0)
    check_bins(mail, tmp_path)
    assert {name: row["bin"] for name, row in rows_of(tmp_path).items()} == bins
    assert {name for name, *_ in queue.added} == {n for n, bin in bins.items() if bin == "review"}
    assert {format for *_, format in queue.added} == {"us-zip"}


def test_a_piece_that_changes_while_it_is_sorted_is_told_and_sorted_anew(tmp_path: Path) -> None:
    mail, out = tmp_path / "mail", tmp_path / "out"
    mail.mkdir()
    picture = mail / "1.png"
    Image.new("L", (60, 40), 250).save(picture)

    def change(piece: Piece, folder: Path, bin: Path) -> Path:
        Image.new("L", (61, 40), 250).save(picture)
        return copy(piece, folder, bin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "copy", change)
        assert route(mail, out, PLAN, SETTINGS).lost == ("1.png",)
    outcome = route(mail, out, PLAN, SETTINGS)
    assert outcome.routed == 1
    (copied,) = out.glob("*/*.png")
    assert copied.read_bytes() == picture.read_bytes()


def test_a_picture_that_ends_its_process_is_unreadable(mail: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    for name in ("0.png", "1.png"):
        (folder / name).write_bytes((mail / name).read_bytes())
    Image.new("L", DEADLY[::-1], 250).save(folder / "deadly.png")
    settings = DeadlySettings(format="us-zip", reject_above=0.5)
    route(folder, tmp_path / "out", PLAN, settings, workers=2)
    check_bins(folder, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert rows["deadly.png"]["bin"] == "unreadable"
    assert rows["0.png"]["code"] == SETTINGS.make_reader().read(mail / "0.png").fields[0].text


def test_what_cannot_be_sorted_is_said_before_anything_is_written(
    mail: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SettingError, match="is inside"):
        route(mail, mail / "out", PLAN, SETTINGS)
    with pytest.raises(SettingError):
        route(mail, out, PLAN, replace(SETTINGS, reject_above=2.0))
    with pytest.raises(DataNotFoundError):
        route(tmp_path / "nowhere", out, PLAN, SETTINGS)
    assert not out.exists()
    assert not (mail / "out").exists()


@pytest.mark.parametrize("inside", [".", "bin-1", "review/again"])
def test_a_folder_that_holds_its_own_mail_is_no_place_for_bins(
    mail: Path, tmp_path: Path, inside: str
) -> None:
    (tmp_path / inside).mkdir(parents=True, exist_ok=True)
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)
    (tmp_path / inside / "0.png").write_bytes((mail / "0.png").read_bytes())
    before = set(tmp_path.rglob("*"))
    for out in (tmp_path, link):
        with pytest.raises(SettingError, match="one is inside the other: name another folder"):
            route(tmp_path / inside, out, PLAN, SETTINGS)
    assert set(tmp_path.rglob("*")) == before


FULL = """
mount -t tmpfs -o size=120k none "$1" || exit 77
"$2" -m tendigits route "$3" --plan "$4" --format us-zip --out "$1" --workers 1
echo "$?" > "$5/code"
mount -o remount,size=20m "$1"
"$2" -m tendigits route "$3" --plan "$4" --format us-zip --out "$1" --workers 1 --json || exit 1
cp -r "$1" "$5/kept"
"""


def test_a_full_disk_is_one_line_and_loses_nothing(mail: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "mail", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for number in range(30):
        content = (mail / f"{number % 5}.png").read_bytes()
        (folder / f"{number}.png").write_bytes(content + bytes(10_000))
    (tmp_path / "plan.csv").write_text("prefix,bin\n1,one\n")
    words = (out, sys.executable, folder, tmp_path / "plan.csv", tmp_path)
    command = ["unshare", "-rm", "sh", "-c", FULL, "sh", *map(str, words)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("nobody may mount a disk here")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "code").read_text() == "1\n"
    (line,) = ran.stderr.splitlines()
    assert "the disk is full: make room and start again" in line
    assert json.loads(ran.stdout.splitlines()[-1])["pieces"] == 30
    check_bins(folder, tmp_path / "kept")


def test_the_command_sorts(mail: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("prefix,bin\n1,one\n")
    words = ["route", str(mail), "--plan", str(plan), "--out", str(tmp_path / "out"), "--workers"]
    words += ["1", "--format", "us-zip"]
    ran = CliRunner().invoke(app, [*words, "--json"], obj=CommonOptions())
    assert ran.exit_code == 0
    said = json.loads(ran.stdout)
    assert (said["routed"], said["pieces"], said["bins"]["unreadable"]) == (8, 8, 1)
    check_bins(mail, tmp_path / "out")
    again = CliRunner().invoke(app, words, obj=CommonOptions())
    assert "0 pieces sorted, 8 were sorted before" in again.stdout
    assert (tmp_path / "out" / "summary.html").is_file()


def test_the_summary_counts_and_escapes() -> None:
    summary = Summary(
        bins={"<b>&": 5, "east": 2, "review": 2, "unreadable": 1}, timed=8, seconds=2.0
    )
    page = render(summary)
    assert "70.0 %</p>" in page
    assert "20.0 % were rejected" in page
    assert "4.0</dd>" in page
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert page.index("east") < page.index('class="own"')
    assert "http" not in page.replace("http-equiv", "")
    assert "0.0 %" in render(Summary(bins={}))


def test_a_picture_that_may_not_be_read_is_told(
    mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, picture: str) -> Piece:
        if picture == "0.png":
            raise PermissionError(13, "Permission denied", picture)
        return identify(folder, picture)

    monkeypatch.setattr(room, "identify", refuse)
    outcome = route(mail, tmp_path, PLAN, SETTINGS)
    assert (outcome.routed, outcome.shut) == (7, ("0.png",))


def test_quiet_says_nothing_but_what_is_wrong(
    mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("prefix,bin\n1,one\n")
    words = ["route", str(mail), "--plan", str(plan), "--out", str(tmp_path / "out"), "--quiet"]
    assert CliRunner().invoke(app, words, obj=CommonOptions()).output == ""

    def fail(folder: Path, picture: str) -> Piece:
        raise PermissionError(13, "Permission denied", picture)

    monkeypatch.setattr(room, "identify", fail)
    result = CliRunner().invoke(app, words, obj=CommonOptions())
    assert result.exit_code == 1
    assert "0.png: may not be read, and was not sorted" in result.output
