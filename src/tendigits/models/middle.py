"""What small networks share: they look at the middle of a picture, and end in one linear layer."""

from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise


@dataclass(frozen=True, kw_only=True)
class MiddleConfig:
    """Settings of a `Middle`.

    Attributes:
        margin: Pixels on each side that are not looked at; digits made as MNIST's are rarely reach
            there.
        mean: Pixel mean that is taken off, a share of full ink.
        std: Pixel standard deviation that is divided by.
    """

    margin: int = 2
    mean: float = 0.1307  # both are those of MNIST's training pixels
    std: float = 0.3081


class Middle(nn.Module):
    """A network whose `features` see the middle of a picture, and whose `classifier` sees these.

    Args:
        config: Its settings.
    """

    features: nn.Sequential
    classifier: nn.Linear

    def __init__(self, config: MiddleConfig) -> None:
        super().__init__()
        self.config = config
        self.normalise = Normalise(config.mean, config.std)

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
