"""Arguable labels: ranked as the paper says, about the pictures they name, and never believed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tendigits.data import Digits, DigitSet
from tendigits.errors import DataFormatError, SettingError
from tendigits.evaluation.arguable import (
    PARTS,
    ArguableLabels,
    Part,
    find_doubts,
    label_margins,
    read_arguable,
    write_arguable,
)
from tendigits.evaluation.gallery import (
    CARD,
    CELL,
    HEADER,
    HEADING,
    MARGIN,
    ROW,
    SCALE,
    STEP,
    TEXT,
    draw_arguable,
    draw_gallery,
)

# As anyone can see who looks at them, a 9 that is labelled 3 and a 7 that is labelled 4.
KNOWN = {("train", 10_994), ("train", 59_915)}


def parts_of(digit_set: DigitSet) -> list[tuple[Part, Digits]]:
    return [("test", digit_set.test), ("train", digit_set.train)]


@pytest.fixture(scope="module")
def arguable() -> ArguableLabels:
    return read_arguable()


def test_the_list_is_about_mnist_and_ranked(arguable: ArguableLabels, mnist: DigitSet) -> None:
    assert {(doubt.part, doubt.index) for doubt in arguable.doubts} >= KNOWN
    for part, digits in parts_of(mnist):
        doubts = arguable.about(digits, part)
        assert len(doubts) == len({doubt.index for doubt in doubts}) > 20
        assert [int(digits.labels[doubt.index]) for doubt in doubts] == [d.label for d in doubts]
        margins = [doubt.label_prob - doubt.answer_prob for doubt in doubts]
        np.testing.assert_array_less(np.negative(np.diff(margins)), 2e-4)  # rounded, and in order
        assert max(margins) < 0


def test_another_set_has_no_arguable_labels(
    arguable: ArguableLabels, mnist: DigitSet, few_digits: DigitSet
) -> None:
    assert arguable.about(few_digits.test, "test") == ()
    assert arguable.about(mnist.test, "train") == ()


def test_a_margin_is_that_to_the_likeliest_other_class() -> None:
    random = np.random.default_rng(5)
    probs = random.dirichlet(np.ones(10), size=200)
    labels = random.integers(10, size=200)
    expected = [
        row[label] - max(np.delete(row, label)) for row, label in zip(probs, labels, strict=True)
    ]
    before = probs.copy()
    np.testing.assert_allclose(label_margins(probs, labels), expected)
    np.testing.assert_array_equal(probs, before)


def test_only_what_is_read_otherwise_is_doubted() -> None:
    probs = np.full((4, 10), 0.01)
    probs[0, 3], probs[1, 3], probs[2, 3], probs[3, 3] = 0.91, 0.91, 0.5, 0.91
    probs[2, 7] = 0.42
    labels = np.array([3, 8, 7, 3])
    assert [(d.index, d.label, d.answer) for d in find_doubts("test", probs, labels, 9)] == [
        (1, 8, 3),
        (2, 7, 3),
    ]
    assert [d.index for d in find_doubts("test", probs, labels, 1)] == [1]


def test_the_list_comes_back(arguable: ArguableLabels, tmp_path: Path) -> None:
    write_arguable(tmp_path / "list.json", arguable)
    assert read_arguable(tmp_path / "list.json") == arguable


DOUBT = {"part": "test", "index": 3, "label": 1, "answer": 2, "answer_prob": 0.9, "label_prob": 0.1}


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"recipe": None},
        {"folds": 0},
        {"seeds": "3"},
        {"doubts": 5},
        {"doubts": ["x"]},
        {"doubts": [DOUBT | {"part": "all"}]},
        {"doubts": [DOUBT | {"index": -1}]},
        {"doubts": [DOUBT | {"index": 1.5}]},
        {"doubts": [DOUBT | {"answer": 10}]},
        {"doubts": [DOUBT | {"label": True}]},
        {"doubts": [DOUBT | {"label_prob": 1.5}]},
        {"doubts": [DOUBT | {"answer_prob": float("nan")}]},
        {"doubts": [DOUBT | {"more": 1}]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_damaged_list_is_refused_in_one_line(
    arguable: ArguableLabels, tmp_path: Path, damage: dict[str, Any]
) -> None:
    path = tmp_path / "list.json"
    write_arguable(path, arguable)
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(DataFormatError, match="no list of arguable labels") as caught:
        read_arguable(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000], ids=len)
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.json").write_bytes(content)
    with pytest.raises(DataFormatError, match="no list of arguable labels"):
        read_arguable(tmp_path / "list.json")
    with pytest.raises(DataFormatError, match="no list of arguable labels"):
        read_arguable(tmp_path / "missing.json")


@pytest.mark.parametrize("change", [{"index": 10_000}, {"label": 9}], ids=str)
def test_a_doubt_about_another_picture_is_refused(
    arguable: ArguableLabels, mnist: DigitSet, change: dict[str, int]
) -> None:
    doubt = next(doubt for doubt in arguable.doubts if doubt.part == "test" and doubt.label != 9)
    wrong = replace(arguable, doubts=(replace(doubt, **change),))  # type: ignore[arg-type]
    with pytest.raises(DataFormatError, match="which it is not"):
        wrong.about(mnist.test, "test")


def test_the_gallery_shows_the_pictures_themselves(
    arguable: ArguableLabels, mnist: DigitSet
) -> None:
    sheet = np.asarray(draw_gallery(arguable, mnist, 12))
    top = MARGIN + HEADER
    for part, digits in parts_of(mnist):
        for number, doubt in enumerate(arguable.about(digits, part)[:12]):
            row, column = divmod(number, 10)
            above, left = top + HEADING + row * ROW, MARGIN + column * STEP
            drawn = sheet[above : above + CELL : SCALE, left : left + CELL : SCALE, 0]
            ink = (CARD[0] - drawn.astype(float)) / (CARD[0] - TEXT[0]) * 255
            np.testing.assert_allclose(ink, digits.images[doubt.index], atol=1.2)
        top += HEADING + 2 * ROW
    assert sheet.shape[0] == top + MARGIN


def test_a_gallery_of_another_set_is_refused(
    arguable: ArguableLabels, few_digits: DigitSet
) -> None:
    with pytest.raises(DataFormatError, match="no doubts about mnist-2000"):
        draw_gallery(arguable, few_digits, 5)


def test_the_gallery_is_a_file(tmp_path: Path) -> None:
    out = draw_arguable(count=3, out=tmp_path / "three.png")
    with Image.open(out) as picture:
        assert picture.size[1] == 2 * MARGIN + HEADER + len(PARTS) * (HEADING + ROW)
    with pytest.raises(SettingError, match=r"expected a name that ends in \.png"):
        draw_arguable(count=3, out=tmp_path / "three.jpg")
    for count in (0, 501):
        with pytest.raises(SettingError, match="expected 1 to 500"):
            draw_arguable(count=count, out=tmp_path / "three.png")
