"""Lists of codes and check digits."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rules import keeps
from tendigits.errors import DataFormatError, DataNotFoundError, SettingError, UnknownNameError
from tendigits.reading.codes import AllOf, CodeList, ean_13, isbn_10, load_code_list, luhn
from tendigits.reading.postcode import find_rules
from tendigits.reading.search import Rules


def test_a_list_keeps_its_codes_and_no_other() -> None:
    random = np.random.default_rng(0)
    codes = {f"{n:04}" for n in random.integers(10_000, size=700)} | {"12", "1", "99999"}
    rules = CodeList(codes=sorted(codes))
    assert rules.lengths == frozenset({1, 2, 4, 5})
    strings = [f"{n:0{length}}" for length in (1, 2, 3, 4) for n in range(10**length)]
    assert {string for string in strings if keeps(rules, string)} == codes - {"99999"}
    assert keeps(rules, "99999")


@pytest.mark.parametrize(
    ("rules", "right"),
    [
        (luhn(16), "4539578763621486"),
        (luhn(11), "79927398713"),  # the example of ISO/IEC 7812-1's common explanations
        (isbn_10(), "0306406152"),
        (ean_13(), "9780306406157"),
        (ean_13(), "4006381333931"),
    ],
)
def test_check_digits_find_every_single_change(rules: Rules, right: str) -> None:
    assert keeps(rules, right)
    for place, letter in enumerate(right):
        for other in "0123456789":
            if other != letter:
                assert not keeps(rules, right[:place] + other + right[place + 1 :])
    assert not keeps(rules, right[:-1])
    assert not keeps(rules, right + "0")


def test_rules_add_up() -> None:
    rules = AllOf(parts=(CodeList(codes=("79927398713", "79927398714")), luhn(11)))
    assert rules.lengths == frozenset({11})
    assert keeps(rules, "79927398713")
    assert not keeps(rules, "79927398714")


def test_a_file_of_codes_is_read_with_its_clutter(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text('code;town\n# Bern\n3011;Bern\n\n"8 001", Zürich\n3011;Bern\n', "utf-8")
    assert list(load_code_list(path).codes) == ["3011", "8001"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"3011\nBern\n", "line 2 holds 'Bern'"), (b"", "holds no code"), (b"\xff", "UTF-8")],
)
def test_a_bad_file_of_codes_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "codes.txt"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=words):
        load_code_list(path)


def test_no_file_of_codes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="list of codes"):
        load_code_list(tmp_path / "nothing")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that not even root can read")
def test_a_file_of_codes_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DataNotFoundError, match=r"cannot be read \(Input/output error\)"):
        load_code_list(Path("/proc/self/mem"))


def test_formats_are_found_by_name(tmp_path: Path) -> None:
    assert find_rules(None) is None
    for name, right, wrong in [
        ("us-zip", "02139", "2139"),
        ("us-zip4", "021390001", "02139"),
        ("de-plz", "01067", "00100"),
        ("in-pin", "110001", "010001"),
        ("fr-cp", "75008", "99000"),
        ("digits:4-6", "12345", "123"),
        ("luhn:11", "79927398713", "79927398714"),
        ("regex:[1-3]7", "27", "47"),
    ]:
        rules = find_rules(name)
        assert rules is not None
        assert keeps(rules, right)
        assert not keeps(rules, wrong)
    (tmp_path / "codes").write_text("02139\n1234\n")
    both = find_rules("us-zip", valid=tmp_path / "codes")
    assert both is not None
    assert keeps(both, "02139")
    assert not keeps(both, "1234")
    with pytest.raises(SettingError, match="no code in"):
        find_rules("in-pin", valid=tmp_path / "codes")


@pytest.mark.parametrize(
    "name",
    ["digits:0", "digits:9-5", "digits:x", "luhn:4-5", "digits:99", r"regex:\d{64}\d", "regex:()*"],
)
def test_a_badly_written_format_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="cannot be used"):
        find_rules(name)


def test_a_format_that_takes_too_long_is_refused_before_anything_is_read() -> None:
    with pytest.raises(SettingError, match="too many ways"):
        find_rules("regex:.*1.{20}")


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'us-zip'"):
        find_rules("us-zp")
