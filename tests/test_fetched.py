"""Fetched sets: downloaded, verified, unpacked and kept, each from a small local likeness."""

import bz2
import dataclasses
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mirror_server import Mirror, MirrorServer, md5, serve
from tendigits.data import (
    KNOWN_SETS,
    Digits,
    DigitSet,
    fetch_emnist_digits,
    fetch_fashion_mnist,
    fetch_kmnist,
    fetch_qmnist,
    fetch_usps,
    fetched,
    find_known_set,
    idx,
    load_folder,
    unpacking,
)
from tendigits.data.fetched import Source, fetch
from tendigits.errors import DataFormatError, DownloadError, UnknownNameError


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with serve() as running:
        yield running


def packed(items: NDArray[Any]) -> bytes:
    content = items.astype(items.dtype.newbyteorder(">")).tobytes()
    return gzip.compress(idx.idx_header(items) + content, mtime=0)


def contents(names: list[str], digit_set: DigitSet) -> dict[str, bytes]:
    """Give the four names, in the order of `Source.checksums`, a content of their form."""
    arrays: list[NDArray[Any]] = []
    for part in (digit_set.train, digit_set.test):
        arrays += [part.images, part.labels]
    return {name: packed(array) for name, array in zip(names, arrays, strict=True)}


def likeness(source: Source, server: MirrorServer, files: dict[str, bytes]) -> Source:
    """Return `source` with the local server for a mirror, and the checksums of `files`."""
    return dataclasses.replace(
        source,
        mirrors=(server.add(source.name, Mirror(files=files)),),
        checksums={name: md5(content) for name, content in files.items()},
    )


def same(found: Digits, expected: Digits) -> bool:
    return found.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("source", [fetched.FASHION_MNIST, fetched.KMNIST], ids=lambda s: s.name)
def test_a_set_in_mnists_files_is_fetched_once_and_kept(
    source: Source, server: MirrorServer, tmp_path: Path, tiny: DigitSet
) -> None:
    local = likeness(source, server, contents(list(source.checksums), tiny))
    for _ in range(2):
        found = fetch(local, tmp_path)
        assert same(found.train, tiny.train)
        assert same(found.test, tiny.test)
        assert (found.name, found.classes) == (source.name, source.classes)
    assert len(server.mirrors[source.name].requests) == 4
    assert same(load_folder(tmp_path / source.name).train, tiny.train)


def test_an_archive_is_kept_until_its_set_is_whole(
    server: MirrorServer, tmp_path: Path, tiny: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = likeness(fetched.EMNIST_DIGITS, server, {"gzip.zip": emnist_archive(tiny)})

    def fill(path: Path, text: str) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tendigits.atomic.write_text", fill)
        with pytest.raises(OSError, match="no space"):
            fetch(local, tmp_path)
    assert same(fetch(local, tmp_path).test, tiny.test)
    assert len(server.mirrors["emnist-digits"].requests) == 1


def test_a_kept_file_that_changed_is_fetched_again(
    server: MirrorServer, tmp_path: Path, tiny: DigitSet
) -> None:
    local = likeness(fetched.KMNIST, server, contents(list(fetched.KMNIST.checksums), tiny))
    fetch(local, tmp_path)
    path = tmp_path / "kmnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(packed(np.zeros(20, np.uint8)))
    assert same(fetch(local, tmp_path).test, tiny.test)
    assert [name for name, _ in server.mirrors["kmnist"].requests][4:] == [path.name]


def test_qmnists_table_of_labels_is_read(
    server: MirrorServer, tmp_path: Path, tiny: DigitSet
) -> None:
    files = contents(list(fetched.QMNIST.checksums), tiny)
    for part, name in ((tiny.train, "train"), (tiny.test, "test")):
        table = np.column_stack([part.labels, np.full((len(part), 7), 4_000)]).astype(np.int32)
        files[f"qmnist-{name}-labels-idx2-int.gz"] = packed(table)
    found = fetch(likeness(fetched.QMNIST, server, files), tmp_path)
    assert same(found.train, tiny.train)
    assert same(found.test, tiny.test)


def emnist_archive(digit_set: DigitSet) -> bytes:
    lying = DigitSet(
        name="emnist",
        train=Digits(
            images=digit_set.train.images.transpose(0, 2, 1), labels=digit_set.train.labels
        ),
        test=Digits(images=digit_set.test.images.transpose(0, 2, 1), labels=digit_set.test.labels),
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("gzip/emnist-letters-train-labels-idx1-ubyte.gz", b"not wanted")
        for name, content in contents(list(unpacking.EMNIST_FILES), lying).items():
            archive.writestr(f"gzip/{name}", content)
    return file.getvalue()


def test_emnists_digits_are_taken_out_and_turned_upright(
    server: MirrorServer, tmp_path: Path, tiny: DigitSet
) -> None:
    local = likeness(fetched.EMNIST_DIGITS, server, {"gzip.zip": emnist_archive(tiny)})
    for _ in range(2):
        found = fetch(local, tmp_path)
        assert same(found.train, tiny.train)
        assert same(found.test, tiny.test)
    kept = sorted(path.name for path in (tmp_path / "emnist-digits").iterdir())
    assert kept == sorted(["SHA256SUMS", *unpacking.EMNIST_FILES])
    assert len(server.mirrors["emnist-digits"].requests) == 1


def test_another_archive_is_refused(server: MirrorServer, tmp_path: Path) -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for number, content in enumerate((b"no archive", empty.getvalue())):
        local = likeness(fetched.EMNIST_DIGITS, server, {"gzip.zip": content})
        with pytest.raises(DataFormatError, match="is not EMNIST's archive"):
            fetch(local, tmp_path / str(number))


def usps_line(label: int, image: NDArray[np.uint8]) -> str:
    """Write a digit, shrunk to 16x16, as a line of USPS."""
    small = Image.fromarray(image[4:24, 4:24]).resize((16, 16), Image.Resampling.BOX)
    values = np.asarray(small).reshape(-1) / 127.5 - 1
    return f"{label + 1} " + " ".join(f"{i}:{value:.4f}" for i, value in enumerate(values, start=1))


def usps_file(digits: Digits) -> bytes:
    lines = [usps_line(*pair) for pair in zip(digits.labels, digits.images, strict=True)]
    return bz2.compress("\n".join(lines).encode())


def test_usps_is_brought_into_mnists_form(
    server: MirrorServer, tmp_path: Path, tiny: DigitSet
) -> None:
    files = {"usps.bz2": usps_file(tiny.train), "usps.t.bz2": usps_file(tiny.test)}
    local = likeness(fetched.USPS, server, files)
    for _ in range(2):
        found = fetch(local, tmp_path)
        assert found.train.labels.tolist() == tiny.train.labels.tolist()
        assert found.test.labels.tolist() == tiny.test.labels.tolist()
    flat = [part.reshape(20, -1).astype(float) for part in (found.test.images, tiny.test.images)]
    likenesses = [np.corrcoef(*pair)[0, 1] for pair in zip(*flat, strict=True)]
    assert np.mean(likenesses) > 0.85
    assert len(server.mirrors["usps"].requests) == 2


@pytest.mark.parametrize(
    "line",
    [
        "",
        "seven 1:0.5",
        "11 1:0.5",
        "0 1:0.5",
        "3 257:0",
        "3 0:0",
        "3 1:1.5",
        "3 1:nan",
        "3 1:",
        "3 x",
    ],
)
def test_a_malformed_line_of_usps_is_named(tmp_path: Path, line: str) -> None:
    good = usps_line(3, np.zeros((28, 28), np.uint8))
    (tmp_path / "usps.bz2").write_bytes(bz2.compress(f"{good}\n{line}\n{good}".encode()))
    with pytest.raises(DataFormatError, match=r"usps.bz2: line 2 is not of the form"):
        unpacking.read_usps(tmp_path / "usps.bz2")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no bzip2", "is not a bzip2 file"),
        (bz2.compress(b"4 1:0.5")[:-4], "is not a bzip2 file"),
        (bz2.compress(b""), "is empty or inflates to more than"),
        (bz2.compress(bytes(unpacking.USPS_MAX_BYTES + 1)), "inflates to more than 134,217,728"),
    ],
    ids=["other", "truncated", "empty", "bomb"],
)
def test_usps_is_inflated_with_care(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "usps.bz2").write_bytes(content)
    with pytest.raises(DataFormatError, match=words):
        unpacking.read_usps(tmp_path / "usps.bz2")


def test_when_no_mirror_has_it_nothing_is_left_that_looks_whole(
    server: MirrorServer, tmp_path: Path, tiny: DigitSet
) -> None:
    files = contents(list(fetched.KMNIST.checksums), tiny)
    local = likeness(fetched.KMNIST, server, files)
    del files["t10k-images-idx3-ubyte.gz"]
    with pytest.raises(DownloadError, match="404"):
        fetch(local, tmp_path)
    assert not fetched.is_fetched(local, tmp_path)


def test_the_cache_is_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fetched.CACHE_VARIABLE, str(tmp_path / "mine"))
    assert fetched.USPS.folder() == tmp_path / "mine" / "usps"
    monkeypatch.delenv(fetched.CACHE_VARIABLE)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert fetched.USPS.folder() == tmp_path / ".cache" / "tendigits" / "usps"


def test_each_function_fetches_its_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fetched, "fetch", lambda source, cache, progress: asked.append(source.name))
    for function in (
        fetch_fashion_mnist,
        fetch_kmnist,
        fetch_emnist_digits,
        fetch_qmnist,
        fetch_usps,
    ):
        function()
    assert asked == [known.name for known in KNOWN_SETS if known.source]


def test_every_known_set_has_a_card_and_ten_classes(mnist: DigitSet) -> None:
    for known in KNOWN_SETS:
        assert known.card().startswith("# ")
        assert "Citation" in known.card()
        assert known.source is None or len(known.source.classes) == 10
    assert (KNOWN_SETS[0].train_count, KNOWN_SETS[0].test_count) == (
        len(mnist.train),
        len(mnist.test),
    )


def test_an_unknown_set_is_refused_with_a_guess() -> None:
    assert find_known_set("usps").name == "usps"
    with pytest.raises(UnknownNameError, match="did you mean 'qmnist'"):
        find_known_set("qmnis")
