"""Pictures are read as a user has them read, with the model that is shipped."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import tendigits
from handwriting import CLEAN, HAND, share_right, some_lines
from papers import PAPERS
from tendigits.data import DigitSet
from tendigits.data.lines import Line, make_lines, write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.data.words import make_words
from tendigits.errors import DataFormatError
from tendigits.reading import Reader
from tendigits.reading.answers import LEAST_WITNESSED, Letter, least_chance
from tendigits.reading.reader import Fields
from tendigits.reading.weights import SURE_MEASURES
from tendigits.results import Box, Page


@pytest.mark.parametrize(
    ("gap", "least"), [(1.2, 0.8), (0.3, 0.8), (0.08, 0.75), (0.0, 0.4), (-0.05, 0.1)]
)
def test_lines_are_read_at_every_gap(
    reader: Reader, few_digits: DigitSet, gap: float, least: float
) -> None:
    lines = some_lines(few_digits.test, replace(HAND, gap=gap, gap_spread=0.02), CLEAN)
    assert share_right(reader, lines) >= least


@pytest.mark.parametrize("paper", [*PAPERS.values(), Paper(colour=True)], ids=[*PAPERS, "colour"])
def test_lines_are_read_on_every_paper(reader: Reader, few_digits: DigitSet, paper: Paper) -> None:
    assert share_right(reader, some_lines(few_digits.test, HAND, paper)) >= 0.7


def test_digits_that_touch_have_ink_each(reader: Reader, few_digits: DigitSet) -> None:
    for line in some_lines(few_digits.test, replace(HAND, gap=0.0), Paper()):
        if (page := reader.read(line.picture)).text == line.text:
            assert all(np.any(digit.image()) for digit in page.fields[0].digits), line.text


def test_digits_that_touch_are_cut_apart_where_they_are(
    reader: Reader, few_digits: DigitSet
) -> None:
    hand = replace(HAND, gap=-0.02, gap_spread=0.03, slant=0.4)
    shares = []
    for line in some_lines(few_digits.test, hand, Paper()):
        if (page := reader.read(line.picture)).text == line.text:
            boxes = [digit.box for digit in page.fields[0].digits]
            shares += [shared(*pair) for pair in zip(boxes, line.boxes, strict=True)]
    assert len(shares) >= 20
    assert np.mean(shares) > 0.7


def shared(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    both = max(0, right - left) * max(0, bottom - top)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def test_points_commas_and_dashes_are_no_digits(reader: Reader, few_digits: DigitSet) -> None:
    lines = some_lines(few_digits.test, replace(HAND, marks=1.0), CLEAN)
    longer = [len(reader.read(line.picture).text) > len(line.text) for line in lines]
    assert np.mean(longer) < 0.15


def test_the_boxes_are_where_the_digits_are(reader: Reader, easy: Line) -> None:
    (field,) = reader.read(easy.picture).fields
    for digit, box in zip(field.digits, easy.boxes, strict=True):
        assert np.abs(np.subtract(digit.box, box)).max() <= 5


def test_confidence_tells_right_from_wrong(reader: Reader, few_digits: DigitSet) -> None:
    lines = list(make_lines(few_digits.test, 120, seed=5, least=2, most=6))
    pages = [reader.read(line.picture) for line in lines]
    right = np.array([page.text == line.text for page, line in zip(pages, lines, strict=True)])
    sure = np.array([page.fields[0].confidence if page.fields else 0.0 for page in pages])
    half = np.argsort(-sure)[: len(sure) // 2]
    assert right[half].mean() > right.mean() + 0.1
    assert abs(sure.mean() - right.mean()) < 0.15


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pad=st.tuples(*[st.integers(0, 90)] * 4),
    scale=st.floats(0.6, 4),
    inverted=st.booleans(),
)
def test_moved_scaled_inverted_it_says_the_same(
    reader: Reader, easy: Line, pad: tuple[int, int, int, int], scale: float, inverted: bool
) -> None:
    above, below, before, after = pad
    picture = np.pad(easy.picture, ((above, below), (before, after)), mode="edge")
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method))
    assert reader.read(255 - picture if inverted else picture).text == easy.text


def test_every_kind_of_picture_gives_the_same_page(
    reader: Reader, easy: Line, tmp_path: Path
) -> None:
    expected = reader.read(easy.picture)
    content = io.BytesIO()
    Image.fromarray(easy.picture).save(content, "PNG")
    (tmp_path / "line.png").write_bytes(content.getvalue())
    kinds: list[Any] = [
        tmp_path / "line.png",
        str(tmp_path / "line.png"),
        content.getvalue(),
        Image.fromarray(easy.picture),
        Image.fromarray(easy.picture).convert("RGBA"),
        easy.picture / 255,
    ]
    for kind in kinds:
        assert reader.read(kind) == expected
    assert Page.from_dict(expected.to_dict()) == expected


def test_a_picture_is_read_as_its_camera_was_held(reader: Reader, easy: Line) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    turned = Image.fromarray(easy.picture).transpose(Image.Transpose.ROTATE_90)
    turned.save(content, "PNG", exif=exif)
    assert reader.read(content.getvalue()) == reader.read(easy.picture)


def test_a_page_has_its_lines_from_top_to_bottom(easy: Line) -> None:
    page = np.vstack([easy.picture, easy.picture, easy.picture])
    assert Reader(threads=1).read(page).text == "\n".join([easy.text] * 3)


@pytest.mark.parametrize("fields", ["one", "lines"])
def test_a_hair_over_a_whole_page_is_no_digit(fields: Fields) -> None:
    hair = np.full((600, 600), 255, np.uint8)
    cv2.line(hair, (10, 10), (590, 590), 0, 1)
    for pixels in (hair, np.asarray(np.eye(600) * 255, np.uint8)):
        assert Reader(fields=fields).read(pixels).fields == ()


def test_blank_paper_is_an_empty_page(reader: Reader) -> None:
    noise = np.random.default_rng(0).normal(220, 4, (200, 300)).clip(0, 255)
    for blank in (np.full((200, 300), 255, np.uint8), noise.astype(np.uint8)):
        assert reader.read(blank) == Page(fields=(), width=300, height=200)


def test_words_are_rejected(reader: Reader) -> None:
    accepted = [reader.read(word.picture).accepted for word in make_words(60, seed=9)]
    assert np.mean(accepted) <= 0.1


def test_what_is_no_picture_is_refused(reader: Reader) -> None:
    with pytest.raises(DataFormatError, match="cannot be decoded"):
        reader.read(b"%PDF-1.7")
    with pytest.raises(DataFormatError, match="no NaN"):
        reader.read(np.full((50, 50), np.nan))


def test_noise_and_texture_end_soon_and_are_not_accepted(reader: Reader) -> None:
    random = np.random.default_rng(0)
    grains = random.integers(0, 256, (400, 600)).astype(np.uint8)
    stripes = np.tile(np.array([0, 0, 0, 255, 255, 255], np.uint8), (300, 100))
    board = np.kron(np.indices((40, 60)).sum(axis=0) % 2, np.ones((8, 8))).astype(np.uint8) * 255
    for picture in (grains, stripes, board):
        assert not reader.read(picture).accepted


def test_it_reads_without_torch(easy: Line, tmp_path: Path) -> None:
    Image.fromarray(easy.picture).save(tmp_path / "line.png")
    check = (
        "import sys; sys.modules['torch'] = None\n"
        "import tendigits; print(tendigits.read(sys.argv[1]).text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check, tmp_path / "line.png"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [easy.text]


def test_the_door_reads(easy: Line) -> None:
    assert tendigits.read(easy.picture, fields="one").text == easy.text
    assert tendigits.read(easy.picture, fields="one", format="us-zip").text == easy.text


def test_one_digit_is_a_field_too(reader: Reader, few_digits: DigitSet) -> None:
    digits = few_digits.test.take([0])
    ink, _ = write(digits, HAND, np.random.default_rng(0))
    page = reader.read(put_on_paper(ink, CLEAN, np.random.default_rng(0)))
    assert page.text == str(digits.labels[0])
    assert reader.read(digits.images[0]).text == str(digits.labels[0])  # as MNIST has it


def test_a_digit_that_looks_like_another_makes_a_field_less_sure(reader: Reader) -> None:
    plain = np.zeros((28, 28), np.uint8)
    plain[4:24, 12:16] = 255
    letters = [Letter(digit=digit, box=(0, 0, 4, 20), image=plain) for digit in (1, 8)]
    one, eight = (least_chance([letter], reader.classify) for letter in letters)
    assert LEAST_WITNESSED <= eight < one <= 0
    assert least_chance(letters, reader.classify) == pytest.approx(eight, abs=1e-4)
    weights = reader.recognisers.weights.joint
    assert dict(zip(SURE_MEASURES, weights.sure, strict=True))["least digit"] > 0
