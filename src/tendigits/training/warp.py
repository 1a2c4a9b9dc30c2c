"""Random changes of a batch's geometry: turned, scaled, slanted, moved, stretched and bent digits.

Each picture of a batch gets changes of its own. All are joined into one map from places in the
result to places in the picture, so that pictures are sampled, and blurred, only once.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

BOX_SIDE = 20.0  # pixels: the longest side of the ink in MNIST form
INK = 0.25  # share of full ink from which a pixel counts to a digit's box


@dataclass(frozen=True, kw_only=True)
class Warp:
    """How far pictures are warped; each change is drawn evenly from minus to plus its limit.

    Attributes:
        angle: Degrees by which a digit is turned.
        scale: Logarithm of the factor by which height, and apart from it width, are scaled.
        shear: Slant: pixels to the side for each pixel of height.
        shift: Pixels by which a digit is moved each way.
        elastic: Standard deviation, in pixels, of how far the points of a coarse grid are moved;
            between them the picture follows smoothly (Simard, Steinkraus & Platt 2003).
        grid: Points along a side of that grid.
    """

    angle: float = 10.0
    scale: float = 0.12
    shear: float = 0.15
    shift: float = 2.0
    elastic: float = 0.6
    grid: int = 5


def batch_warp(
    images: Tensor, warp: Warp, generator: torch.Generator, stretch: Tensor | None = None
) -> Tensor:
    """Warp each picture of a batch at random.

    Args:
        images: (N, 1, H, W) float32; what enters from outside is 0.
        warp: How far.
        generator: On the CPU.
        stretch: (N,) in [0, 1]: how far a digit is stretched until its ink fills a square, as some
            collections of digits have done to all of theirs; None for not at all.

    Returns:
        (N, 1, H, W) float32, on the same device.
    """
    count, side = len(images), images.shape[-1]
    angle, slant, *logs = (draw(generator, count, limit) for limit in limits_of(warp))
    factors = torch.stack(logs, 1).exp()  # (N, 2): of the width and of the height
    if stretch is not None:
        factors *= (BOX_SIDE / ink_extent(images).cpu()) ** stretch[:, None]
    cos, sin = angle.cos(), angle.sin()
    # Backwards: a place in the result is turned, slanted and scaled into a place in the picture.
    rows = torch.stack([cos, sin + slant * cos, -sin, cos - slant * sin], 1).view(count, 2, 2)
    linear = rows / factors[:, :, None]
    move = (2 * torch.rand(count, 2, 1, generator=generator) - 1) * (2 * warp.shift / side)
    affine = torch.cat([linear, -linear @ move], 2).to(images.device)
    places = functional.affine_grid(affine, list(images.shape), align_corners=False)
    if warp.elastic:
        points = torch.randn(count, 2, warp.grid, warp.grid, generator=generator)
        bends = functional.interpolate(
            points.to(images.device) * (2 * warp.elastic / side),
            images.shape[-2:],
            mode="bicubic",
            align_corners=True,
        )
        places = places + bends.permute(0, 2, 3, 1)
    return functional.grid_sample(images, places, align_corners=False)


def limits_of(warp: Warp) -> tuple[float, float, float, float]:
    """Return the limits of angle (radians), slant, and the logarithms of width and height."""
    return math.radians(warp.angle), warp.shear, warp.scale, warp.scale


def draw(generator: torch.Generator, count: int, limit: float) -> Tensor:
    """Return `count` random numbers, (N,), evenly from -`limit` to `limit`."""
    return (2 * torch.rand(count, generator=generator) - 1) * limit


def ink_extent(images: Tensor) -> Tensor:
    """Return the width and the height of the ink in each picture, in pixels.

    Args:
        images: (N, 1, H, W) in [0, 1].

    Returns:
        (N, 2) float32; at least 2, so that a speck or a blank is not blown up without bounds.
    """
    inked = images[:, 0] >= INK
    extents = []
    for across in (1, 2):  # rows are left out first, which leaves columns, and then the other way
        hit = inked.any(across).float()
        first = hit.argmax(1)
        last = hit.shape[1] - 1 - hit.flip(1).argmax(1)
        extents.append((last - first + 1).float())
    return torch.stack(extents, 1).clamp_min(2)
