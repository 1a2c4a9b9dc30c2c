"""A network with little arithmetic: one convolution in steps of two, then three small ones."""

from dataclasses import dataclass

from torch import nn

from tendigits.models.middle import Middle, MiddleConfig


@dataclass(frozen=True, kw_only=True)
class SlimConfig(MiddleConfig):
    """Settings of a `Slim`.

    Attributes:
        channels: Filters of the 6x6 convolution and of the three 3x3 ones.
    """

    channels: tuple[int, int, int, int] = (26, 40, 64, 64)


class Slim(Middle):
    """Four convolutions, three with batch normalisation; a linear layer (76,306 parameters).

    As `Compact`, with a convolution more where the picture is small: for the same arithmetic that
    is worth more than wider ones (LOG, 2026-11-26).

    Args:
        config: Its settings.
    """

    def __init__(self, config: SlimConfig) -> None:
        super().__init__(config)
        first, second, third, fourth = config.channels
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 6, stride=2, bias=False),  # (N, first, 10, 10)
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1, bias=False),
            nn.MaxPool2d(2),  # (N, second, 5, 5)
            nn.BatchNorm2d(second),
            nn.GELU(),
            nn.Conv2d(second, third, 3, padding=1, bias=False),
            nn.BatchNorm2d(third),
            nn.GELU(),
            nn.Conv2d(third, fourth, 3, bias=False),  # (N, fourth, 3, 3)
            nn.BatchNorm2d(fourth),
            nn.GELU(),
        )
        self.classifier = nn.Linear(fourth * 3 * 3, 10)
