"""Augmentation: how training pictures are changed at random, anew each time that they are shown.

Half of it imitates what the same hands might have written (turned, moved, bent); half of it what
other hands, pens, forms and scanners make of a digit, so that a network that has seen nothing but
MNIST reads what other people write.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tendigits.errors import SettingError
from tendigits.training.restyle import (
    batch_coarsen,
    batch_negate,
    batch_outline,
    batch_pen,
    batch_scan,
)
from tendigits.training.warp import Warp, batch_warp

STRETCHED = 0.6  # share of the foreign pictures
PENNED = 0.5
COARSENED = 0.25  # twice, each time to a side of its own
SCANNED = 0.5
OUTLINED = NEGATED = 0.08


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to training pictures.

    Attributes:
        warp: How far every picture is warped.
        pen: Share of the pictures, in [0, 1], whose strokes are made thicker or thinner.
        foreign: Share of the pictures, in [0, 1], that are also made to look as if another pen and
            another scanner had made them.
        european: Share of the ones and sevens, in [0, 1], that are joined by one with an upstroke,
            or by one that is crossed.
        rare_forms: Share of the twos, fours and nines, in [0, 1], that are joined by one of a form
            that is rare in MNIST.
        written: Digits written stroke by stroke in many countries' forms that join the pictures, as
            a share of these, in [0, 1].
        outliers: Pictures of no digit that join a batch, as a share of its size, in [0, 1]; the
            network is asked to give all digits the same chance there (outlier exposure, Hendrycks,
            Mazeika & Dietterich 2019).
    """

    warp: Warp = field(default_factory=Warp)
    pen: float = 0.0
    foreign: float = 0.0
    european: float = 0.0
    rare_forms: float = 0.0
    written: float = 0.0
    outliers: float = 0.0

    def __post_init__(self) -> None:
        for name in ("pen", "foreign", "european", "rare_forms", "written", "outliers"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise SettingError(f"{name.replace('_', ' ')} is {share}: expected 0 to 1")

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "Augmentation":
        """Return the augmentation that `dataclasses.asdict` wrote.

        Raises:
            TypeError: A setting is unknown.
            KeyError: The warp is missing.
        """
        return cls(**{**saved, "warp": Warp(**saved["warp"])})


def batch_augment(
    images: Tensor, augmentation: Augmentation, overprint: Tensor, generator: torch.Generator
) -> Tensor:
    """Change each picture of a batch at random.

    Args:
        images: (N, 1, H, W) float32 in [0, 1].
        augmentation: How.
        overprint: (M, 1, H, W) in [0, 1], foreign strokes; used where some pictures are foreign.
        generator: On the CPU.

    Returns:
        (N, 1, H, W) float32 in [0, 1], on the same device.
    """
    count = len(images)
    foreign = torch.randperm(count, generator=generator)[: round(augmentation.foreign * count)]
    stretch = torch.zeros(count)
    is_stretched = torch.rand(len(foreign), generator=generator) < STRETCHED
    stretch[foreign] = is_stretched * torch.rand(len(foreign), generator=generator)
    images = batch_warp(images, augmentation.warp, generator, stretch if len(foreign) else None)
    if augmentation.pen:  # else nothing is drawn: recipes without it train as they did before it
        change_some(images, augmentation.pen, lambda some: batch_pen(some, generator), generator)
    if len(foreign):
        chosen = foreign.to(images.device)
        images[chosen] = make_foreign(images[chosen], overprint, generator)
    return images


def make_foreign(images: Tensor, overprint: Tensor, generator: torch.Generator) -> Tensor:
    """Give pictures another pen, another resolution and another scanner, each in some of them.

    Args:
        images: (N, 1, H, W) float32 in [0, 1]; changed in place.
        overprint: (M, 1, H, W) in [0, 1], foreign strokes.
        generator: On the CPU.
    """
    change_some(images, OUTLINED, lambda some: batch_outline(some, generator), generator)
    change_some(images, PENNED, lambda some: batch_pen(some, generator), generator)
    for _ in range(2):
        change_some(images, COARSENED, lambda some: batch_coarsen(some, generator), generator)
    change_some(images, SCANNED, lambda some: batch_scan(some, overprint, generator), generator)
    change_some(images, NEGATED, lambda some: batch_negate(some, generator), generator)
    return images


def change_some(
    images: Tensor, share: float, change: Callable[[Tensor], Tensor], generator: torch.Generator
) -> None:
    """Replace a random `share` of the pictures by what `change` makes of them."""
    count = round(share * len(images))
    chosen = torch.randperm(len(images), generator=generator)[:count].to(images.device)
    if count:
        images[chosen] = change(images[chosen])
