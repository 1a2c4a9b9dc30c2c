"""The MNIST inside the package is the published one, byte for byte."""

import gzip
import hashlib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from tendigits.data import DigitSet, idx, load_mnist, shipped
from tendigits.errors import DataFormatError

FILES = resources.files("tendigits.data") / "files"


@pytest.mark.parametrize(("name", "sha256"), shipped.MNIST_SHA256.items())
def test_each_shipped_file_has_the_published_content(name: str, sha256: str) -> None:
    content = gzip.decompress((FILES / f"{name}.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == sha256


def test_each_shipped_file_is_listed_with_its_sha256() -> None:
    lines = [line.split() for line in (FILES / "SHA256SUMS").read_text("utf-8").splitlines()]
    assert {name for _, name in lines} == {f"{name}.gz" for name in shipped.MNIST_SHA256}
    for sha256, name in lines:
        assert hashlib.sha256((FILES / name).read_bytes()).hexdigest() == sha256


def test_mnist_is_complete(mnist: DigitSet) -> None:
    assert (mnist.name, mnist.divided_here) == ("mnist", False)
    assert mnist.train.images.shape == (60_000, 28, 28)
    assert mnist.test.images.shape == (10_000, 28, 28)
    # The counts that everybody knows: 5,421 fives and 1,135 ones.
    assert (mnist.train.class_counts()[5], mnist.test.class_counts()[1]) == (5_421, 1_135)
    # The first training picture of all is a 5, and its pixels are as LeCun's page had them.
    assert mnist.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.train.images[0, 5, 12:20].tolist() == [3, 18, 18, 18, 126, 136, 175, 26]


def test_the_card_states_the_counts_and_checksums(mnist: DigitSet) -> None:
    card = (resources.files("tendigits.data") / "cards" / "mnist.md").read_text("utf-8")
    for part in (mnist.train, mnist.test):
        assert " | ".join(f"{count:,}" for count in part.class_counts()) in card
    for sha256 in shipped.MNIST_SHA256.values():
        assert sha256 in card


def test_a_changed_pixel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((60_000, 28, 28), np.uint8)
    (tmp_path / "files").mkdir()
    idx.write_idx(tmp_path / "files" / "train-images-idx3-ubyte.gz", images)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(DataFormatError, match="installation is damaged, install tendigits again"):
        load_mnist()
