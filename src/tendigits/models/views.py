"""A network that looks at several views of a picture and answers with the mean of what it thinks.

Each view is the picture as the same hand might have written it another time: turned, slanted,
scaled, moved and bent a little. This is test-time augmentation, as Krizhevsky, Sutskever & Hinton
(2012) did it with crops and mirror images.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tendigits.models.places import warped_places

SIDE = 28
MOST_VIEWS = 64
ANGLE = 10.0  # degrees: this and what follows are the limits that training pictures are warped by
SCALE = 0.12  # logarithm of a factor, of width and of height
SLANT = 0.15  # pixels to the side for one of height
SHIFT = 2.0  # pixels
BEND = 0.6  # pixels: standard deviation at the points of a coarse grid
POINTS = 5  # along a side of that grid


@dataclass(frozen=True, kw_only=True)
class ViewsConfig:
    """Settings of a `Views`.

    Attributes:
        network: Settings of the network that looks.
        count: Views, at least one.
    """

    network: Any  # a ModelConfig, which is defined in terms of this
    count: int = 8


class Views(nn.Module):
    """The mean of what a network thinks likely, over views of a picture.

    In training it is the network alone, which sees its pictures warped already.

    Args:
        config: Its settings.
        network: The network that looks.
    """

    places: Tensor

    def __init__(self, config: ViewsConfig, network: nn.Module) -> None:
        super().__init__()
        if not 1 <= config.count <= MOST_VIEWS:
            raise ValueError(f"{config.count} views: expected 1 to {MOST_VIEWS}")
        if any(isinstance(part, Views) for part in network.modules()):
            raise ValueError("views of views: expected a network that looks once")
        self.config = config
        self.network = network
        with torch.device("cpu"):  # where random numbers are the same for all
            self.register_buffer("places", view_places(config.count))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32, the logarithms of the mean probabilities; in training, the logits of
            the network.
        """
        if self.training:
            logits: Tensor = self.network(images)
            return logits
        count = self.config.count
        # Each view takes all pictures at the same places, so they are its channels.
        pictures = images.transpose(0, 1).expand(count, -1, SIDE, SIDE)  # (V, N, 28, 28)
        views = functional.grid_sample(pictures, self.places, align_corners=False)
        log_probs = self.network(views.reshape(-1, 1, SIDE, SIDE)).log_softmax(1)
        each: Tensor = log_probs.reshape(count, -1, log_probs.shape[1])
        return each.logsumexp(0) - math.log(count)


def view_places(count: int) -> Tensor:
    """Return where each pixel of each view lies in the picture, (V, 28, 28, 2) in [-1, 1].

    How the views are turned, slanted, scaled and moved is spread evenly over all that training
    does (the additive recurrence that Roberts named R); how they are bent is drawn at random, the
    same each time.
    """
    limits = torch.tensor([math.radians(ANGLE), SLANT, SCALE, SCALE, SHIFT, SHIFT])
    spread = spread_evenly(count, len(limits)) * limits
    angle, slant = spread[:, :2].unbind(1)
    drawn = torch.randn(count, 2, POINTS, POINTS, generator=torch.Generator().manual_seed(0))
    pixel = 2 / SIDE  # as `grid_sample` counts
    return warped_places(
        angle, slant, spread[:, 2:4].exp(), pixel * spread[:, 4:], pixel * BEND * drawn, SIDE
    )


def spread_evenly(count: int, axes: int) -> Tensor:
    """Return points, (count, axes), spread evenly over the cube from -1 to 1."""
    ratio = 2.0
    for _ in range(50):  # towards the only positive root of x ** (axes + 1) = x + 1
        ratio = (1 + ratio) ** (1 / (axes + 1))
    steps = torch.tensor([ratio ** -(axis + 1) for axis in range(axes)], dtype=torch.float64)
    numbers = torch.arange(1, count + 1, dtype=torch.float64)
    return ((0.5 + numbers[:, None] * steps) % 1 * 2 - 1).float()
