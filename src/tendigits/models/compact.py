"""A small network for speed: three convolutions on the middle of the picture."""

from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise


@dataclass(frozen=True, kw_only=True)
class CompactConfig:
    """Settings of a `Compact`.

    Attributes:
        channels: Filters of the 6x6 convolution and of the two 3x3 ones.
        margin: Pixels on each side that are not looked at; digits made as MNIST's are rarely reach
            there.
        mean: Pixel mean that is taken off, a share of full ink.
        std: Pixel standard deviation that is divided by.
    """

    channels: tuple[int, int, int] = (16, 32, 64)
    margin: int = 2
    mean: float = 0.1307  # both are those of MNIST's training pixels
    std: float = 0.3081


class Compact(nn.Module):
    """Three convolutions, two of them with batch normalisation; a linear layer (26,378 parameters).

    The first convolution makes steps of two pixels, and pooling comes before normalisation: both
    leave a quarter of the values to work on. Where values are most, after the first convolution,
    there is nothing but a ReLU (LOG, 2026-11-24).

    Args:
        config: Its settings.
    """

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third = config.channels
        self.normalise = Normalise(config.mean, config.std)
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

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32 logits.
        """
        margin = self.config.margin
        middle = images[:, :, margin : 28 - margin, margin : 28 - margin]
        features = self.features(self.normalise(middle))
        # With the channels last, as they lie in memory: else all gradients would be laid out anew.
        logits: Tensor = self.classifier(features.permute(0, 2, 3, 1).flatten(1))
        return logits
