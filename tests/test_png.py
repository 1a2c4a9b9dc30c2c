"""Pictures that are written: their names, and what they hold."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tendigits.data import Digits
from tendigits.errors import SettingError
from tendigits.imaging.png import save_png


def test_a_picture_comes_back_as_it_was(some_digits: Digits, tmp_path: Path) -> None:
    save_png(Image.fromarray(some_digits.images[0]), tmp_path / "digit.PNG")
    np.testing.assert_array_equal(Image.open(tmp_path / "digit.PNG"), some_digits.images[0])
    assert [path.name for path in tmp_path.iterdir()] == ["digit.PNG"]


@pytest.mark.parametrize("name", ["digit", "digit.jpg", ".png"])
def test_another_name_than_a_png_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"cannot be drawn: expected a name that ends in \.png"):
        save_png(Image.new("L", (2, 2)), tmp_path / name)
    assert not list(tmp_path.iterdir())
