"""Folders of a user's own: their parts, what is not there, and what may not be read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from folders import in_order, same, write_idx_set, write_pictures, write_set
from tendigits.data import Digits, DigitSet, load_available, load_folder, open_available, open_data
from tendigits.data.folders import name_of, set_aside
from tendigits.errors import DataNotFoundError


def test_without_a_test_part_about_a_sixth_of_each_class_is_set_aside(
    tmp_path: Path, few_digits: DigitSet
) -> None:
    write_set(tmp_path, few_digits.train, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    found = load_folder(tmp_path)
    assert found.divided_here
    assert (found.test.class_counts() > 0).all()
    assert len(found.test) == pytest.approx(len(few_digits.train) / 6, rel=0.2)
    pictures = {image.tobytes() for image in found.all().images}
    assert pictures == {image.tobytes() for image in few_digits.train.images}
    assert same(load_folder(tmp_path).test, found.test)


def test_a_picture_that_joins_moves_no_other(few_digits: DigitSet) -> None:
    train, test = set_aside(few_digits.train)
    grown_train, grown_test = set_aside(few_digits.train.join(few_digits.test))
    for before, after in ((train, grown_train), (test, grown_test)):
        here = {image.tobytes() for image in after.images}
        assert {image.tobytes() for image in before.images} <= here


LONELY = Digits(images=np.zeros((3, 28, 28), np.uint8), labels=np.arange(3, dtype=np.uint8))


def test_what_cannot_be_divided_is_all_there_to_measure_but_not_to_train_on(tmp_path: Path) -> None:
    assert [len(part) for part in set_aside(LONELY)] == [3, 0]
    write_set(tmp_path, LONELY, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    with pytest.raises(DataNotFoundError, match="has 3 pictures and none to test on"):
        load_folder(tmp_path)
    found = load_available(tmp_path)
    assert same(found.all(), LONELY)
    assert found.divided_here  # so that the whole of it is measured


@pytest.mark.parametrize("form", ["idx", "pictures"])
def test_a_test_part_alone_is_there_to_measure_but_not_to_train_on(
    tmp_path: Path, tiny: DigitSet, form: str
) -> None:
    if form == "idx":
        write_set(tmp_path, tiny.test, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    else:
        write_pictures(tmp_path / "test", tiny.test)
    with pytest.raises(DataNotFoundError, match="holds no pictures to train on"):
        load_folder(tmp_path)
    found = load_available(tmp_path)
    assert same(in_order(found.test), in_order(tiny.test))
    assert (len(found.train), found.divided_here) == (0, False)


def test_a_whole_set_is_available_as_it_is_loaded(tmp_path: Path, tiny: DigitSet) -> None:
    write_idx_set(tmp_path, tiny)
    assert same(load_available(tmp_path).all(), load_folder(tmp_path).all())


def test_a_folder_name_that_is_not_utf_8_can_be_written() -> None:
    name = name_of(Path("caf\udce9"))
    assert name.startswith("caf\N{REPLACEMENT CHARACTER}")
    assert name.encode()


def test_a_folder_with_nothing_in_it_is_refused(tmp_path: Path, tiny: DigitSet) -> None:
    with pytest.raises(DataNotFoundError, match=r"holds no pictures to train on: expected IDX"):
        load_folder(tmp_path)
    with pytest.raises(DataNotFoundError, match="there is no such folder"):
        load_folder(tmp_path / "nowhere")
    write_pictures(tmp_path / "test", tiny.test)
    with pytest.raises(DataNotFoundError, match="holds no pictures to train on"):
        load_folder(tmp_path)


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a folder be as if it may not be read, even by root."""

    def guarded(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def refuse(path: Any = ".") -> Any:
            if not isinstance(path, int) and Path(path) == folder:
                raise PermissionError(13, "Permission denied", str(path))
            return read(path)

        return refuse

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, guarded(getattr(os, name)))


@pytest.mark.parametrize("place", [".", "3", "3/more", "notes/raw"])
def test_a_sub_folder_that_may_not_be_read_is_named(
    tmp_path: Path, tiny: DigitSet, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path, tiny.train)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    forbid(monkeypatch, tmp_path / place)
    with pytest.raises(DataNotFoundError, match=r"Permission denied.*: expected IDX") as caught:
        load_folder(tmp_path)
    assert str(tmp_path / place) in str(caught.value)


def test_a_folder_inside_an_unreadable_one_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **options: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(DataNotFoundError, match=r"cannot be read .*Permission.*: expected IDX"):
        open_data(tmp_path / "set")


def test_a_file_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "digits.zip").write_bytes(b"")
    with pytest.raises(DataNotFoundError, match="is a file: give the folder that it lies in"):
        load_folder(tmp_path / "digits.zip")


def test_open_data_gives_mnist_a_folder_or_a_hint(
    tmp_path: Path, tiny: DigitSet, mnist: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert same(open_data(None).test, mnist.test)
    write_idx_set(tmp_path / "mine", tiny)
    assert same(open_data(tmp_path / "mine").train, tiny.train)
    monkeypatch.chdir(tmp_path)
    for open_set in (open_data, open_available):
        assert same(open_set(tmp_path / "mine").train, tiny.train)
        with pytest.raises(DataNotFoundError, match="tendigits data kmnist --fetch"):
            open_set(Path("kmnist"))
