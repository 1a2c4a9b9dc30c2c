"""Where the pixels of warped pictures lie in the pictures as they were, for `grid_sample`."""

import torch
from torch import Tensor
from torch.nn import functional


def warped_places(
    angle: Tensor, slant: Tensor, factors: Tensor, move: Tensor, points: Tensor | None, side: int
) -> Tensor:
    """Return the place of each pixel of N warped pictures.

    Backwards: a place in the result is turned, slanted, scaled and moved into one in the picture.

    Args:
        angle: (N,) radians.
        slant: (N,) pixels to the side for each of height.
        factors: (N, 2), of the width and of the height.
        move: (N, 2) sideways and down, in [-1, 1], as `grid_sample` counts.
        points: (N, 2, P, P) the same, how far the points of a coarse grid stray; between them the
            picture follows smoothly. None for not at all.
        side: Of the pictures, in pixels.

    Returns:
        (N, side, side, 2) float32: x and y in [-1, 1].
    """
    count = len(angle)
    cos, sin = angle.cos(), angle.sin()
    rows = torch.stack([cos, sin + slant * cos, -sin, cos - slant * sin], 1).view(count, 2, 2)
    linear = rows / factors[:, :, None]
    affine = torch.cat([linear, -linear @ move[:, :, None]], 2)
    places = functional.affine_grid(affine, [count, 1, side, side], align_corners=False)
    if points is not None:
        bends = functional.interpolate(points, (side, side), mode="bicubic", align_corners=True)
        places = places + bends.permute(0, 2, 3, 1)
    return places
