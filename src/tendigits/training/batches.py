"""The training pictures, whole in memory as uint8, cut into batches by the number of the step."""

import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tendigits.data.digits import Digits
from tendigits.errors import SettingError


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits the pictures: a pure function of its arguments.

    Args:
        count: How many pictures there are.
        seed: Of the training.
        epoch: 0 for the first.
    """
    return np.random.default_rng((seed, epoch)).permutation(count)


class BatchSource(Protocol):
    """Anything that has a batch for each step."""

    steps_per_epoch: int

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Return pictures, (n, 1, 28, 28) float32 in [0, 1], and labels, (n,) int64."""


class Batches:
    """Cuts a set into shuffled batches; any of them can be asked for again.

    Args:
        digits: The training pictures.
        batch_size: Pictures a batch.
        seed: Fixes every epoch's order.
        drop_last: Leave out an epoch's last batch where it is smaller than the others.
        device: Where the pictures are kept and batches are made.

    Raises:
        SettingError: A batch is larger than the set.
    """

    def __init__(
        self,
        digits: Digits,
        *,
        batch_size: int,
        seed: int,
        drop_last: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        if batch_size > len(digits):
            raise SettingError(
                f"batch size is {batch_size}, but there are {len(digits)} training pictures: "
                f"the largest possible is {len(digits)}"
            )
        self.images = torch.from_numpy(digits.images).unsqueeze(1).to(device)  # (N, 1, 28, 28)
        self.labels = torch.from_numpy(digits.labels.astype(np.int64)).to(device)
        self.batch_size = batch_size
        self.seed = seed
        in_an_epoch = len(digits) / batch_size
        self.steps_per_epoch = math.floor(in_an_epoch) if drop_last else math.ceil(in_an_epoch)
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the batch of a step.

        Args:
            step: Counted from 0 over all epochs.

        Returns:
            Pictures, (n, 1, 28, 28) float32 in [0, 1]; labels, (n,) int64.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            order = epoch_order(len(self.labels), self.seed, epoch)
            self._order = torch.from_numpy(order).to(self.labels.device)
            self._epoch = epoch
        chosen = self._order[position * self.batch_size : (position + 1) * self.batch_size]
        return self.images[chosen].float().div_(255), self.labels[chosen]


def batch_shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Move each picture by a whole number of pixels each way, at random; what enters is blank.

    Args:
        images: (N, C, H, W).
        pixels: The most; every offset from -pixels to pixels is equally likely.
        generator: On the CPU.

    Returns:
        (N, C, H, W), the same type and device.
    """
    count, channels, height, width = images.shape
    span = 2 * pixels + 1
    offsets = torch.randint(span, (2, count), generator=generator).to(images.device)
    padded = torch.nn.functional.pad(images, (pixels,) * 4)
    rows = offsets[0, :, None] + torch.arange(height, device=images.device)  # (N, H)
    columns = offsets[1, :, None] + torch.arange(width, device=images.device)  # (N, W)
    places = rows[:, :, None] * (width + 2 * pixels) + columns[:, None, :]  # (N, H, W)
    places = places.flatten(1)[:, None].expand(count, channels, height * width)
    return padded.flatten(2).gather(2, places).view(images.shape)
