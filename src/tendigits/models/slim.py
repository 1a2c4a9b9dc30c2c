"""A network with little arithmetic: one convolution in steps of two, then three small ones."""

from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise


@dataclass(frozen=True, kw_only=True)
class SlimConfig:
    """Settings of a `Slim`.

    Attributes:
        channels: Filters of the 6x6 convolution and of the three 3x3 ones.
        margin: Pixels on each side that are not looked at; digits made as MNIST's are rarely reach
            there.
        mean: Pixel mean that is taken off, a share of full ink.
        std: Pixel standard deviation that is divided by.
    """

    channels: tuple[int, int, int, int] = (26, 40, 64, 64)
    margin: int = 2
    mean: float = 0.1307  # both are those of MNIST's training pixels
    std: float = 0.3081


class Slim(nn.Module):
    """Four convolutions, three with batch normalisation; a linear layer (76,306 parameters).

    As `Compact`, with a convolution more where the picture is small: for the same arithmetic that
    is worth more than wider ones (LOG, 2026-11-26).

    Args:
        config: Its settings.
    """

    def __init__(self, config: SlimConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third, fourth = config.channels
        self.normalise = Normalise(config.mean, config.std)
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
