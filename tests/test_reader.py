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
from numpy.typing import NDArray
from PIL import Image

import tendigits
from papers import PAPERS
from tendigits.data import Digits, DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import Line, make_lines, write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.data.words import make_words
from tendigits.errors import DataFormatError, SettingError, UnknownNameError, WeightsError
from tendigits.reading import Reader
from tendigits.reading.classifier import find_model
from tendigits.reading.codes import make_code_list
from tendigits.reading.drawing import draw_page, find_what_mattered
from tendigits.results import Page

Pixels = NDArray[np.uint8]
HAND = Hand(height=44, gap=0.25, size_spread=0.05)
CLEAN = Paper(blur=0.6, grain=0.02)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(fields="one", threads=1)


@pytest.fixture(scope="module")
def digits(mnist: DigitSet) -> Digits:
    """MNIST test digits, which no reader has learnt from."""
    return mnist.test.take(slice(1_000))


def some_lines(digits: Digits, hand: Hand, paper: Paper, count: int = 24) -> list[Line]:
    return list(make_lines(digits, count, seed=0, least=3, most=6, hand=hand, paper=paper))


def share_right(reader: Reader, lines: list[Line]) -> float:
    return float(np.mean([reader.read(line.picture).text == line.text for line in lines]))


@pytest.fixture(scope="module")
def easy(reader: Reader, digits: Digits) -> Line:
    """A line of five that is read right, with certainty."""
    for line in make_lines(digits, 50, seed=1, least=5, most=5, hand=HAND, paper=CLEAN):
        page = reader.read(line.picture)
        if page.accepted and page.text == line.text:
            return line
    raise AssertionError("not one of fifty plain lines is read right")


@pytest.mark.parametrize(
    ("gap", "least"), [(1.2, 0.8), (0.3, 0.8), (0.08, 0.75), (0.0, 0.4), (-0.05, 0.1)]
)
def test_lines_are_read_at_every_gap(
    reader: Reader, digits: Digits, gap: float, least: float
) -> None:
    lines = some_lines(digits, replace(HAND, gap=gap, gap_spread=0.02), CLEAN)
    assert share_right(reader, lines) >= least


@pytest.mark.parametrize("paper", [*PAPERS.values(), Paper(colour=True)], ids=[*PAPERS, "colour"])
def test_lines_are_read_on_every_paper(reader: Reader, digits: Digits, paper: Paper) -> None:
    assert share_right(reader, some_lines(digits, HAND, paper)) >= 0.7


def test_digits_that_touch_have_ink_each(reader: Reader, digits: Digits) -> None:
    for line in some_lines(digits, replace(HAND, gap=0.0), Paper()):
        if (page := reader.read(line.picture)).text == line.text:
            assert all(np.any(digit.image()) for digit in page.fields[0].digits), line.text


def test_points_commas_and_dashes_are_no_digits(reader: Reader, digits: Digits) -> None:
    lines = some_lines(digits, replace(HAND, marks=1.0), CLEAN)
    longer = [len(reader.read(line.picture).text) > len(line.text) for line in lines]
    assert np.mean(longer) < 0.15


def test_the_boxes_are_where_the_digits_are(reader: Reader, easy: Line) -> None:
    (field,) = reader.read(easy.picture).fields
    for digit, box in zip(field.digits, easy.boxes, strict=True):
        assert np.abs(np.subtract(digit.box, box)).max() <= 5


def test_confidence_tells_right_from_wrong(reader: Reader, digits: Digits) -> None:
    lines = list(make_lines(digits, 120, seed=5, least=2, most=6))
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


def test_blank_paper_is_an_empty_page(reader: Reader) -> None:
    noise = np.random.default_rng(0).normal(220, 4, (200, 300)).clip(0, 255)
    for blank in (np.full((200, 300), 255, np.uint8), noise.astype(np.uint8)):
        assert reader.read(blank) == Page(fields=(), width=300, height=200)


def test_words_are_rejected(reader: Reader) -> None:
    accepted = [reader.read(word.picture).accepted for word in make_words(60, seed=9)]
    assert np.mean(accepted) <= 0.1


def test_a_format_decides_how_many_digits_there_are(digits: Digits) -> None:
    hand = replace(HAND, gap=-0.03, gap_spread=0.03)
    lines = list(make_lines(digits, 30, seed=2, least=5, most=5, hand=hand, paper=CLEAN))
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


def test_with_the_line_network_it_reads_more_than_without(digits: Digits, reader: Reader) -> None:
    lines = list(make_lines(digits, 80, seed=7, least=2, most=7))
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


def test_a_drawing_has_the_picture_and_what_was_seen(reader: Reader, easy: Line) -> None:
    page = reader.read(easy.picture)
    drawn = draw_page(easy.picture, page)
    explained = draw_page(easy.picture, page, reader.classify)
    assert drawn.shape == explained.shape
    assert drawn.shape[1] == 480
    green = (np.abs(drawn.astype(int) - (20, 140, 60)).sum(axis=2) < 30).sum()
    assert green > 200
    seen = page.fields[0].digits[0].image()
    assert seen is not None
    assert (drawn == 255).sum() > (seen == 255).sum()
    red = explained.astype(int)[..., 0] - explained[..., 1]
    assert red.max() > 100


def test_where_the_ink_mattered_there_is_ink(reader: Reader, digits: Digits) -> None:
    for image, label in zip(digits.images[:5], digits.labels[:5].tolist(), strict=True):
        heat = find_what_mattered(image, label, reader.classify)
        assert (heat.min(), heat.max()) == (0, 1)
        near = cv2.dilate(image, np.ones((5, 5), np.uint8)) > 127
        assert heat[near].sum() > 0.9 * heat.sum()
    blank = np.zeros((28, 28), np.uint8)
    assert not find_what_mattered(blank, 0, reader.classify).any()


def test_one_digit_is_a_field_too(reader: Reader, digits: Digits) -> None:
    ink, _ = write(digits.take([0]), HAND, np.random.default_rng(0))
    page = reader.read(put_on_paper(ink, CLEAN, np.random.default_rng(0)))
    assert page.text == str(digits.labels[0])
    assert reader.read(digits.images[0]).text == str(digits.labels[0])  # as MNIST has it
