"""Augmentation: pens, scanners and other hands, each measured by what it should change."""

from dataclasses import asdict

import pytest
import torch

from tendigits.data import DigitSet
from tendigits.data.overprint import make_overprint
from tendigits.errors import SettingError
from tendigits.training.augmentation import Augmentation, batch_augment, change_some
from tendigits.training.restyle import (
    batch_coarsen,
    batch_negate,
    batch_outline,
    batch_pen,
    batch_scan,
    soften,
)
from tendigits.training.warp import Warp


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images(few_digits: DigitSet) -> torch.Tensor:
    return torch.from_numpy(few_digits.train.images[:200]).unsqueeze(1).float() / 255


@pytest.fixture(scope="module")
def strokes() -> torch.Tensor:
    return torch.from_numpy(make_overprint(40, 0)).unsqueeze(1).float() / 255


def test_a_pen_makes_some_strokes_thicker_and_some_thinner(images: torch.Tensor) -> None:
    ratio = batch_pen(images, seeded()).sum((1, 2, 3)) / images.sum((1, 2, 3))
    assert ratio.max() > 1.5
    assert 0.2 < ratio.min() < 0.8  # thinner, and never gone


def test_a_coarse_picture_has_fewer_details(images: torch.Tensor) -> None:
    coarse = batch_coarsen(images, seeded(1))
    assert coarse.shape == images.shape
    assert 0 <= coarse.min() <= coarse.max() <= 1
    assert not torch.equal(coarse, images)


def test_some_batches_are_cut_into_black_and_white(images: torch.Tensor) -> None:
    greys = [
        ((picture > 0.01) & (picture < 0.99)).float().mean().item()
        for picture in (batch_coarsen(images, seeded(seed)) for seed in range(20))
    ]
    assert min(greys) == 0  # black and white, in blocks
    assert max(greys) > 0.2


def test_a_bad_scan_stays_within_the_range_and_raises_some_grounds(
    images: torch.Tensor, strokes: torch.Tensor
) -> None:
    scanned = batch_scan(images, strokes, seeded())
    assert 0 <= scanned.min() <= scanned.max() <= 1
    corner = scanned[:, 0, :2, :2].mean((1, 2))
    assert (corner > 0.1).float().mean() == pytest.approx(0.3, abs=0.12)
    assert (corner < 0.01).any()


def test_an_outline_is_hollow() -> None:
    block = torch.zeros(20, 1, 28, 28)
    block[:, :, 8:20, 8:20] = 1
    outlined = batch_outline(block, seeded())
    assert outlined[:, :, 11:17, 11:17].max() == 0
    assert outlined[:, :, 8, 8:20].min() >= 0.59


def test_a_band_is_exchanged_and_nothing_else(images: torch.Tensor) -> None:
    negated = batch_negate(images, seeded())
    changed = (negated - images).abs() > 1e-6
    assert torch.equal(negated[changed], (1 - images)[changed])
    columns = changed[:, 0].all(1).sum(1)
    rows = changed[:, 0].all(2).sum(1)
    assert columns.maximum(rows).max() <= 21
    assert (columns > rows).any()
    assert (rows > columns).any()


def test_softening_keeps_the_ink(images: torch.Tensor) -> None:
    assert soften(images).sum() == pytest.approx(float(images.sum()), rel=1e-3)


def test_some_are_changed_and_the_others_are_not() -> None:
    images = torch.zeros(100, 1, 2, 2)
    change_some(images, 0.25, lambda some: some + 1, seeded())
    assert images.amax((1, 2, 3)).sum() == 25


def test_without_foreign_pictures_only_the_warp_is_done(images: torch.Tensor) -> None:
    still = Warp(angle=0, scale=0, shear=0, shift=0, elastic=0)
    none = torch.empty(0, 1, 28, 28)
    same = batch_augment(images, Augmentation(warp=still), none, seeded())
    assert torch.allclose(same, images, atol=1e-5)


def test_foreign_pictures_are_the_stated_share(images: torch.Tensor, strokes: torch.Tensor) -> None:
    still = Warp(angle=0, scale=0, shear=0, shift=0, elastic=0)
    before = images.clone()
    changed = batch_augment(images, Augmentation(warp=still, foreign=0.5), strokes, seeded())
    moved = (changed - before).abs().amax((1, 2, 3)) > 0.05
    assert 0.35 < moved.float().mean() <= 0.5
    assert torch.equal(images, before)


def test_strokes_of_the_stated_share_get_another_width(images: torch.Tensor) -> None:
    still = Warp(angle=0, scale=0, shear=0, shift=0, elastic=0)
    none = torch.empty(0, 1, 28, 28)
    before = images.clone()
    changed = batch_augment(images, Augmentation(warp=still, pen=0.3), none, seeded())
    moved = (changed - before).abs().amax((1, 2, 3)) > 0.01
    assert 0.2 < moved.float().mean() <= 0.3
    assert torch.equal(images, before)


def test_an_augmentation_comes_back_from_its_json() -> None:
    augmentation = Augmentation(warp=Warp(angle=3.0), foreign=0.5, outliers=0.1)
    saved = asdict(augmentation)
    assert Augmentation.from_dict(saved) == augmentation
    del saved["pen"]  # as runs were saved before there were pens
    assert Augmentation.from_dict(saved) == augmentation
    with pytest.raises(TypeError):
        Augmentation.from_dict({**asdict(augmentation), "colour": 1})


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize(
    "name", ["pen", "foreign", "european", "rare_forms", "written", "outliers"]
)
def test_a_share_is_from_0_to_1(name: str, share: float) -> None:
    with pytest.raises(SettingError, match=name.replace("_", " ")):
        Augmentation.from_dict({**asdict(Augmentation()), name: share})
