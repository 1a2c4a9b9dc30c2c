"""Batches: every picture once an epoch, the same order for a seed, and shifts that lose no ink."""

import numpy as np
import pytest
import torch

from tendigits.data import Digits
from tendigits.errors import SettingError
from tendigits.training.batches import Batches, batch_shift, epoch_order


def numbered(count: int) -> Digits:
    """Pictures that can be told apart: the first pixel is the picture's number."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count)
    return Digits(images=images, labels=(np.arange(count) % 10).astype(np.uint8))


def numbers_in(images: torch.Tensor) -> list[int]:
    return [round(value) for value in (images[:, 0, 0, 0] * 255).tolist()]


def test_an_epoch_visits_every_picture_once_with_its_label() -> None:
    batches = Batches(numbered(100), batch_size=32, seed=5)
    assert batches.steps_per_epoch == 4
    seen: list[int] = []
    for step in range(4):
        images, labels = batches.at(step)
        assert images.dtype == torch.float32
        assert (torch.tensor(numbers_in(images)) % 10 == labels).all()
        seen += numbers_in(images)
    assert len(images) == 4  # what is left over
    assert sorted(seen) == list(range(100))


def test_the_last_batch_can_be_left_out() -> None:
    assert Batches(numbered(100), batch_size=32, seed=5, drop_last=True).steps_per_epoch == 3


def test_any_batch_can_be_asked_for_again() -> None:
    forward = Batches(numbered(100), batch_size=32, seed=5)
    order = [numbers_in(forward.at(step)[0]) for step in range(8)]
    assert order[:4] != order[4:]
    backward = Batches(numbered(100), batch_size=32, seed=5)
    assert [numbers_in(backward.at(step)[0]) for step in reversed(range(8))] == order[::-1]


def test_seeds_and_epochs_differ() -> None:
    orders = {tuple(epoch_order(50, seed, epoch)) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16


def test_pixels_are_shares_of_full_ink() -> None:
    digits = numbered(2)
    digits.images[:, 5, 5] = 255
    images, _ = Batches(digits, batch_size=2, seed=0).at(0)
    assert images[:, 0, 5, 5].tolist() == [1, 1]
    assert images.max() == 1


def test_a_batch_larger_than_the_set_is_refused_with_the_largest_possible() -> None:
    with pytest.raises(SettingError, match="the largest possible is 100"):
        Batches(numbered(100), batch_size=101, seed=0)


def test_a_shift_moves_each_picture_whole() -> None:
    images = torch.zeros(500, 1, 28, 28)
    images[:, 0, 14, 14] = torch.arange(1.0, 501.0)
    moved = batch_shift(images, 2, torch.Generator().manual_seed(1))
    assert (moved.sum((1, 2, 3)) == torch.arange(1.0, 501.0)).all()
    places = moved[:, 0].flatten(1).argmax(1)
    offsets = {(int(place) // 28 - 14, int(place) % 28 - 14) for place in places}
    assert offsets == {(row, column) for row in range(-2, 3) for column in range(-2, 3)}


def test_a_shift_brings_in_blank_paper() -> None:
    moved = batch_shift(torch.ones(50, 1, 28, 28), 3, torch.Generator().manual_seed(1))
    assert set(moved.unique().tolist()) == {0, 1}
    assert (moved[:, 0, 3:25, 3:25] == 1).all()
