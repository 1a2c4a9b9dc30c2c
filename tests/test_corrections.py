"""What people say becomes a set of digits that every command takes."""

import csv
import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tendigits.cli.teach import find_corrections
from tendigits.data import Digits, DigitSet, open_available, open_data
from tendigits.errors import SettingError
from tendigits.results import Digit, Field, Page
from tendigits.sorting.corrections import corrections, export
from tendigits.sorting.pieces import Answered
from tendigits.sorting.queue import ReviewQueue
from tendigits.teaching import teach_shelf


def page_of(images: np.ndarray, read: str) -> Page:
    """A page with one field of digits, as a network would have seen them."""
    digits = tuple(
        Digit(text=text, confidence=0.5, accepted=False, box=(0, 0, 9, 9), seen=image.tobytes())
        for text, image in zip(read, images, strict=True)
    )
    field = Field(text=read, confidence=0.5, accepted=False, box=(0, 0, 9, 9), digits=digits)
    return Page(fields=(field,), width=9, height=9)


def pairs(digits: Digits) -> list[tuple[bytes, int]]:
    """Return pictures and labels, in an order of their own."""
    images = [image.tobytes() for image in digits.images]
    return sorted(zip(images, digits.labels.tolist(), strict=True))


def review(place: Path, digits: Digits, read: str | None = None, length: int = 5) -> ReviewQueue:
    """A queue in which every piece of `length` digits was answered by the labels."""
    queue = ReviewQueue(place)
    for start in range(0, len(digits), length):
        images = digits.images[start : start + length]
        queue.add(f"{start}.png", images.tobytes(), page_of(images, (read or "0") * len(images)))
        leased = queue.lease("anna")
        assert leased is not None
        said = "".join(map(str, digits.labels[start : start + length]))
        queue.answer(leased.piece, "anna", said)
    return queue


def test_an_export_is_a_set(tmp_path: Path, mnist: DigitSet) -> None:
    digits = mnist.test.take(slice(60))
    queue = review(tmp_path / "queue.sqlite", digits)
    export(queue.answers(), tmp_path / "set")
    back = open_data(tmp_path / "set").all()
    assert len(back) == 60
    assert pairs(back) == pairs(digits)
    learned = corrections(queue.answers())
    assert (learned.images == digits.images).all()
    assert (learned.labels == digits.labels).all()
    queue.close()


def test_the_table_says_what_is_on_each_piece(tmp_path: Path, mnist: DigitSet) -> None:
    page = page_of(mnist.test.images[:3], "720")
    answers = [
        Answered(piece=1, name="a.png", format="x", page=page, text="7 21", people=("a", "b")),
        Answered(piece=2, name="=b.png", format=None, page=page, text="7219", people=("a",)),
        Answered(piece=3, name="c.png", format=None, page=page, text="?", people=("a",)),
    ]
    export(answers, tmp_path / "set")
    with (tmp_path / "set" / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows == [
        ["1", "a.png", "x", "7 21", "720", "a;b", "3"],
        ["2", "'=b.png", "", "7219", "720", "a", "0"],
        ["3", "c.png", "", "?", "720", "a", "0"],
    ]
    available = open_available(tmp_path / "set")
    assert sorted(available.all().labels) == [1, 2, 7]


def test_a_picture_that_was_not_kept_teaches_nothing(mnist: DigitSet) -> None:
    page = page_of(mnist.test.images[:2], "72")
    (field,) = page.fields
    bare = replace(field, digits=(field.digits[0], replace(field.digits[1], seen=b"")))
    answered = Answered(
        piece=1, name="", format=None, page=replace(page, fields=(bare,)), text="72", people=()
    )
    assert len(corrections([answered])) == 0


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    with pytest.raises(SettingError, match="not empty"):
        export([], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_export_that_was_cut_short_has_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        export([], tmp_path / "set")
    assert list((tmp_path / "set").iterdir()) == []


def test_the_digits_of_a_queue_are_learned(tmp_path: Path, mnist: DigitSet) -> None:
    sevens = mnist.test.take(np.flatnonzero(mnist.test.labels == 7)[:60])
    mirrored = Digits(images=sevens.images[:, :, ::-1].copy(), labels=sevens.labels)
    place = tmp_path / "queue.sqlite"
    review(place, mirrored).close()
    lesson, model = teach_shelf(find_corrections(None, str(place)), tmp_path / "taught")
    assert lesson.corrections + lesson.kept == 60
    assert model is not None


def test_there_is_one_thing_to_learn_from(tmp_path: Path) -> None:
    for folder, queue in ((None, None), (tmp_path, "queue.sqlite")):
        with pytest.raises(SettingError, match="one thing to learn from"):
            find_corrections(folder, queue)
    with pytest.raises(SettingError, match="there is no queue"):
        find_corrections(None, str(tmp_path / "queue.sqlite"))
    with pytest.raises(SettingError, match="there is no queue"):
        find_corrections(None, f"sqlite:///{tmp_path}/queue.sqlite")
    assert list(tmp_path.iterdir()) == []
