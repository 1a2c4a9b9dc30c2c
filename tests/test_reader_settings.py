"""What a reader can be told: a format, codes, a doubt, other networks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from handwriting import CLEAN, HAND, share_right
from tendigits.data import DigitSet
from tendigits.data.lines import Line, make_lines
from tendigits.errors import SettingError, UnknownNameError, WeightsError
from tendigits.reading import Reader
from tendigits.reading.classifier import find_model
from tendigits.reading.codes import make_code_list

Pixels = NDArray[np.uint8]


def test_a_format_decides_how_many_digits_there_are(few_digits: DigitSet) -> None:
    hand = replace(HAND, gap=-0.03, gap_spread=0.03)
    lines = list(make_lines(few_digits.test, 30, seed=2, least=5, most=5, hand=hand, paper=CLEAN))
    free, five = Reader(fields="one", threads=1), Reader(fields="one", format="us-zip", threads=1)
    texts = [five.read(line.picture).text for line in lines]
    assert np.mean([len(text) == 5 for text in texts]) > 0.9
    right = [text == line.text for text, line in zip(texts, lines, strict=True)]
    assert np.mean(right) >= share_right(free, lines)


def test_codes_that_exist_decide_and_what_they_changed_is_said(easy: Line) -> None:
    wrong = easy.text[:-1] + str((int(easy.text[-1]) + 1) % 10)
    both = Reader(fields="one", format=make_code_list([easy.text, wrong]), threads=1)
    (field,) = both.read(easy.picture).fields
    assert (field.text, field.unconstrained) == (easy.text, None)
    only = Reader(fields="one", format=make_code_list([wrong]), threads=1)
    (field,) = only.read(easy.picture).fields
    assert (field.text, field.unconstrained) == (wrong, easy.text)
    assert not field.accepted


def test_among_a_hundred_thousand_codes_it_is_found(easy: Line) -> None:
    codes = make_code_list(f"{n:05}" for n in range(100_000))
    (field,) = Reader(fields="one", format=codes, threads=1).read(easy.picture).fields
    assert field.text == easy.text


def test_nothing_is_accepted_above_the_stated_doubt(easy: Line) -> None:
    strict = Reader(fields="one", reject_above=0.0, threads=1).read(easy.picture)
    assert not strict.accepted
    assert "?" in str(strict)
    assert Reader(fields="one", reject_above=1.0, threads=1).read(easy.picture).accepted


def test_with_the_line_network_it_reads_more_than_without(
    few_digits: DigitSet, reader: Reader
) -> None:
    lines = list(make_lines(few_digits.test, 80, seed=7, least=2, most=7))
    cuts_only = Reader(fields="one", line_network=None, threads=1)
    assert share_right(reader, lines) >= share_right(cuts_only, lines) + 0.05


def test_any_function_that_reads_lines_will_do(easy: Line) -> None:
    def see_nothing(canvas: Pixels) -> NDArray[np.float64]:
        chances = np.full((canvas.shape[2] // 2, 11), 1e-9)
        chances[:, -1] = 1
        return np.log(chances)

    assert not Reader(fields="one", line_network=see_nothing).read(easy.picture).fields


def test_any_function_that_classifies_will_do(easy: Line, reader: Reader) -> None:
    seen: list[int] = []

    def classify(images: Pixels) -> NDArray[np.float32]:
        seen.append(len(images))
        return reader.classify(images)

    assert Reader(classify, fields="one").read(easy.picture).text == easy.text
    assert len(seen) == 1  # all candidates of a page at once


def test_settings_out_of_range_are_refused(tmp_path: Path) -> None:
    wrong: Any = "two"
    with pytest.raises(SettingError, match="expected 'one' or 'lines'"):
        Reader(fields=wrong)
    with pytest.raises(SettingError, match="from 0 to 1"):
        Reader(reject_above=1.5)
    with pytest.raises(UnknownNameError, match="there is no model 'nothing'"):
        Reader("nothing")
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match=r"bad.onnx: cannot be loaded"):
        Reader(tmp_path / "bad.onnx")
    with pytest.raises(WeightsError, match="no such file"):
        Reader(tmp_path / "no.onnx")
    with pytest.raises(WeightsError, match=r"bad.onnx: cannot be loaded"):
        Reader(line_network=tmp_path / "bad.onnx")
    with pytest.raises(WeightsError, match="expected lines in and logits out"):
        Reader(line_network=find_model("small"))
