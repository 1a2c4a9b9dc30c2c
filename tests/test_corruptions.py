"""Every corruption does to real digits what MNIST-C says it does."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data import DigitSet
from tendigits.data.corruptions import CORRUPTIONS, make_corrupted
from tendigits.data.drawing import draw_lines, make_clouds
from tendigits.errors import UnknownNameError

Pixels = NDArray[np.uint8]

# As "MNIST-C: A Robustness Benchmark for Computer Vision" lists them.
PAPER = (
    *("shot_noise", "impulse_noise", "glass_blur", "motion_blur", "shear", "scale", "rotate"),
    *("brightness", "translate", "stripe", "fog", "spatter", "dotted_line", "zigzag"),
    "canny_edges",
)


@pytest.fixture(scope="module")
def images(mnist: DigitSet) -> Pixels:
    """100 real test digits."""
    return mnist.test.images[:100]


def ink(images: Pixels) -> NDArray[np.float64]:
    """Ink of each picture, in pixels of full ink."""
    return np.asarray(images.sum(axis=(1, 2)) / 255)


def moments(image: Pixels) -> dict[str, float]:
    return dict(cv2.moments(image))


def centres(images: Pixels) -> NDArray[np.float64]:
    """Centre of mass of each picture, (N, 2), x and y."""
    found = [moments(image) for image in images]
    return np.array([[m["m10"] / m["m00"], m["m01"] / m["m00"]] for m in found])


def slants(images: Pixels) -> NDArray[np.float64]:
    """How far each picture's ink moves to the right for a pixel down."""
    found = [moments(image) for image in images]
    return np.array([m["mu11"] / m["mu02"] for m in found])


def test_the_fifteen_of_the_paper_are_there() -> None:
    assert tuple(CORRUPTIONS) == PAPER


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_a_new_picture_that_its_seed_fixes(images: Pixels, name: str) -> None:
    before = images.copy()
    found = make_corrupted(images, name, 3)
    assert found.shape == images.shape
    assert found.dtype == np.uint8
    assert (found != images).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(found, make_corrupted(images, name, 3))
    np.testing.assert_array_equal(images, before)
    assert make_corrupted(images[:0], name, 3).shape == (0, 28, 28)
    seed_matters = (found != make_corrupted(images, name, 4)).any()
    assert seed_matters == (name not in ("scale", "brightness", "stripe", "canny_edges"))


def test_an_unknown_corruption_is_refused(images: Pixels) -> None:
    with pytest.raises(UnknownNameError, match="no corruption 'zigzak': did you mean 'zigzag'"):
        make_corrupted(images, "zigzak", 0)


def test_shot_noise_keeps_ground_black_and_counts_in_thirds(images: Pixels) -> None:
    found = make_corrupted(images, "shot_noise", 0)
    assert set(np.unique(found)) == {0, 85, 170, 255}
    assert not found[images == 0].any()


def test_impulse_noise_makes_a_sixth_of_the_pixels_wild(images: Pixels) -> None:
    found = make_corrupted(images, "impulse_noise", 0)
    assert np.mean(found[images == 0] == 255) == pytest.approx(0.17 / 2, abs=0.005)
    assert np.mean(found[images == 255] == 0) == pytest.approx(0.17 / 2, abs=0.01)
    grey = (images > 0) & (images < 255)
    assert np.mean(found[grey] == images[grey]) == pytest.approx(0.83, abs=0.01)


def test_glass_spreads_ink_by_a_few_pixels_and_keeps_it(images: Pixels) -> None:
    found = make_corrupted(images, "glass_blur", 0)
    np.testing.assert_allclose(ink(found), ink(images), rtol=0.06)
    near = np.stack([cv2.dilate(image, np.ones((11, 7), np.uint8)) for image in images])
    assert found[near > 0].sum() > 0.98 * found.sum()
    assert found[images > 0].sum() < 0.9 * found.sum()


def test_motion_draws_a_trail_to_the_left(images: Pixels) -> None:
    found = make_corrupted(images, "motion_blur", 0)
    moved = (centres(found) - centres(images))[:, 0]
    # Half a Gaussian of sigma 3 has its mean at 2.4 pixels, times the cosine of up to 45 degrees.
    assert moved.min() > -2.6
    assert moved.max() < -0.9
    assert found.max(axis=(1, 2)).mean() < images.max(axis=(1, 2)).mean() - 20


def test_shear_slants_to_both_sides(images: Pixels) -> None:
    before, after = slants(images), slants(make_corrupted(images, "shear", 0))
    right = after > before
    assert 30 < right.sum() < 70
    # The height grows by 1 / cos(0.4), which makes the slant that was there that much less.
    expected = before * np.cos(0.4) + np.where(right, 1, -1) * np.sin(0.4)
    np.testing.assert_allclose(after, expected, atol=0.03)


def test_scale_shrinks_about_the_centre(images: Pixels) -> None:
    found = make_corrupted(images, "scale", 0)
    np.testing.assert_allclose(ink(found), 0.7**2 * ink(images), rtol=0.1)
    np.testing.assert_allclose(centres(found) - 13.5, 0.7 * (centres(images) - 13.5), atol=0.3)


def test_rotate_turns_by_the_same_angle_to_both_sides(images: Pixels) -> None:
    """A picture and its turned self, turned back, agree."""
    found = make_corrupted(images, "rotate", 0)
    back = []
    for angle in (0.4, -0.4):
        matrix = cv2.getRotationMatrix2D((13.5, 13.5), np.rad2deg(angle), 1)
        back.append(np.stack([cv2.warpAffine(image, matrix, (28, 28)) for image in found]))
    away = np.abs(np.stack(back).astype(int) - images).mean(axis=(2, 3))
    assert 30 < (away[0] < away[1]).sum() < 70
    assert away.min(axis=0).mean() < 8  # two interpolations blur
    assert away.max(axis=0).mean() > 20


def test_brightness_raises_the_ground_to_half(images: Pixels) -> None:
    found = make_corrupted(images, "brightness", 0)
    assert set(np.unique(found[images == 0])) == {128}
    assert set(np.unique(found[images >= 128])) == {255}


def test_translate_moves_by_three_pixels_on_both_axes(images: Pixels) -> None:
    inside = images[(images[:, :3] == 0).all(axis=(1, 2)) & (images[:, -3:] == 0).all(axis=(1, 2))]
    inside = inside[(inside[:, :, :3] == 0).all(axis=(1, 2))]
    inside = inside[(inside[:, :, -3:] == 0).all(axis=(1, 2))]
    moved = centres(make_corrupted(inside, "translate", 0)) - centres(inside)
    assert len(inside) > 50
    assert {tuple(shift) for shift in np.rint(moved)} == {(3, 3), (3, -3), (-3, 3), (-3, -3)}
    np.testing.assert_allclose(np.abs(moved), 3)


def test_stripe_inverts_the_outer_quarters(images: Pixels) -> None:
    found = make_corrupted(images, "stripe", 0)
    changed = (found != images).all(axis=(0, 1))
    assert np.flatnonzero(~changed).tolist() == list(range(7, 21))
    np.testing.assert_array_equal(found[:, :, changed], 255 - images[:, :, changed])


def test_fog_hides_contrast_and_varies_softly(images: Pixels) -> None:
    found = make_corrupted(images, "fog", 0).astype(int)
    digit, ground = images == 255, images == 0
    contrast = found[digit].mean() - found[ground].mean()
    assert contrast == pytest.approx(255 / 4, abs=15)  # full ink beside fog three times as bright
    steps = np.abs(np.diff(found, axis=2))[ground[:, :, 1:] & ground[:, :, :-1]]
    assert steps.mean() < 6


def test_mud_is_dark_grey_and_covers_ink(images: Pixels) -> None:
    found = make_corrupted(images, "spatter", 0)
    assert found[images == 0].max() <= 63
    assert 0.1 < np.mean(found[images == 0] > 0) < 0.4
    assert (found[images == 255] < 255).any()


@pytest.mark.parametrize("name", ["dotted_line", "zigzag"])
def test_lines_are_added_and_nothing_is_taken_away(images: Pixels, name: str) -> None:
    found = make_corrupted(images, name, 0)
    assert (found >= images).all()
    drawn = make_corrupted(np.zeros_like(images), name, 0)
    columns = np.flatnonzero(drawn.any(axis=(0, 1)))
    if name == "dotted_line":
        assert columns.tolist() == [place for place in range(27) if place // 2 % 2]
    else:
        assert (columns.min(), columns.max()) == (2, 24)
        rows = [np.flatnonzero(picture.any(axis=1)) for picture in drawn]
        assert max(map(len, rows)) <= 4 + 5 + 4  # bends, slope, thickness


def test_edges_are_thin_and_go_around_the_ink(images: Pixels) -> None:
    found = make_corrupted(images, "canny_edges", 0)
    assert set(np.unique(found)) == {0, 255}
    near = np.stack([cv2.dilate(image, np.ones((5, 5), np.uint8)) for image in images])
    assert not found[near == 0].any()
    inner = np.stack([cv2.erode(image, np.ones((5, 5), np.uint8)) for image in images]) > 200
    assert found[inner].mean() < 30


def test_a_line_is_dark_where_it_passes_and_nowhere_else() -> None:
    line = draw_lines(np.array([[4.0, 10.0]]), np.array([[20.0, 18.0]]))[0]
    assert line[10, 4] == pytest.approx(1)
    assert line[14, 12] == pytest.approx(1)
    assert line[15, 12] == pytest.approx(1 + np.log(1 - 1 / 2.3))
    assert np.flatnonzero(line.any(axis=0)).tolist() == list(range(4, 20))
    assert np.count_nonzero(line[:, 12]) == 3


def test_clouds_are_soft_fill_their_range_and_go_on_over_the_edge() -> None:
    clouds = make_clouds(np.random.default_rng(0), decay=1.96)
    assert (clouds.min(), clouds.max()) == (0, 1)
    inside = np.abs(np.diff(clouds, axis=0)).mean()
    assert inside < 0.03
    assert np.abs(clouds[0] - clouds[-1]).mean() < 3 * inside
