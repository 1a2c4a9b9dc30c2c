"""A small network for speed: three convolutions on the middle of the picture."""

from dataclasses import dataclass

from torch import nn

from tendigits.models.middle import Middle, MiddleConfig


@dataclass(frozen=True, kw_only=True)
class CompactConfig(MiddleConfig):
    """Settings of a `Compact`.

    Attributes:
        channels: Filters of the 6x6 convolution and of the two 3x3 ones.
    """

    channels: tuple[int, int, int] = (16, 32, 64)


class Compact(Middle):
    """Three convolutions, two of them with batch normalisation; a linear layer (26,378 parameters).

    The first convolution makes steps of two pixels, and pooling comes before normalisation: both
    leave a quarter of the values to work on. Where values are most, after the first convolution,
    there is nothing but a ReLU (LOG, 2026-11-24).

    Args:
        config: Its settings.
    """

    def __init__(self, config: CompactConfig) -> None:
        super().__init__(config)
        first, second, third = config.channels
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 6, stride=2, bias=False),  # (N, first, 10, 10)
            nn.ReLU(),
            nn.Conv2d(first, second, 3, bias=False),  # (N, second, 8, 8)
            nn.MaxPool2d(2),
            nn.BatchNorm2d(second),
            nn.GELU(),
            nn.Conv2d(second, third, 3, bias=False),  # (N, third, 2, 2)
            nn.BatchNorm2d(third),
            nn.GELU(),
        )
        self.classifier = nn.Linear(third * 2 * 2, 10)
