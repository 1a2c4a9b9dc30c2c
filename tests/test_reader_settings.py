"""What a reader can be told: a format, codes, a doubt, other networks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from handwriting import CLEAN, HAND, share_right
from tendigits.data import DigitSet
from tendigits.data.lines import Line, make_lines
from tendigits.errors import SettingError, UnknownNameError, WeightsError
from tendigits.reading import Reader
from tendigits.reading.classifier import find_model
from tendigits.reading.codes import CodeList
from tendigits.registry import line_file

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
    both = Reader(fields="one", format=CodeList(codes=sorted([easy.text, wrong])), threads=1)
    (field,) = both.read(easy.picture).fields
    assert (field.text, field.unconstrained) == (easy.text, None)
    only = Reader(fields="one", format=CodeList(codes=(wrong,)), threads=1)
    (field,) = only.read(easy.picture).fields
    assert (field.text, field.unconstrained) == (wrong, easy.text)
    assert not field.accepted


def test_among_a_hundred_thousand_codes_it_is_found(easy: Line) -> None:
    codes = CodeList(codes=[f"{n:05}" for n in range(100_000)])
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
    with pytest.raises(SettingError, match="most_shown is -1: expected a number of 0 or more"):
        Reader(most_shown=-1)
    with pytest.raises(SettingError, match="threads is -1: expected a number of 0"):
        Reader(threads=-1)
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


def write_identity(path: Path, takes: str, shape: tuple[int | str, ...]) -> Path:
    """Write a network that gives what it takes."""
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name in (takes, "logits")
    ]
    node = onnx.helper.make_node("Identity", [takes], ["logits"])
    graph = onnx.helper.make_graph([node], "identity", ends[:1], ends[1:])
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_networks_of_other_shapes_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    flat = write_identity(tmp_path / "flat.onnx", "images", ("N", 784))
    with pytest.raises(WeightsError, match=r"flat.onnx: cannot be run on images \(2, 1, 28, 28\)"):
        Reader(flat)
    same = write_identity(tmp_path / "same.onnx", "images", ("N", 1, 28, 28))
    with pytest.raises(WeightsError, match=r"same.onnx: gives logits .* expected \(2, 10\)"):
        Reader(same)
    line = write_identity(tmp_path / "line.onnx", "lines", ("N", 2, 40, "W"))
    with pytest.raises(WeightsError, match=r"line.onnx: gives logits .* expected \(1, 22, 11\)"):
        Reader(line_network=line)


def test_a_network_over_lines_may_be_named_by_its_file(easy: Line, tmp_path: Path) -> None:
    path = tmp_path / "copy.onnx"
    path.write_bytes(line_file().read_bytes())
    assert Reader(fields="one", line_network=str(path)).read(easy.picture).text == easy.text


def test_a_shipped_model_may_be_named_by_a_path(easy: Line, reader: Reader) -> None:
    named = Reader(Path("small"), fields="one", threads=1)
    assert named.recognisers.alone
    assert named.recognisers.second is not None
    assert named.read(easy.picture) == reader.read(easy.picture)
