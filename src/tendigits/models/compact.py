"""A small network for speed: three convolutions, pooled before they are normalised."""

from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise


@dataclass(frozen=True, kw_only=True)
class CompactConfig:
    """Settings of a `Compact`.

    Attributes:
        channels: Filters of the 5x5 convolution and of the two 3x3 ones.
        mean: Pixel mean that is taken off, a share of full ink.
        std: Pixel standard deviation that is divided by.
    """

    channels: tuple[int, int, int] = (16, 32, 64)
    mean: float = 0.1307  # both are those of MNIST's training pixels
    std: float = 0.3081


class Compact(nn.Module):
    """Convolutions with max-pool, batch normalisation and ReLU; a linear layer (29,434 parameters).

    Pooling comes before normalisation: the order hardly matters to what is learned, and leaves a
    quarter of the values to normalise.

    Args:
        config: Its settings.
    """

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third = config.channels
        self.normalise = Normalise(config.mean, config.std)
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 5, bias=False),  # (N, first, 24, 24)
            nn.MaxPool2d(2),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, bias=False),  # (N, second, 10, 10)
            nn.MaxPool2d(2),
            nn.BatchNorm2d(second),
            nn.ReLU(),
            nn.Conv2d(second, third, 3, bias=False),  # (N, third, 3, 3)
            nn.BatchNorm2d(third),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(third * 3 * 3, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32 logits.
        """
        logits: Tensor = self.classifier(self.features(self.normalise(images)).flatten(1))
        return logits
