"""Lines of digits that look different each time they are seen: slant, size, sway, pen, ink."""

import torch
from torch import Tensor
from torch.nn import functional

STRETCH = 0.22  # standard deviation of the logarithm of a line's length
GROWTH = 0.15  # of the logarithm of its height: heights of lines are measured wrong as often
SLANT = 0.15  # of pixels to the right for one upwards
TILT = 0.03  # of pixels upwards for one to the right
SHIFT = 2.0  # pixels, of the whole line up or down
SWAY = 0.4  # pixels: of each stroke, neighbours together
KNOT = 10  # pixels from one of the places that sway to the next
SAME_INK = 0.2  # of lines: the ink is as clean as after cleaning, as on white paper
NOISE = 0.08  # of full ink, the most


def warp_lines(lines: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Warp lines.

    Args:
        lines: (N, 2, H, W) float32 in [0, 1]: ink as it was cleaned, and as it was found.
        random: Draws how.

    Returns:
        The same, warped, and (N,) float32: how much longer each line became. A line keeps its
        middle in the middle of its sheet; W grows to hold the longest.
    """
    count, _, height, width = lines.shape
    draw = torch.randn(5, count, generator=random)
    stretch, growth = (STRETCH * draw[0]).exp().clamp(0.6, 1.6), (GROWTH * draw[1]).exp()
    wide = -(-int(width * float(stretch.max())) // 4) * 4
    y, x = torch.meshgrid(
        torch.arange(height) - (height - 1) / 2, torch.arange(wide) - (wide - 1) / 2, indexing="ij"
    )
    slant, tilt, shift = (
        (spread * part)[:, None, None]
        for spread, part in zip((SLANT, TILT, SHIFT), draw[2:], strict=True)
    )
    across = (x + slant * y) / stretch[:, None, None]
    tilted = (tilt * x).clamp(-5, 5)  # pixels: a long line climbs no farther, to stay on its sheet
    down = (y + tilted + shift) / growth[:, None, None]
    knots = SWAY * torch.randn(
        count, 2, max(2, height // KNOT), max(2, wide // KNOT), generator=random
    )
    sway = functional.interpolate(knots, (height, wide), mode="bicubic", align_corners=False)
    grid = torch.stack(
        [(across + sway[:, 0]) * (2 / width), (down + sway[:, 1]) * (2 / height)], dim=-1
    )
    return functional.grid_sample(lines, grid, align_corners=False), stretch


def change_pen(lines: Tensor, random: torch.Generator) -> Tensor:
    """Make the strokes of a third of the lines wider, of a third narrower, and blur a half.

    Args:
        lines: (N, 2, H, W) float32 in [0, 1].
        random: Draws how.
    """
    order = torch.randperm(len(lines), generator=random)
    third = len(lines) // 3
    wide, narrow, soft = order[:third], order[third : 2 * third], order[::2]
    share = torch.rand(len(lines), 1, 1, 1, generator=random)
    changed = lines.clone()
    wider = functional.max_pool2d(lines[wide], 3, 1, 1)
    changed[wide] = lines[wide].lerp(wider, share[wide].expand_as(wider))
    narrower = -functional.max_pool2d(-lines[narrow], 3, 1, 1)
    changed[narrow] = lines[narrow].lerp(narrower, (0.6 * share[narrow]).expand_as(narrower))
    blurred = functional.avg_pool2d(changed[soft], 3, 1, 1)
    changed[soft] = changed[soft].lerp(blurred, (1 - share[soft]).expand_as(blurred))
    return changed


def change_ink(lines: Tensor, random: torch.Generator) -> Tensor:
    """Change how dark the ink was found; that of a fifth of the lines is clean.

    Args:
        lines: (N, 2, H, W) float32 in [0, 1].
        random: Draws how.
    """
    count = len(lines)
    draw = torch.rand(3, count, 1, 1, generator=random)
    clean, found = lines.unbind(1)
    found = found.clamp_min(1e-6) ** (0.6 + draw[0])
    noise = torch.randn(found.shape, generator=random)
    found = (found + NOISE * draw[1] * noise).clamp(0, 1)
    found = torch.where(draw[2] < SAME_INK, clean, found)
    return torch.stack([clean, found], dim=1)
