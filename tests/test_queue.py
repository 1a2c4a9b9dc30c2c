"""The review queue, on SQLite and on a real PostgreSQL: nobody's work is done twice or lost."""

import itertools
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchmarks.postgres import Server
from sqlalchemy import event, text

from postgres import postgresql
from tendigits.errors import LeaseError, QueueError, SettingError, StorageFullError
from tendigits.results import Digit, Field, Page
from tendigits.sorting.agreement import meaning
from tendigits.sorting.pieces import Counts
from tendigits.sorting.queue import ReviewQueue

MakeQueue = Callable[..., ReviewQueue]


def page_of(code: str = "12345") -> Page:
    """A page with one field, each digit doubtful."""
    digits = tuple(
        Digit(text=digit, confidence=0.6, accepted=False, box=(9 * place, 0, 9 * place + 8, 20))
        for place, digit in enumerate(code)
    )
    box = (0, 0, 9 * len(code), 20)
    field = Field(text=code, confidence=0.5, accepted=False, box=box, digits=digits)
    return Page(fields=(field,), width=9 * len(code), height=20)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL that all tests share; it is started when it is first asked for."""
    with postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "queue.sqlite")
    address: str = request.getfixturevalue("server").address
    queue = ReviewQueue(address)
    with queue.storage.writing() as connection:
        for table in ("skips", "answers", "contents", "pieces"):
            connection.execute(text(f"DROP TABLE review_{table}"))
    queue.close()
    return address


@pytest.fixture
def make_queue(place: str) -> Iterator[MakeQueue]:
    queues: list[ReviewQueue] = []

    def make(count: int = 0, **options: int) -> ReviewQueue:
        queues.append(ReviewQueue(place, **options))
        for number in range(count):
            queues[-1].add(f"{number}.png", b"picture", page_of(), "us-zip")
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()


def test_what_is_added_comes_back(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.add("a letter.png", b"\x89PNG\0\xff", page_of(), "us-zip")
    leased = queue.lease("anna")
    assert leased is not None
    assert (leased.name, leased.format, leased.page) == ("a letter.png", "us-zip", page_of())
    assert queue.picture(leased.piece) == b"\x89PNG\0\xff"


def test_to_add_the_same_twice_adds_it_once(make_queue: MakeQueue) -> None:
    queue = make_queue(2)
    make_queue(2)
    assert queue.counts().open == 2
    queue.add("0.png", b"another picture", page_of())
    assert queue.counts().open == 3


def test_two_people_never_have_the_same_piece(make_queue: MakeQueue) -> None:
    queue = make_queue(3)
    names = ["anna", "ben", "cleo", "dora"]
    leases = [queue.lease(name) for name in names]
    assert leases[3] is None
    assert len({lease.piece for lease in leases if lease}) == 3
    again = queue.lease("ben")
    assert again is not None
    assert leases[1] is not None
    assert again.piece == leases[1].piece


def test_threads_share_the_work_without_doing_any_twice(make_queue: MakeQueue) -> None:
    make_queue(60)
    queues = [make_queue(), make_queue()]
    lent: list[int] = []  # to append is atomic

    def work(number: int) -> list[int]:
        queue, done = queues[number % 2], []
        while (leased := queue.lease(f"person {number}")) is not None:
            lent.append(leased.piece)
            queue.answer(leased.piece, f"person {number}", "12345")
            done.append(leased.piece)
        return done

    with ThreadPoolExecutor(8) as pool:
        done = list(itertools.chain(*pool.map(work, range(8))))
    assert sorted(lent) == sorted(done) == list(range(1, 61))
    assert queues[0].counts() == Counts(open=0, leased=0, settled=60)


def test_an_answer_is_kept(make_queue: MakeQueue) -> None:
    queue = make_queue(1)
    leased = queue.lease("anna")
    assert leased is not None
    stored = queue.answer(leased.piece, "anna", " 9470  3 ")
    assert (stored.text, stored.settled) == ("9470 3", True)
    (answered,) = make_queue().answers()
    assert (answered.text, answered.people) == ("9470 3", ("anna",))
    assert answered.page == page_of()
    assert queue.answer(leased.piece, "anna", "9470 3") == stored  # the first one was not heard
    with pytest.raises(LeaseError, match="not anna's"):
        queue.answer(leased.piece, "anna", "94704")


def test_without_a_lease_there_is_no_answer(make_queue: MakeQueue) -> None:
    queue = make_queue(2)
    leased = queue.lease("anna", seconds=0.05)
    assert leased is not None
    with pytest.raises(LeaseError, match="not ben's"):
        queue.answer(leased.piece, "ben", "12345")
    with pytest.raises(LeaseError, match="no piece 999"):
        queue.answer(999, "anna", "12345")
    time.sleep(0.06)
    with pytest.raises(LeaseError, match="not anna's"):
        queue.answer(leased.piece, "anna", "12345")
    taken = queue.lease("ben")
    assert taken is not None
    assert taken.piece == leased.piece
    assert list(queue.answers()) == []


@pytest.mark.parametrize("said", ["", " ", "12a45", "??", "-", "١٢٣", "1" * 201])
def test_what_is_no_answer_is_refused(make_queue: MakeQueue, said: str) -> None:
    queue = make_queue(1)
    leased = queue.lease("anna")
    assert leased is not None
    with pytest.raises(SettingError, match="answer"):
        queue.answer(leased.piece, "anna", said)


def test_what_is_no_name_is_refused(make_queue: MakeQueue) -> None:
    for who in ("", "  ", "a\0b", "n" * 81):
        with pytest.raises(SettingError, match="no name"):
            make_queue().lease(who)


def test_an_answer_is_taken_back(make_queue: MakeQueue) -> None:
    queue = make_queue(3)
    for _ in range(2):
        leased = queue.lease("anna")
        assert leased is not None
        queue.answer(leased.piece, "anna", "00000")
    queue.lease("anna")
    undone = queue.undo("anna")
    assert (undone.piece, undone.text) == (2, "00000")
    assert undone.leased is not None
    assert queue.counts() == Counts(open=2, leased=1, settled=1)
    queue.answer(undone.piece, "anna", "11111")
    assert [each.text for each in queue.answers()] == ["00000", "11111"]
    queue.undo("anna")
    queue.undo("anna")
    with pytest.raises(LeaseError, match="no answer of anna's"):
        queue.undo("anna")
    assert list(queue.answers()) == []


def test_what_is_skipped_comes_last(make_queue: MakeQueue) -> None:
    queue = make_queue(3)
    seen = []
    for _ in range(4):
        leased = queue.lease("anna")
        assert leased is not None
        seen.append(leased.piece)
        queue.skip(leased.piece, "anna")
    assert seen == [1, 2, 3, 1]
    other = queue.lease("ben")
    assert other is not None
    assert other.piece == 1
    with pytest.raises(LeaseError, match="not anna's to skip"):
        queue.skip(1, "anna")


def say(queue: ReviewQueue, who: str, text: str) -> bool:
    leased = queue.lease(who)
    assert leased is not None
    return queue.answer(leased.piece, who, text).settled


def test_two_people_must_agree(make_queue: MakeQueue) -> None:
    queue = make_queue(1, opinions=2)
    assert not say(queue, "anna", "12345")
    assert queue.lease("anna") is None  # a second opinion is somebody else's
    assert say(queue, "ben", "12345")
    (answered,) = queue.answers()
    assert (answered.text, answered.people) == ("12345", ("anna", "ben"))


def test_who_takes_answers_may_ask_for_more_people_than_who_added(make_queue: MakeQueue) -> None:
    lenient = make_queue(2)
    strict = make_queue(opinions=2)
    assert say(lenient, "anna", "12345")
    assert not say(strict, "anna", "12345")
    assert not say(lenient, "ben", "54321")  # the piece remembers
    assert strict.answer(1, "anna", "12345").settled  # heard once more: nothing changes
    assert say(lenient, "cleo", "12345")
    assert [each.people for each in lenient.answers()] == [("anna",), ("anna", "cleo")]


def test_a_third_person_decides(make_queue: MakeQueue) -> None:
    queue = make_queue(1, opinions=2)
    assert not say(queue, "anna", "12345")
    assert not say(queue, "ben", "12346")
    assert say(queue, "cleo", "12346")
    assert [(each.text, each.people) for each in queue.answers()] == [("12346", ("ben", "cleo"))]
    assert queue.undo("cleo").leased is not None
    assert list(queue.answers()) == []


def test_dashes_and_blanks_are_no_other_opinion_where_the_format_knows_one_number(
    make_queue: MakeQueue,
) -> None:
    queue = make_queue(opinions=2)
    for format in ("us-zip4", "us-zip", None, "a format of somebody else's"):
        queue.add(f"{format}", b"picture", page_of(), format)
    settled = {}
    for number in range(1, 5):
        say(queue, "anna", "12345-6789")
        settled[number] = say(queue, "ben", "123456789")
    assert settled == {1: True, 2: False, 3: False, 4: False}
    (answered,) = queue.answers()
    assert (answered.text, answered.people) == ("12345-6789", ("anna", "ben"))


@pytest.mark.parametrize(
    ("one", "other", "format", "same"),
    [
        ("12345 - 6789", "123456789", "us-zip4", True),
        ("12345-6789 98765-4321", "123456789 987654321", "us-zip4", True),
        ("12345 54321", "1234554321", "us-zip", False),  # two fields are not one
        ("1234 5678", "12345678", "digits:4-8", False),  # nor where they could be
        ("123-45", "12345", "us-zip", True),
        ("?", "?", "us-zip", True),
        ("12-34", "1234", None, False),
    ],
)
def test_what_means_the_same(one: str, other: str, format: str | None, same: bool) -> None:
    assert (meaning(one, format) == meaning(other, format)) == same


def test_what_somebody_else_looks_at_is_not_lent_on_undo(make_queue: MakeQueue) -> None:
    queue = make_queue(1, opinions=2)
    say(queue, "anna", "12345")
    assert queue.lease("ben") is not None
    assert queue.undo("anna").leased is None
    assert not say(queue, "ben", "54321")
    assert not say(queue, "anna", "12345")


def test_fewer_than_one_opinion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected at least 1"):
        ReviewQueue(tmp_path / "queue.sqlite", opinions=0)


@pytest.mark.parametrize("name", ["a?b.sqlite", "a%41b.sqlite", "a#b.sqlite"])
def test_a_file_has_the_name_that_was_given(tmp_path: Path, name: str) -> None:
    for place in (str(tmp_path / name), f"sqlite:///{tmp_path / name}"):
        queue = ReviewQueue(place)
        queue.add("0.png", b"picture", page_of())
        assert queue.counts().open == 1
        queue.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "address", ["sqlite:///", "mysql://root@host/name", "postgresql://[::1", "://"]
)
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="no address of a queue"):
        ReviewQueue(address)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna, " * 99)
    with pytest.raises(QueueError, match="not a database"):
        ReviewQueue(tmp_path / "letter.txt")
    with pytest.raises(QueueError, match="cannot be used"):
        ReviewQueue("postgresql://nobody@127.0.0.1:1/nothing")


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Let the system refuse to write beyond `size` bytes in any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(queue: ReviewQueue) -> int:
    """Add pieces and answer them until there is no room; return how many answers were stored."""
    for number in itertools.count():
        try:
            queue.add(f"more {number}", bytes(20_000), page_of())
            assert say(queue, "anna", str(number))
        except StorageFullError:
            return number
    raise AssertionError


@pytest.mark.parametrize("cause", ["file system", "database"])
def test_a_full_disk_loses_nothing(tmp_path: Path, cause: str) -> None:
    place = tmp_path / "queue.sqlite"
    queue = ReviewQueue(place)
    queue.add("first", b"picture", page_of())
    assert say(queue, "anna", "0")
    if cause == "file system":
        with files_no_longer_than(500_000):
            stored = fill(queue)
    else:
        queue.close()
        event.listen(
            queue.storage.engine,
            "connect",
            lambda connection, _: connection.execute("PRAGMA max_page_count = 99").close(),
        )
        stored = fill(queue)
    assert stored > 3
    kept = [each.text for each in queue.answers()]
    queue.close()
    with sqlite3.connect(place) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    again = ReviewQueue(place)
    assert [each.text for each in again.answers()] == kept == ["0", *map(str, range(stored))]
    again.add("there is room again", b"picture", page_of())
    again.close()


def test_a_full_disk_of_postgresql_is_told(server: Server) -> None:
    queue = ReviewQueue(server.address)
    with queue.storage.writing() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON review_contents "
                "EXECUTE FUNCTION refuse()"
            )
        )
    before = queue.counts()
    with pytest.raises(StorageFullError, match="nothing was stored"):
        queue.add("one more", b"picture", page_of())
    assert queue.counts() == before
    with queue.storage.writing() as connection:
        connection.execute(text("DROP FUNCTION refuse() CASCADE"))
    queue.close()


def test_a_commit_waits_for_the_disk(make_queue: MakeQueue) -> None:
    queue = make_queue()
    with queue.storage.reading() as connection:
        if queue.storage.is_postgresql:
            assert connection.scalar(text("SHOW synchronous_commit")) == "on"
        else:
            assert connection.scalar(text("PRAGMA synchronous")) == 2
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"


def test_a_killed_postgresql_has_what_was_stored(server: Server) -> None:
    queue = ReviewQueue(server.address, opinions=1_000)
    for number in range(5):
        queue.add(f"killed {number}", b"picture", page_of())
    told: list[tuple[str, str]] = []

    def work(who: str) -> None:
        for number in itertools.count():
            try:
                leased = queue.lease(f"{who} {number}")
                assert leased is not None
                stored = queue.answer(leased.piece, f"{who} {number}", str(number))
            except QueueError:
                return
            told.append((f"{who} {number}", stored.text))

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(work, who) for who in ("anna", "ben")]
        while len(told) < 20:
            assert not all(each.done() for each in done), "both ended before the server did"
            time.sleep(0.01)
        server.kill()
        for each in done:
            each.result()
    server.start()
    assert server.check() == "ok"
    with queue.storage.reading() as connection:
        kept = connection.execute(text("SELECT who, text FROM review_answers")).all()
    assert set(told) <= {(who, said) for who, said in kept}
    queue.close()
