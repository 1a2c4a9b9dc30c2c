"""Folders of pictures, as people leave them: a sub-folder for each digit."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from folders import in_order, same, write_pictures
from tendigits import imaging
from tendigits.data import DigitSet, load_folder
from tendigits.errors import DataFormatError, DataNotFoundError


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


def test_links_are_followed_once(tmp_path: Path, tiny: DigitSet) -> None:
    write_pictures(tmp_path / "mine", tiny.train)
    (tmp_path / "mine" / "3").rename(tmp_path / "threes")
    (tmp_path / "mine" / "3").symlink_to(tmp_path / "threes")
    (tmp_path / "threes" / "back").symlink_to(tmp_path / "mine" / "3")
    assert len(load_folder(tmp_path / "mine").all()) == len(tiny.train)
    (tmp_path / "threes" / "lost.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataNotFoundError, match=r"lost\.png"):
        load_folder(tmp_path / "mine")


def test_an_unreadable_picture_is_named(tmp_path: Path, tiny: DigitSet) -> None:
    write_pictures(tmp_path, tiny.train)
    (tmp_path / "7" / "holiday.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(DataFormatError, match=r"7.holiday.png: cannot be decoded"):
        load_folder(tmp_path)
