"""The tutorial's second model: two convolutions and two linear layers."""

from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise


@dataclass(frozen=True, kw_only=True)
class CnnConfig:
    """Settings of a `Cnn`.

    Attributes:
        channels: Filters of the first and the second convolution.
        hidden: Units of the linear layer before the logits.
        mean: Pixel mean that is taken off, a share of full ink; 0 leaves pixels in [0, 1].
        std: Pixel standard deviation that is divided by; 1 leaves pixels in [0, 1].
    """

    channels: tuple[int, int] = (32, 64)
    hidden: int = 128
    mean: float = 0.0
    std: float = 1.0


class Cnn(nn.Module):
    """Convolution 3x3, ReLU, max-pool 2, twice; then two linear layers (421,642 parameters).

    Args:
        config: Its settings.
    """

    def __init__(self, config: CnnConfig) -> None:
        super().__init__()
        self.config = config
        first, second = config.channels
        self.normalise = Normalise(config.mean, config.std)
        # ReLU and max-pool give the same values and gradients in either order; pooling first leaves
        # ReLU a quarter of the work.
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1),  # (N, first, 28, 28)
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1),  # (N, second, 14, 14)
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(second * 7 * 7, config.hidden), nn.ReLU(), nn.Linear(config.hidden, 10)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32 logits.
        """
        logits: Tensor = self.classifier(self.features(self.normalise(images)).flatten(1))
        return logits
