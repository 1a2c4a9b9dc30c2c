"""The tutorial's first model: a multi-layer perceptron over the 784 pixels."""

import itertools
from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise


@dataclass(frozen=True, kw_only=True)
class MlpConfig:
    """Settings of an `Mlp`.

    Attributes:
        hidden: Units of each hidden layer, from the pixels to the logits.
        mean: Pixel mean that is taken off, a share of full ink; 0 leaves pixels in [0, 1].
        std: Pixel standard deviation that is divided by; 1 leaves pixels in [0, 1].
    """

    hidden: tuple[int, ...] = (256, 128)
    mean: float = 0.0
    std: float = 1.0


class Mlp(nn.Module):
    """784 pixels -> hidden layers with ReLU -> 10 logits (the tutorial: 235,146 parameters).

    Args:
        config: Its settings.
    """

    def __init__(self, config: MlpConfig) -> None:
        super().__init__()
        self.config = config
        self.normalise = Normalise(config.mean, config.std)
        widths = (28 * 28, *config.hidden)
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise(widths):
            layers += [nn.Linear(width_in, width_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 10))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32 logits.
        """
        logits: Tensor = self.layers(self.normalise(images).flatten(1))
        return logits
