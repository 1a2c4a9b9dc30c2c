"""Any picture becomes the picture that MNIST would have made of it."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from tendigits import imaging
from tendigits.data import DigitSet
from tendigits.errors import DataFormatError, DataNotFoundError

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def originals(mnist: DigitSet) -> Pixels:
    """300 real test digits, thirty of a kind."""
    places = [np.flatnonzero(mnist.test.labels == digit)[:30] for digit in range(10)]
    return mnist.test.images[np.concatenate(places)]


def enlarge(image: Pixels, factor: int) -> Pixels:
    return np.asarray(
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8
    )


def move_about(image: Pixels, place: int) -> Pixels:
    """Put a picture somewhere on a ground of twice its size."""
    height, width = image.shape
    top, left = place * 7 % height, place * 13 % width
    return np.pad(image, ((top, height - top), (left, width - left)))


def scan(image: Pixels, place: int) -> Pixels:
    """Draw a digit with grey ink on uneven, grainy paper, as a scanner or a camera sees it."""
    ink = move_about(enlarge(image, 5), place)
    grain = np.random.default_rng(place).normal(0, 3, ink.shape)
    light = np.linspace(0, 60, ink.shape[1])
    return np.clip(200 - 0.5 * ink - light + grain, 0, 255).astype(np.uint8)


def distance(found: Pixels, original: Pixels) -> float:
    """Mean difference in grey levels, over the best of the nine shifts by up to one pixel.

    The centre of mass of a digit lies by chance near half a pixel, where a hair decides the shift.
    """
    shifted = [np.roll(found, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(float(np.abs(image.astype(int) - original).mean()) for image in shifted)


CHANGES: dict[str, Any] = {
    "none": lambda image, place: image,
    "inverted": lambda image, place: 255 - image,
    "enlarged": lambda image, place: enlarge(image, 4),
    "padded and shifted": move_about,
    "black and white": lambda image, place: np.where(enlarge(image, 4) > 127, 255, 0).astype("u1"),
    "scanned": scan,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_mnist_digit_comes_back(originals: Pixels, change: Any) -> None:
    found = [imaging.to_mnist_form(change(image, i)) for i, image in enumerate(originals)]
    distances = [distance(*pair) for pair in zip(found, originals, strict=True)]
    # The mean picture has 33 grey levels a pixel; two different digits are 50 apart.
    assert np.mean(distances) < 7
    assert np.max(distances) < 20


def test_centring_is_mnists_own(originals: Pixels) -> None:
    """Cut out MNIST's 20x20 boxes and place them again: each lands where it was."""
    for original in originals:
        rows, columns = np.nonzero(original)
        box = original[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert max(box.shape) == 20
        np.testing.assert_array_equal(imaging.centre(box.astype(np.float32) / 255), original)


def test_it_agrees_with_another_collection(few_digits: DigitSet) -> None:
    """The digits of scikit-learn, 8x8 from Turkish writers, resemble MNIST's of the same class."""
    digits = load_digits()
    found = np.stack([imaging.to_mnist_form(image / 16) for image in digits.images[:300]])
    neighbours = KNeighborsClassifier(3)
    neighbours.fit(few_digits.train.images.reshape(-1, 784), few_digits.train.labels)
    # It gets 87 % of MNIST's own test digits right, and a guess 10 %.
    assert neighbours.score(found.reshape(-1, 784), digits.target[:300]) > 0.5


def test_the_longest_side_is_twenty_pixels_and_proportions_stay() -> None:
    page = np.full((300, 200), 255, np.uint8)
    page[50:250, 80:120] = 0
    ink = imaging.to_mnist_form(page)
    assert np.unique(np.nonzero(ink)[0]).tolist() == list(range(4, 24))
    assert np.unique(np.nonzero(ink)[1]).tolist() == list(range(12, 16))
    assert ink[4, 12] == 255


def test_dirt_is_removed_and_broken_strokes_are_kept() -> None:
    page = np.full((100, 100), 255, np.uint8)
    page[30:50, 45:55] = page[55:70, 45:55] = 0
    clean = imaging.to_mnist_form(page)
    assert (clean[:, 14] > 0).sum() == 18  # 40 pixels long with a gap of 5, scaled to 20
    page[5, 90] = page[95, 3] = 0
    np.testing.assert_array_equal(imaging.to_mnist_form(page), clean)


def ring(thickness: int, size: int = 400) -> Pixels:
    """Draw a dark ring on white paper with a pen of this many pixels."""
    page = np.full((size, size), 255, np.uint8)
    outer = size * 3 // 8  # so that the ring has one size whatever the pen
    middle = (size // 2, size // 2)
    return np.asarray(cv2.circle(page, middle, outer - thickness // 2, 0, thickness), np.uint8)


@pytest.mark.parametrize("thickness", [1, 3, 9, 19])
def test_a_fine_pen_leaves_strokes_as_wide_as_the_thinnest_of_mnist(thickness: int) -> None:
    found = imaging.to_mnist_form(ring(thickness))
    across = found[14].astype(int)
    assert across[: len(across) // 2].sum() / 255 == pytest.approx(imaging.THIN_STROKE, abs=0.3)
    assert across.max() > 220
    assert np.ptp(np.nonzero(found)[0]) == 19


def test_strokes_of_usual_width_stay_as_they_are(originals: Pixels) -> None:
    usual = imaging.measure_coverage(255 - ring(45))
    assert imaging.widen_thin_strokes(usual) is usual
    inks = [imaging.cut_to_ink(imaging.measure_coverage(image)) for image in originals]
    changed = sum(imaging.widen_thin_strokes(ink) is not ink for ink in inks)
    assert 0 < changed < 0.1 * len(inks)  # THIN_STROKE is the fifth percentile
    for faint in (np.zeros((0, 0), np.float32), np.full((9, 5), 0.4, np.float32)):
        assert imaging.widen_thin_strokes(faint) is faint


def test_a_grainy_stroke_is_not_taken_for_a_thin_one() -> None:
    grain = np.random.default_rng(0).random((100, 100)) < 0.3
    grainy = np.where(grain, 0, 255 - ring(12, size=100)).astype(np.uint8)
    ink = imaging.cut_to_ink(imaging.measure_coverage(grainy))
    assert imaging.widen_thin_strokes(ink) is ink


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_picture_is_blank(level: int) -> None:
    grain = np.random.default_rng(0).normal(0, 3, (80, 60))
    for page in (np.full((80, 60), level), level + grain):
        assert not imaging.to_mnist_form(np.clip(page, 0, 255).astype(np.uint8)).any()


@settings(deadline=None, max_examples=60)
@given(
    numpy_strategies.arrays(
        np.uint8,
        numpy_strategies.array_shapes(min_dims=2, max_dims=2, max_side=40).flatmap(
            lambda shape: st.sampled_from([shape, (*shape, 3), (*shape, 4)])
        ),
    )
)
def test_every_array_of_pixels_gives_a_picture(pixels: Pixels) -> None:
    found = imaging.to_mnist_form(pixels)
    assert found.shape == (28, 28)
    assert found.dtype == np.uint8


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", imaging.FORMATS)
def test_each_format_is_read_from_bytes_and_files(
    originals: Pixels, tmp_path: Path, kind: str
) -> None:
    paper = 255 - enlarge(originals[60], 4)
    content = written(Image.fromarray(paper), kind)
    (tmp_path / "picture").write_bytes(content)
    found = imaging.to_mnist_form(content)
    assert distance(found, imaging.to_mnist_form(paper)) < 3  # JPEG and WebP lose a little
    np.testing.assert_array_equal(imaging.to_mnist_form(tmp_path / "picture"), found)
    np.testing.assert_array_equal(imaging.to_mnist_form(str(tmp_path / "picture")), found)


def test_every_depth_and_palette_gives_the_same_picture(originals: Pixels) -> None:
    paper = 255 - enlarge(originals[60], 4)
    image = Image.fromarray(paper)
    expected = imaging.to_mnist_form(paper)
    transparent = Image.new("RGBA", image.size, "black")
    transparent.putalpha(Image.fromarray(255 - paper))
    same: list[imaging.Picture] = [
        image,
        image.convert("RGB"),
        image.convert("CMYK"),
        image.convert("LA"),
        transparent,
        np.asarray(transparent),
        Image.fromarray(paper.astype(np.uint16) * 257),
        Image.fromarray(paper.astype(np.int32) * 257),
        Image.fromarray(paper.astype(np.int32)),  # of 8 bits, and of 12, in a file of 16
        written(Image.fromarray(paper.astype(np.uint16) * 16), "PNG"),
        Image.fromarray(paper.astype(np.float32) / 255),
        written(Image.fromarray(paper.astype(np.uint16) * 257), "PNG"),
        paper / 255,
        np.stack([paper] * 3, axis=-1),
    ]
    for picture in same:
        found = imaging.to_mnist_form(picture)
        assert np.abs(found.astype(int) - expected).max() <= 4
    for coarse in (image.convert("1"), image.convert("P"), paper > 127):
        assert distance(imaging.to_mnist_form(coarse), expected) < 9


def test_every_depth_has_its_white() -> None:
    for white in (255, 4_095, 65_535):
        steps = np.linspace(0, white, 300 * 300, dtype=np.int32).reshape(300, 300)
        found = imaging.decode(Image.fromarray(steps))
        np.testing.assert_array_equal(found, steps.astype(np.int64) * 255 // white)


def test_a_picture_is_turned_as_its_camera_says(originals: Pixels) -> None:
    paper = Image.fromarray(255 - enlarge(originals[60], 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees clockwise to view
    turned = written(paper.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    np.testing.assert_array_equal(
        imaging.to_mnist_form(turned), imaging.to_mnist_form(np.asarray(paper))
    )


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    for size in ((10_001, 10), (6_000, 5_000), (20_000, 20_000)):
        content = written(Image.new("1", size), "PNG")
        assert len(content) < 60_000
        with pytest.raises(DataFormatError, match=r"25,000,000"):
            imaging.to_mnist_form(content)
    with pytest.raises(DataFormatError, match="has 10001x1 pixels: expected 1 to 10,000"):
        imaging.to_mnist_form(np.zeros((1, 10_001), np.uint8))
    with pytest.raises(DataFormatError, match="has 0x0 pixels"):
        imaging.to_mnist_form(Image.new("L", (0, 0)))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(784, np.uint8), r"shape \(784,\): expected \(H, W\)"),
        (np.zeros((1, 28, 28), np.uint8), "shape"),
        (np.zeros((28, 28, 2), np.uint8), "shape"),
        (np.zeros((0, 28), np.uint8), "shape"),
        (np.zeros((28, 28), np.int64), "is int64: expected uint8"),
        (np.full((28, 28), 255.0), "values from 255 to 255"),
        (np.full((28, 28), -0.1), "values from -0.1"),
        (np.full((28, 28), np.nan), "no NaN"),
        (np.full((28, 28), np.inf), "values from inf"),
    ],
)
def test_an_array_of_another_form_is_refused(array: NDArray[Any], words: str) -> None:
    with pytest.raises(DataFormatError, match=words):
        imaging.to_mnist_form(array)


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"nothing.png: there is no such file"):
        imaging.to_mnist_form(tmp_path / "nothing.png")
    picture = written(Image.new("L", (50, 50), 90), "PNG")
    for content in (b"", b"not a picture", picture[: len(picture) // 2], b"%!PS-Adobe-3.0"):
        (tmp_path / "bad.png").write_bytes(content)
        with pytest.raises(DataFormatError, match=r"bad.png: cannot be decoded") as caught:
            imaging.to_mnist_form(tmp_path / "bad.png")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [2.0, np.nan])
def test_a_file_of_odd_floats_is_named(tmp_path: Path, value: float) -> None:
    path = tmp_path / "odd.tiff"
    Image.fromarray(np.full((28, 28), value, np.float32)).save(path)
    with pytest.raises(DataFormatError, match=r"odd.tiff has values from .*: expected floating"):
        imaging.decode(path)
