"""A plan: prefixes, bins, and what is refused with its line."""

import re
from pathlib import Path

import pytest

from tendigits.errors import DataFormatError, DataNotFoundError
from tendigits.sorting.plan import Plan, load_plan


def write(folder: Path, text: str) -> Path:
    path = folder / "plan.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def test_the_longest_prefix_wins_in_any_order(tmp_path: Path) -> None:
    plan = load_plan(write(tmp_path, "prefix,bin\n947,berkeley\n9,west\n94,bay\n94703,one\n"))
    found = [plan.find_bin(code) for code in ("94703", "94704", "94110", "90210", "10001", "")]
    assert found == ["one", "berkeley", "bay", "west", "unrouted", "unrouted"]
    assert plan.names() == ["berkeley", "west", "bay", "one"]


def test_a_spreadsheets_file_is_read_too(tmp_path: Path) -> None:
    text = '\ufeffprefix,bin\r\n# the east\r\n\r\n0,"New England"\r\n 1 , New York \r\n'
    assert load_plan(write(tmp_path, text)) == Plan(bins={"0": "New England", "1": "New York"})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("9,coast", "line 3: the prefix 9 was on line 2 already"),
        ("8", "line 3: has 1 parts: expected two, a prefix and a bin"),
        ("8,a,b", "line 3: has 3 parts"),
        ("8x,a", "line 3: the prefix is '8x': expected 1 to 25 digits"),
        ("٣,a", "line 3: the prefix is '٣'"),
        (",a", "line 3: the prefix is ''"),
        ("8,", "line 3: the bin is ''"),
        ("8,../../etc", "line 3: the bin is '../../etc'"),
        ("8,.hidden", "line 3: the bin is '.hidden'"),
        ("8,a\0b", "line 3: the bin is"),
        ("8,NUL", "line 3: the bin is 'NUL'"),
        ("8,Review", "line 3: the bin 'Review' is kept for pieces"),
        ('8,"a', "line 3: is no line of CSV"),
        ("8,West", "line 3: the bin 'West' was 'west' before"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataFormatError, match=re.escape(message)):
        load_plan(write(tmp_path, f"prefix,bin\n9,west\n{line}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: is no head"),
        ("# mail of the west\n\n9,west\n", "line 3: is no head: expected prefix,bin first"),
        ("prefix;bin\n9;west\n", "line 1: is no head"),
        ("prefix,bin\n", "has no line but its head: expected a prefix and a bin"),
    ],
)
def test_a_plan_has_a_head_and_a_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        load_plan(write(tmp_path, text))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataFormatError, match="not UTF-8"):
        load_plan(path)
    with pytest.raises(DataNotFoundError, match="cannot be read"):
        load_plan(tmp_path)
    with pytest.raises(DataNotFoundError, match="No such file"):
        load_plan(tmp_path / "none.csv")
