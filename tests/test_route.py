"""Sorting: every piece in one bin, once, wherever it is stopped."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mail import WHERE, clear, found_in, ledger_lines, make_sorting, most_often, write_piece
from tendigits.data import DigitSet
from tendigits.data.lines import Hand, make_lines
from tendigits.data.paper import Paper
from tendigits.errors import DataNotFoundError, SettingError, StorageFullError
from tendigits.sorting import route as routing
from tendigits.sorting.delivery import Delivery
from tendigits.sorting.intake import take
from tendigits.sorting.ledger import Ledger
from tendigits.sorting.ledger_csv import LedgerCsv
from tendigits.sorting.queue import ReviewQueue
from tendigits.sorting.readers import Readers, Reading
from tendigits.sorting.route import Progress, route


def queued(folder: Path) -> list[str]:
    """Return the names of the pieces in the queue, by lending all of them."""
    queue = ReviewQueue(folder / "queue.sqlite")
    names = []
    while leased := queue.lease(f"person {len(names)}"):
        names.append(leased.name)
    queue.close()
    return sorted(names)


def test_every_piece_is_in_its_bin(tmp_path: Path) -> None:
    sorting = make_sorting(tmp_path)
    progress, totals = route(sorting)
    assert progress == Progress(pieces=8)
    assert found_in(sorting.out) == WHERE
    assert (totals.pieces, totals.read, totals.bins["review"]) == (8, 5, 2)
    assert queued(sorting.out) == ["5.png", "tray/2.png"]
    lines = {line["picture"]: line for line in ledger_lines(sorting.out)}
    assert (lines["1.png"]["code"], lines["1.png"]["bin"]) == ("94110", "city")
    assert lines["broken.png"]["code"] == ""
    assert sorted(path.name for path in sorting.folder.iterdir()) == [
        *("1.png", "2.png", "3.png", "4.png", "5.png", "broken.png", "tray")
    ]
    assert "62.5%" in (sorting.out / "summary.html").read_text()


def test_the_second_run_sorts_what_is_new(tmp_path: Path) -> None:
    sorting = make_sorting(tmp_path)
    route(sorting)
    (sorting.out / "west" / "2.png").unlink()  # the bin was emptied
    write_piece(sorting.folder / "1.png", "10002")  # a scanner uses a name again
    progress, totals = route(sorting)
    assert (progress.pieces, progress.known, totals.pieces) == (1, 7, 9)
    assert found_in(sorting.out)["west"] == set()
    assert found_in(sorting.out)["east"] == {"1.png", "3.png"}
    write_piece(sorting.folder / "1.png", "94199")  # and again, for a bin where it is taken
    route(sorting)
    assert len(found_in(sorting.out)["city"]) == 3
    assert most_often(sorting.out) == 1


@pytest.mark.parametrize("how", ["copy", "link", "move"])
def test_pieces_are_copied_linked_or_moved(tmp_path: Path, how: Any) -> None:
    sorting = make_sorting(tmp_path, how=how)
    source, place = sorting.folder / "1.png", sorting.out / "city" / "1.png"
    content = source.read_bytes()
    route(sorting)
    assert found_in(sorting.out) == WHERE
    assert place.read_bytes() == content
    assert source.exists() == (how != "move")
    assert place.stat().st_nlink == (2 if how == "link" else 1)
    assert route(sorting)[0].pieces == 0


class StoppedError(BaseException):
    """Stands for the end of the process."""


STEPS: list[tuple[Any, str]] = [
    (Ledger, "decide"),
    (Ledger, "begin"),
    (LedgerCsv, "add"),
    (Delivery, "deliver"),
    (Delivery, "_put"),
    (ReviewQueue, "add"),
]


@pytest.mark.parametrize("how", ["copy", "move"])
def test_stopped_before_or_after_any_step_it_goes_on(
    tmp_path: Path, how: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty instants, and after each the plan is another one, which must change nothing decided."""
    monkeypatch.setattr(routing, "BATCH", 3)
    stops = 0
    for instant in range(200):
        clear(tmp_path)
        sorting = make_sorting(tmp_path, how=how)
        with monkeypatch.context() as patched:
            countdown = [instant]
            for owner, name in STEPS:
                patched.setattr(owner, name, stopping(getattr(owner, name), countdown))
            try:
                route(sorting)
            except StoppedError:
                stops += 1
            else:
                break
        decided = {line["picture"]: line["bin"] for line in whole_ledger(sorting.out)}
        sorting.plan.write_text("1,elsewhere\n")
        route(sorting)
        assert most_often(sorting.out) == 1
        after = {line["picture"]: line["bin"] for line in ledger_lines(sorting.out)}
        assert decided.items() <= after.items()
        assert len(after) == 8
        bins = {name: bin for bin, names in found_in(sorting.out).items() for name in names}
        assert bins == after
        assert sum(len(names) for names in found_in(sorting.out).values()) == 8
        assert queued(sorting.out) == ["5.png", "tray/2.png"]
    assert stops >= 50


def stopping(step: Callable[..., Any], countdown: list[int]) -> Callable[..., Any]:
    """Return a step before or after which the process ends, when the countdown says so."""

    def stepping(*arguments: Any, **named: Any) -> Any:
        for moment in ("before", "after"):
            countdown[0] -= 1
            if countdown[0] == -1:
                raise StoppedError(moment)
            if moment == "before":
                done = step(*arguments, **named)
        return done

    return stepping


def whole_ledger(out: Path) -> list[dict[str, str]]:
    """Return the lines of the ledger, completed from SQLite."""
    ledger = Ledger(out)
    LedgerCsv(out, ledger).close()
    ledger.close()
    return ledger_lines(out)


def test_killed_at_any_moment_it_goes_on(mnist: DigitSet, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "mail").mkdir()
    (tmp_path / "plan.csv").write_text("prefix,bin\n9,west\n1,east\n")
    lines = make_lines(mnist.test, 40, seed=1, least=5, most=5, hand=Hand(), paper=Paper())
    for number, line in enumerate(lines):
        Image.fromarray(line.picture).save(tmp_path / f"mail/{number}.png")
    arguments = ["route", "mail", "--plan", "plan.csv", "--out", "sorted", "--format", "us-zip"]
    command = [sys.executable, "-m", "tendigits", *arguments, "--quiet", "--readers", "1"]
    ledger = tmp_path / "sorted/ledger.csv"
    for lines_before_the_kill in (2, 20):
        process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
        while process.poll() is None and (
            not ledger.exists() or ledger.read_bytes().count(b"\n") < lines_before_the_kill
        ):
            time.sleep(0.002)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    assert most_often(tmp_path / "sorted") == 1
    assert len(ledger_lines(tmp_path / "sorted")) == 40
    assert sum(map(len, found_in(tmp_path / "sorted").values())) == 40
    read = {line["picture"]: line["code"] for line in ledger_lines(tmp_path / "sorted")}
    assert set(map(len, read.values())) == {5}


@pytest.mark.parametrize("room", [3, 20, 60, 100, 140])
def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, room: int) -> None:
    """A limit of a file's size stands for the end of the disk; SIGXFSZ is what Python ignores."""
    sorting = make_sorting(tmp_path)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room << 10, hard))
        with contextlib.suppress(StorageFullError):
            route(sorting)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
    route(sorting)
    assert found_in(sorting.out) == WHERE
    assert most_often(sorting.out) == 1
    assert queued(sorting.out) == ["5.png", "tray/2.png"]


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk needs root on Linux"
)
@pytest.mark.parametrize("kibibytes", [8, 64, 160])
def test_a_disk_that_is_really_full(tmp_path: Path, kibibytes: int) -> None:
    sorting = make_sorting(tmp_path)
    sorting.out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(sorting.out)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with pytest.raises(StorageFullError, match="no room"):
            route(sorting)
        grow = ["mount", "-o", "remount,size=8m", str(sorting.out)]
        subprocess.run(grow, check=True)
        route(sorting)
        assert found_in(sorting.out) == WHERE
        assert most_often(sorting.out) == 1
        assert queued(sorting.out) == ["5.png", "tray/2.png"]
    finally:
        subprocess.run(["umount", str(sorting.out)], check=True)


def test_a_picture_that_ends_a_process_stops_nothing(
    mnist: DigitSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    (line,) = make_lines(mnist.test, 1, seed=1, least=5, most=5, hand=Hand(), paper=Paper())
    Image.fromarray(line.picture).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"deadly")
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom tendigits.sorting import readers\n"
        "plain = readers.decode\n"
        "readers.decode = lambda content: os._exit(1) if content == b'deadly' else plain(content)\n"
        "from tendigits.sorting.readers import Reading\n"
        "class DeadlyReading(Reading): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from deadly import DeadlyReading  # type: ignore[import-not-found]

    batch = [take(name, tmp_path / name) for name in ("good.png", "bad.png")]
    assert None not in batch
    readers = Readers(DeadlyReading(format="us-zip"), 1)
    try:
        ((_, pages),) = readers.read([[piece for piece in batch if piece]])
    finally:
        readers.close()
    assert pages[0] is not None
    assert len(pages[0].fields[0].text) == 5
    assert pages[1] is None


def test_what_has_no_meaning_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    sorting = make_sorting(tmp_path)
    refused: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"folder": tmp_path / "none"}, DataNotFoundError),
        ({"plan": tmp_path / "none"}, DataNotFoundError),
        ({"readers": -1}, SettingError),
        ({"how": "throw"}, SettingError),
        ({"opinions": 0}, SettingError),
        ({"out": sorting.folder}, SettingError),
        ({"reading": Reading(reject_above=2)}, SettingError),
    ]
    for settings, error in refused:
        with pytest.raises(error):
            route(replace(sorting, **settings))
        assert not (sorting.out / "ledger.sqlite").exists(), settings


def test_bins_inside_the_folder_are_not_sorted_again(tmp_path: Path) -> None:
    sorting = make_sorting(tmp_path)
    inside = replace(sorting, out=sorting.folder / "sorted")
    route(inside)
    assert route(inside)[0] == Progress(known=8)


def test_a_piece_that_was_taken_away_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sorting = make_sorting(tmp_path)
    decide = Ledger.decide

    def take_away(self: Ledger, decisions: Any, delivered: Any = ()) -> Any:
        noted = decide(self, decisions, delivered)
        (sorting.folder / "1.png").unlink(missing_ok=True)
        return noted

    monkeypatch.setattr(Ledger, "decide", take_away)
    assert route(sorting)[0] == Progress(pieces=8, gone=1)
