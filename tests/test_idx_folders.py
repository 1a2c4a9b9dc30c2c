"""Folders of IDX files, as other tools leave them."""

import gzip
from pathlib import Path

import pytest

from folders import same, write_idx_set, write_set
from tendigits.data import Digits, DigitSet, idx, load_folder
from tendigits.errors import DataError, DataFormatError


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
