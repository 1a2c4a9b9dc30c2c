"""Plans: the longest prefix wins, and a bad line is refused by its number."""

from pathlib import Path

import pytest

from tendigits.errors import DataNotFoundError, PlanError
from tendigits.sorting.plan import load_plan


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "plan.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_longest_prefix_wins_whatever_the_order(tmp_path: Path) -> None:
    plan = load_plan(write(tmp_path, "prefix,bin\n941,city\n9,west\n94,bay\n00501,irs\n"))
    codes = ("94110", "94010", "90210", "00501", "00502", "")
    assert [plan.bin_of(code) for code in codes] == [
        *("city", "bay", "west", "irs", "unrouted", "unrouted")
    ]


def test_spreadsheets_comments_and_blanks_are_taken(tmp_path: Path) -> None:
    text = '\ufeff# a plan\r\nPrefix, Bin\r\n\r\n 9 , west coast \r\n"1","east, no"\r\n'
    with pytest.raises(PlanError, match=r"line 5: 'east, no' is no bin"):
        load_plan(write(tmp_path, text))
    assert load_plan(write(tmp_path, text.replace("east, no", "east"))).bins == {
        "9": "west coast",
        "1": "east",
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("9,other", "line 3: the prefix 9 has a bin in line 2 already"),
        ("1", "line 3: has 1 cells"),
        ("1,a,b", "line 3: has 3 cells"),
        ("1x,a", "line 3: '1x' is no prefix"),
        ("١,a", "line 3: '١' is no prefix"),
        (",a", "line 3: '' is no prefix"),
        ("prefix,bin", "line 3: 'prefix' is no prefix"),
        ('1,"a', "line 3: is no line of CSV"),
        ("1,", "line 3: '' is no bin"),
        ("1,../a", "line 3: '../a' is no bin"),
        ("1,..", "line 3: '..' is no bin"),
        ("1,a/b", "line 3: 'a/b' is no bin"),
        ("1,a.", "line 3: 'a.' is no bin"),
        ("1,NUL", "line 3: 'NUL' is no bin"),
        ("1,Review", "line 3: the bin 'Review' is tendigits' own"),
        ("1,unrouted", "line 3: the bin 'unrouted' is tendigits' own"),
        ("1,West", "line 3: the bin 'West' is 'west' in line 2"),
    ],
)
def test_a_line_that_cannot_be_is_refused_by_its_number(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = write(tmp_path, f"# a plan\n9,west\n{line}\n8,south\n")
    with pytest.raises(PlanError) as refused:
        load_plan(path)
    assert str(refused.value).startswith(f"{path}, {reason}")
    assert "\n" not in str(refused.value)


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="expected a plan"):
        load_plan(tmp_path / "none.csv")
    with pytest.raises(DataNotFoundError, match="expected a plan"):
        load_plan(tmp_path)
    with pytest.raises(PlanError, match="line 2: is no text in UTF-8"):
        load_plan(write(tmp_path, b"9,west\n1,\xff\n"))
    with pytest.raises(PlanError, match="no prefix and bin"):
        load_plan(write(tmp_path, "prefix,bin\n\n"))
