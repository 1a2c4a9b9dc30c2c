"""Warps: what stands still, what moves how far, and a square box where it is asked for."""

from dataclasses import replace

import pytest
import torch

from tendigits.data import DigitSet
from tendigits.training.warp import Warp, batch_warp, ink_extent

STILL = Warp(angle=0, scale=0, shear=0, shift=0, elastic=0)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture(scope="module")
def images(few_digits: DigitSet) -> torch.Tensor:
    return torch.from_numpy(few_digits.train.images[:200]).unsqueeze(1).float() / 255


def centres(images: torch.Tensor) -> torch.Tensor:
    """Return the column and the row of each picture's centre of mass, (N, 2)."""
    mass = images[:, 0].sum((1, 2))
    places = torch.arange(28.0)
    columns = (images[:, 0].sum(1) * places).sum(1) / mass
    rows = (images[:, 0].sum(2) * places).sum(1) / mass
    return torch.stack([columns, rows], 1)


def test_a_warp_of_nothing_changes_nothing(images: torch.Tensor) -> None:
    assert torch.allclose(batch_warp(images, STILL, seeded()), images, atol=1e-5)


def test_a_shift_moves_the_centre_by_at_most_so_many_pixels(images: torch.Tensor) -> None:
    moved = batch_warp(images, replace(STILL, shift=3), seeded())
    distance = (centres(moved) - centres(images)).abs()
    assert distance.max() < 3.1
    assert distance.mean() == pytest.approx(1.5, abs=0.2)  # of an even spread up to 3


def test_a_turn_is_by_at_most_the_angle() -> None:
    bar = torch.zeros(300, 1, 28, 28)
    bar[:, :, 4:24, 13:15] = 1
    turned = batch_warp(bar, replace(STILL, angle=30), seeded())
    width = ink_extent(turned)[:, 0]
    # A bar of 20 by 2, turned by 30 degrees, is 20 sin 30 + 2 cos 30 wide.
    assert width.min() >= 2
    assert width.max() == pytest.approx(11.7, abs=1.5)


def test_a_full_stretch_makes_the_ink_fill_a_square(images: torch.Tensor) -> None:
    square = batch_warp(images, STILL, seeded(), torch.ones(len(images)))
    extent = ink_extent(square)
    assert (extent.median(0).values - 20).abs().max() <= 1
    assert (ink_extent(images)[:, 0] < 16).any()  # they were not square before


def test_a_blank_picture_stays_blank() -> None:
    blank = torch.zeros(4, 1, 28, 28)
    assert batch_warp(blank, Warp(), seeded(), torch.ones(4)).abs().max() == 0


def test_the_generator_alone_decides(images: torch.Tensor) -> None:
    first, second = (batch_warp(images, Warp(), seeded()) for _ in range(2))
    assert torch.equal(first, second)
    other = batch_warp(images, Warp(), torch.Generator().manual_seed(4))
    assert not torch.equal(first, other)


def test_an_elastic_bend_moves_parts_against_each_other(images: torch.Tensor) -> None:
    bent = batch_warp(images, replace(STILL, elastic=1.0), seeded())
    assert (bent - images).abs().mean() > 0.01
    assert bent.sum() == pytest.approx(float(images.sum()), rel=0.05)  # no ink is lost
