"""IDX: read strictly, written exactly, and refused in one line whenever it is not whole."""

import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from numpy.typing import NDArray

from tendigits.data import idx
from tendigits.errors import DataError, DataFormatError, DataNotFoundError

ARRAYS = st.sampled_from([np.uint8, np.int32]).flatmap(
    lambda dtype: numpy_strategies.arrays(
        dtype, numpy_strategies.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6)
    )
)
# Hypothesis runs many examples in one tmp_path; each example writes its own content first.
SHARED_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def picture_file(count: int = 3) -> bytes:
    pictures = np.arange(count * 784, dtype=np.uint32).astype(np.uint8).reshape(count, 28, 28)
    return idx.idx_header(pictures) + pictures.tobytes()


def refused(path: Path, content: bytes, words: str) -> str:
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=words) as caught:
        idx.read_idx(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@SHARED_FOLDER
@given(items=ARRAYS, suffix=st.sampled_from(["", ".gz"]))
def test_what_is_written_is_read(tmp_path: Path, items: NDArray[Any], suffix: str) -> None:
    path = tmp_path / f"items{suffix}"
    idx.write_idx(path, items)
    found = idx.read_idx(path)
    assert found.dtype == items.dtype
    assert found.flags.writeable  # torch warns of arrays that are not
    np.testing.assert_array_equal(found, items)


def test_the_bytes_are_those_of_the_published_format(tmp_path: Path) -> None:
    idx.write_idx(tmp_path / "table", np.array([[1, -2], [3, 4]], np.int32))
    assert (tmp_path / "table").read_bytes().hex(" ", 4) == (
        "00000c02 00000002 00000002 00000001 fffffffe 00000003 00000004"
    )


def test_the_same_items_give_the_same_compressed_bytes(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        idx.write_idx(tmp_path / name, np.arange(9, dtype=np.uint8))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@SHARED_FOLDER
@given(data=st.data())
def test_no_broken_gzip_file_gives_other_pictures(tmp_path: Path, data: st.DataObject) -> None:
    whole = gzip.compress(picture_file(), mtime=0)
    broken = data.draw(mutations(whole, places=len(whole)))
    read_or_refuse(tmp_path / "broken.gz", broken)


@SHARED_FOLDER
@given(data=st.data())
def test_no_broken_header_or_length_gives_other_pictures(
    tmp_path: Path, data: st.DataObject
) -> None:
    # Only the 16 bytes of header: a plain file has no checksum for its pixels.
    read_or_refuse(tmp_path / "broken", data.draw(mutations(picture_file(), places=16)))


def mutations(whole: bytes, places: int) -> st.SearchStrategy[bytes]:
    """Give files that lack an end, have a longer one, or have one of the first bytes changed."""
    shorter = st.integers(0, len(whole) - 1).map(lambda length: whole[:length])
    longer = st.binary(min_size=1, max_size=40).map(lambda more: whole + more)
    changed = st.tuples(st.integers(0, places - 1), st.integers(1, 255)).map(
        lambda change: (
            whole[: change[0]] + bytes([whole[change[0]] ^ change[1]]) + whole[change[0] + 1 :]
        )
    )
    return st.one_of(shorter, longer, changed)


def read_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        found = idx.read_images(path)
    except DataError:
        return
    assert idx.idx_header(found) + found.tobytes() == picture_file()


@SHARED_FOLDER
@given(content=st.binary(max_size=64))
def test_arbitrary_bytes_are_refused_or_read_exactly(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anything"
    path.write_bytes(content)
    try:
        found = idx.read_idx(path)
    except DataError:
        return
    header = idx.idx_header(found)
    assert content.startswith(header)
    assert len(content) == len(header) + found.nbytes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG....", "begins with 89 50 4e 47: expected an IDX file"),
        (b"\0\0\x0d\x01\0\0\0\0", "type 0x0d and 1 dimensions: expected type 0x08"),
        (b"\0\0\x08\x04" + bytes(16), "4 dimensions: expected"),
        (b"\0\0\x08\x03\0\0", "ends inside its header"),
        (picture_file()[:-1], "ends after 2,351 of 2,352 bytes of items: it is truncated"),
        (picture_file() + b"\0", "goes on after the 2,352 bytes"),
        (gzip.compress(picture_file())[:-9], "truncated gzip file"),
        (gzip.compress(picture_file())[:-8] + bytes(8), "damaged.*CRC check failed"),
        (gzip.compress(picture_file() + b"\0"), "goes on after"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "claims 4294967295 x .* expected at most 536,870,912"),
        (b"\0\0\x08\x03" + bytes(4) + b"\xff" * 8, "claims 0 x 4294967295 x"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(tmp_path: Path, content: bytes, words: str) -> None:
    refused(tmp_path / "broken", content, words)


def test_a_small_file_cannot_claim_the_memory(tmp_path: Path) -> None:
    zeros = bytes(2**20)
    bombs = {
        # 64 MiB of zeros under a header of one picture, and a header of 0.8 GB over nothing.
        "goes on after": gzip.compress(
            idx.idx_header(np.zeros((1, 28, 28), np.uint8)) + zeros * 64
        ),
        "claims": gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2**20, 28, 28)),
    }
    for words, content in bombs.items():
        tracemalloc.start()
        refused(tmp_path / "bomb.gz", content, words)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * 2**20


def test_inflating_takes_no_second_copy(tmp_path: Path) -> None:
    pictures = np.zeros((2**16, 28, 28), np.uint8)
    idx.write_idx(tmp_path / "zeros.gz", pictures)
    tracemalloc.start()
    idx.read_images(tmp_path / "zeros.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < pictures.nbytes + 8 * 2**20


def test_the_bound_is_an_argument(tmp_path: Path) -> None:
    (tmp_path / "three").write_bytes(picture_file(3))
    assert len(idx.read_idx(tmp_path / "three", max_bytes=3 * 784)) == 3
    with pytest.raises(DataFormatError, match="claims 3 x 28 x 28 items"):
        idx.read_idx(tmp_path / "three", max_bytes=3 * 784 - 1)


def test_compression_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    (tmp_path / "plain.gz").write_bytes(picture_file())
    (tmp_path / "packed").write_bytes(gzip.compress(picture_file()))
    np.testing.assert_array_equal(
        idx.read_idx(tmp_path / "plain.gz"), idx.read_idx(tmp_path / "packed")
    )


def test_a_missing_file_and_a_folder_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="No such file"):
        idx.read_idx(tmp_path / "nothing")
    with pytest.raises(DataNotFoundError, match="cannot be read"):
        idx.read_idx(tmp_path)


def test_swapped_files_are_said_so(tmp_path: Path) -> None:
    idx.write_idx(tmp_path / "labels", np.zeros(3, np.uint8))
    idx.write_idx(tmp_path / "images", np.zeros((3, 28, 28), np.uint8))
    with pytest.raises(DataFormatError, match=r"holds labels where pictures are expected.*swapped"):
        idx.read_images(tmp_path / "labels")
    with pytest.raises(DataFormatError, match=r"holds pictures where labels are expected.*swapped"):
        idx.read_labels(tmp_path / "images")


def test_pictures_of_another_size_and_other_labels_are_refused(tmp_path: Path) -> None:
    idx.write_idx(tmp_path / "small", np.zeros((3, 16, 16), np.uint8))
    with pytest.raises(DataFormatError, match="pictures of 16x16 uint8: expected 28x28"):
        idx.read_images(tmp_path / "small")
    for dtype, wrong in ((np.uint8, 10), (np.int32, -1), (np.int32, 265)):
        idx.write_idx(tmp_path / "labels", np.array([1, wrong], dtype))
        with pytest.raises(DataFormatError, match=f"label {wrong} at position 1: expected 0 to 9"):
            idx.read_labels(tmp_path / "labels")


def test_of_a_table_of_labels_the_first_column_counts(tmp_path: Path) -> None:
    idx.write_idx(tmp_path / "table", np.array([[5, 4, 2433], [0, 1, 172]], np.int32))
    labels = idx.read_labels(tmp_path / "table")
    assert labels.dtype == np.uint8
    assert labels.tolist() == [5, 0]


def test_what_has_no_idx_type_is_not_written(tmp_path: Path) -> None:
    for items in (np.zeros(3, np.float32), np.zeros((1, 1, 1, 1), np.uint8)):
        with pytest.raises(ValueError, match="cannot write"):
            idx.write_idx(tmp_path / "items", items)
