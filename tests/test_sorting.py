"""Mail from the folder to the reviewed set: the command, the queue and the ledger together."""

import csv
import itertools
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from postgres import postgresql
from tendigits.cli import CommonOptions, app
from tendigits.data import DigitSet, open_data
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper
from tendigits.errors import SortingError, StorageFullError
from tendigits.reading.reader import Reader, read_together
from tendigits.results import Field, Page
from tendigits.sorting import readings
from tendigits.sorting import route as room
from tendigits.sorting.corrections import export
from tendigits.sorting.database import CSV, DATABASE
from tendigits.sorting.disk import told_when_full
from tendigits.sorting.ledger import Ledger
from tendigits.sorting.mail import Piece
from tendigits.sorting.plan import Plan
from tendigits.sorting.queue import ReviewQueue
from tendigits.sorting.readings import ReaderSettings, Reading

PLAN = Plan(bins={"9": "west", "941": "city", "1": "east"})
OTHER_PLAN = Plan(bins={"1": "elsewhere", "9": "nowhere"})
CODES = ("94110", "90210", "10001", "55555", "94111?", "94112", "94113?")
DOUBTFUL = ["4.png", "6.png"]


def run(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["route", *map(str, words)], obj=CommonOptions())


@pytest.fixture(scope="module")
def mail(mnist: DigitSet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Twelve pieces, and what is on them."""
    folder = tmp_path_factory.mktemp("mail")
    lines = make_lines(mnist.test, 12, seed=3, least=5, most=5, hand=Hand(), paper=Paper())
    truth = {}
    for number, line in enumerate(lines):
        Image.fromarray(line.picture).save(folder / f"{number}.png")
        truth[f"{number}.png"] = line.text
    return folder, truth


def sort_all(mail: Path, out: Path, queue: str | Path, *words: str) -> dict[str, Any]:
    """Sort mail so that every piece is doubtful; returns what the command said."""
    plan = out.parent / "plan.csv"
    plan.write_text("prefix,bin\n9,west\n")
    options = ("--format", "us-zip", "--reject-above", "0", "--workers", "1", "--json")
    result = run(mail, "--plan", plan, "--out", out, "--queue", queue, *options, *words)
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.stdout)
    return said


def review(queue: ReviewQueue, who: str, truth: dict[str, str]) -> int:
    """Answer everything there is for a person; returns how many pieces that was."""
    for count in itertools.count():
        leased = queue.lease(who)
        if leased is None:
            return count
        queue.answer(leased.piece, who, truth[leased.name])
    raise AssertionError


def test_what_is_doubtful_is_reviewed_and_becomes_a_set(
    mail: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    pieces, truth = mail
    place = tmp_path / "queue.sqlite"
    assert sort_all(pieces, tmp_path / "sorted", place)["bins"] == {"review": 12}
    assert sort_all(pieces, tmp_path / "sorted", place)["known"] == 12
    queue = ReviewQueue(place)
    assert review(queue, "ada", truth) == 12
    assert queue.counts().settled == 12
    assert {each.name: each.text for each in queue.answers()} == truth
    assert {each.format for each in queue.answers()} == {"us-zip"}
    export(queue.answers(), tmp_path / "reviewed")
    queue.close()
    digits = open_data(tmp_path / "reviewed").all()
    written = Counter("".join(truth.values()))
    exported = Counter(map(str, digits.labels.tolist()))
    assert exported <= written
    assert exported.total() >= 0.9 * written.total()


def test_the_queue_may_be_postgresql_and_two_must_agree(
    mail: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    pieces, truth = mail
    with postgresql() as server:
        for _ in range(2):
            sort_all(pieces, tmp_path / "sorted", server.address, "--opinions", "2")
        queue = ReviewQueue(server.address)
        assert review(queue, "ada", truth) == 12
        assert queue.counts().settled == 0
        assert review(queue, "grace", truth) == 12
        assert queue.counts().settled == 12
        queue.close()


@pytest.mark.parametrize(("free", "told"), [(0, StorageFullError), (1 << 30, SortingError)])
def test_trouble_with_a_file_is_a_full_disk_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, told: type[Exception]
) -> None:
    """What SQLite says of its log's index on a small tmpfs that is full."""
    trouble = sqlite3.OperationalError("disk I/O error")
    trouble.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    with pytest.raises(told), told_when_full(tmp_path / "ledger.sqlite3"):
        raise trouble


class StoppedError(BaseException):
    """Stands for the end of the process."""


STEPS: list[tuple[Any, str]] = [
    (Ledger, "start_run"),
    (Ledger, "decide"),
    (Ledger, "settle"),
    (room, "copy"),
    (ReviewQueue, "add"),
]


def stub_readings(
    settings: ReaderSettings, folder: Path, pieces: Iterator[Piece], *, workers: int
) -> Iterator[list[tuple[Piece, Reading]]]:
    """Read the code that is a piece's content, three pieces at a time."""
    while group := list(itertools.islice(pieces, 3)):
        yield [(piece, stub_reading(folder / piece.picture)) for piece in group]


def stub_reading(path: Path) -> Reading:
    code = path.read_text()
    digits, accepted = code.rstrip("?"), "?" not in code
    field = Field(text=digits, confidence=0.9, accepted=accepted, box=(0, 0, 1, 1), digits=())
    page = Page(fields=(field,), width=1, height=1)
    return Reading(code=digits, confidence=0.9, accepted=accepted, page=page)


def stopping(
    step: Callable[..., Any], moments: "itertools.count[int]", instant: int
) -> Callable[..., Any]:
    """Return a step before or after which the process ends, if that moment is the instant."""

    def stepping(*arguments: Any, **named: Any) -> Any:
        if next(moments) == instant:
            raise StoppedError("before")
        done = step(*arguments, **named)
        if next(moments) == instant:
            raise StoppedError("after")
        return done

    return stepping


def sort_stub(folder: Path, plan: Plan) -> None:
    """Sort the pieces in a folder into one beside it."""
    queue = ReviewQueue(folder.with_name("queue.sqlite"))
    try:
        room.route(folder, folder.with_name("sorted"), plan, ReaderSettings(), queue=queue)
    finally:
        queue.close()


def bins_in_ledger(out: Path) -> dict[str, str]:
    """Return the bin of each piece, by picture; a piece that is there twice fails."""
    if not (out / DATABASE).exists():
        return {}
    with Ledger(out), (out / CSV).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["picture"] for row in rows}) == len(rows)
    return {row["picture"]: row["bin"] for row in rows}


def lent(place: Path) -> list[str]:
    """Return the names of the pieces in a queue, by lending all of them."""
    queue = ReviewQueue(place)
    leases = iter(lambda: queue.lease(f"person {np.random.default_rng().integers(1 << 40)}"), None)
    names = sorted(leased.name for leased in leases if leased)
    queue.close()
    return names


def test_stopped_before_or_after_any_step_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each stop the plan is another one, which must change nothing that was decided."""
    monkeypatch.setattr(room, "read_all", stub_readings)
    for instant in itertools.count():
        folder = tmp_path / str(instant) / "mail"
        folder.mkdir(parents=True)
        for number, code in enumerate(CODES):
            (folder / f"{number}.png").write_text(code)
        out = folder.with_name("sorted")
        with monkeypatch.context() as patched:
            moments = itertools.count()
            for owner, name in STEPS:
                patched.setattr(owner, name, stopping(getattr(owner, name), moments, instant))
            try:
                sort_stub(folder, PLAN)
                break
            except StoppedError:
                pass
        decided = bins_in_ledger(out)
        sort_stub(folder, OTHER_PLAN)
        after = bins_in_ledger(out)
        assert decided.items() <= after.items()
        assert len(after) == len(CODES)
        copies = [path for path in out.glob("*/*") if path.is_file()]
        assert {path.name.partition("-")[0] + ".png": path.parent.name for path in copies} == after
        assert len(copies) == len(CODES)
        assert lent(folder.with_name("queue.sqlite")) == DOUBTFUL
    assert instant >= 25


def test_a_piece_over_which_reading_fails_is_unreadable_and_the_others_go_on(
    mail: tuple[Path, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder, _ = mail
    bad = np.asarray(Image.open(folder / "1.png"))

    def fail_over_one(tasks: list[tuple[Reader, np.ndarray]], recognisers: Any) -> list[Page]:
        if any(np.array_equal(pixels, bad) for _, pixels in tasks):
            raise ZeroDivisionError
        return read_together(tasks, recognisers)

    monkeypatch.setattr(readings, "read_together", fail_over_one)
    pieces = [Piece(picture=name, sha256="") for name in ("0.png", "1.png", "2.png")]
    read = readings.read_pieces(ReaderSettings().make_reader(), folder, pieces)
    assert [reading.page is None for reading in read] == [False, True, False]
    assert [record.getMessage() for record in caplog.records] == [
        "reading failed, so this is unreadable: 1.png"
    ]
