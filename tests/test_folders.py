"""Folders of IDX files and of pictures, as other tools and people leave them."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tendigits import imaging
from tendigits.data import (
    Digits,
    DigitSet,
    idx,
    load_available,
    load_folder,
    open_available,
    open_data,
)
from tendigits.data.folders import name_of, set_aside
from tendigits.errors import DataError, DataFormatError, DataNotFoundError


def write_set(folder: Path, digits: Digits, images_name: str, labels_name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    idx.write_idx(folder / images_name, digits.images)
    idx.write_idx(folder / labels_name, digits.labels)


@pytest.fixture(scope="module")
def tiny(few_digits: DigitSet) -> DigitSet:
    return DigitSet(
        name="tiny", train=few_digits.train.take(slice(60)), test=few_digits.test.take(slice(20))
    )


def same(found: Digits, expected: Digits) -> bool:
    return found.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("place", [".", "raw", "MNIST/raw", "Whatever/raw"])
@pytest.mark.parametrize(
    ("part_name", "images_name", "labels_name"),
    [
        ("t10k", "{}-images-idx3-ubyte", "{}-labels-idx1-ubyte"),
        ("t10k", "{}-images.idx3-ubyte", "{}-labels.idx1-ubyte"),
        ("t10k", "{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz"),
        ("test", "qmnist-{}-images-idx3-ubyte.gz", "qmnist-{}-labels-idx1-ubyte.gz"),
    ],
)
def test_idx_files_are_found_where_tools_leave_them(
    tmp_path: Path, tiny: DigitSet, place: str, part_name: str, images_name: str, labels_name: str
) -> None:
    for name, digits in (("train", tiny.train), (part_name, tiny.test)):
        write_set(tmp_path / place, digits, images_name.format(name), labels_name.format(name))
    found = load_folder(tmp_path)
    assert same(found.train, tiny.train)
    assert same(found.test, tiny.test)
    assert (found.name, found.divided_here) == (tmp_path.name, False)


def write_idx_set(folder: Path, digit_set: DigitSet, prefix: str = "") -> None:
    for part, digits in (("train", digit_set.train), ("test", digit_set.test)):
        names = (f"{prefix}{part}-images-idx3-ubyte", f"{prefix}{part}-labels-idx1-ubyte")
        write_set(folder, digits, *names)


def test_emnist_is_turned_upright_and_its_digits_are_chosen(tmp_path: Path, tiny: DigitSet) -> None:
    sideways = [
        Digits(images=part.images.transpose(0, 2, 1), labels=part.labels)
        for part in (tiny.train, tiny.test)
    ]
    lying = DigitSet(name="emnist", train=sideways[0], test=sideways[1])
    write_idx_set(tmp_path / "EMNIST" / "raw", lying, "emnist-digits-")
    write_idx_set(tmp_path / "EMNIST" / "raw", lying, "emnist-letters-")
    assert same(load_folder(tmp_path).train, tiny.train)


def test_of_a_file_and_its_gz_the_plain_one_is_read(tmp_path: Path, tiny: DigitSet) -> None:
    write_idx_set(tmp_path, tiny)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"the same, still packed")
    assert same(load_folder(tmp_path).train, tiny.train)


def test_several_sets_in_one_folder_are_refused(tmp_path: Path, tiny: DigitSet) -> None:
    for name in ("MNIST", "FashionMNIST"):
        write_idx_set(tmp_path / name / "raw", tiny)
    with pytest.raises(DataFormatError, match=r"holds several sets \(.*FashionMNIST.*MNIST"):
        load_folder(tmp_path)
    assert same(load_folder(tmp_path / "MNIST").train, tiny.train)


def test_without_a_test_part_a_sixth_of_each_class_is_set_aside(
    tmp_path: Path, few_digits: DigitSet
) -> None:
    write_set(tmp_path, few_digits.train, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    found = load_folder(tmp_path)
    assert found.divided_here
    np.testing.assert_array_equal(
        found.test.class_counts(), np.rint(few_digits.train.class_counts() / 6)
    )
    pictures = {image.tobytes() for image in found.all().images}
    assert pictures == {image.tobytes() for image in few_digits.train.images}
    assert same(load_folder(tmp_path).test, found.test)


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


@pytest.mark.parametrize(
    ("file_name", "content", "words"),
    [
        ("train-images-idx3-ubyte", b"", "begins with nothing"),
        ("train-images-idx3-ubyte", None, "has no file of pictures beside it"),
        ("train-labels-idx1-ubyte", None, "has no file of labels beside it"),
        (
            "test-labels-idx1-ubyte",
            b"\0\0\x08\x01\0\0\0\x01\x03",
            "holds 20 pictures and .* 1 labels",
        ),
        (
            "train-labels-idx1-ubyte",
            b"\0\0\x08\x01\0\0\0\x3c" + b"\x0a" * 60,
            "label 10 at position 0",
        ),
        ("train-images-idx3-ubyte", b"\0\0\x08\x01\0\0\0\x01\x03", "are the files .* swapped"),
        ("test-images-idx3-ubyte", gzip.compress(b"\0\0\x08\x03")[:-4], "truncated gzip"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(
    tmp_path: Path, tiny: DigitSet, file_name: str, content: bytes | None, words: str
) -> None:
    write_idx_set(tmp_path, tiny)
    (tmp_path / file_name).unlink()
    if content is not None:
        (tmp_path / file_name).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        load_folder(tmp_path)
    assert "\n" not in str(caught.value)


def write_pictures(folder: Path, digits: Digits, *, inverted: bool = False) -> None:
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        pixels = 255 - image if inverted else image
        Image.fromarray(pixels).save(folder / str(label) / f"{place:04d}.png")


def in_order(digits: Digits) -> Digits:
    return digits.take(np.argsort(digits.labels, kind="stable"))


def test_pictures_in_mnist_form_are_taken_as_they_are(tmp_path: Path, tiny: DigitSet) -> None:
    write_pictures(tmp_path / "train", tiny.train)
    write_pictures(tmp_path / "test", tiny.test)
    found = load_folder(tmp_path)
    assert same(found.train, in_order(tiny.train))
    assert same(found.test, in_order(tiny.test))
    assert not found.divided_here


def test_other_pictures_go_through_imaging(tmp_path: Path, tiny: DigitSet) -> None:
    write_pictures(tmp_path / "train", tiny.train, inverted=True)
    found = load_folder(tmp_path)
    assert found.divided_here
    expected: list[NDArray[np.uint8]] = [
        imaging.to_mnist_form(image) for image in in_order(tiny.train).images
    ]
    assert {image.tobytes() for image in found.all().images} == {
        image.tobytes() for image in expected
    }


def test_sub_folders_without_parts_and_clutter(tmp_path: Path, tiny: DigitSet) -> None:
    write_pictures(tmp_path, tiny.train)
    (tmp_path / "3" / "more").mkdir()
    Image.fromarray(tiny.test.images[0]).save(tmp_path / "3" / "more" / "deeper.tiff")
    for name in (".DS_Store", "Thumbs.db"):
        (tmp_path / "3" / name).write_bytes(b"clutter")
    (tmp_path / "notes").mkdir()
    found = load_folder(tmp_path)
    assert len(found.train) + len(found.test) == 61
    assert found.divided_here


def test_an_unreadable_picture_is_named(tmp_path: Path, tiny: DigitSet) -> None:
    write_pictures(tmp_path, tiny.train)
    (tmp_path / "7" / "holiday.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(DataFormatError, match=r"7.holiday.png: cannot be decoded"):
        load_folder(tmp_path)


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


def test_counts_are_compared_before_a_pixel_is_read(
    tmp_path: Path, tiny: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path, tiny)
    (tmp_path / "test-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x01\x03")
    monkeypatch.setattr(idx, "read_idx", lambda path: pytest.fail(f"{path} was read"))
    (tmp_path / "train-images-idx3-ubyte").unlink()
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataFormatError, match=r"20 pictures and .* 1 labels"):
        load_folder(tmp_path)


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
