"""A deeper network for accuracy: stages of 3x3 convolutions, each ended by a pool."""

from dataclasses import dataclass

from torch import Tensor, nn

from tendigits.models.normalise import Normalise

SIDE = 28  # pixels: height and width of a picture
FIRST_KERNEL = 5  # pixels: strokes are two to four pixels wide


@dataclass(frozen=True, kw_only=True)
class VggConfig:
    """Settings of a `Vgg`.

    Attributes:
        stages: Filters of each convolution, stage by stage; each stage halves height and width, so
            there are at most four.
        dropout: Share of the last features that a step of training leaves out, in [0, 1).
        mean: Pixel mean that is taken off, a share of full ink.
        std: Pixel standard deviation that is divided by.
    """

    stages: tuple[tuple[int, ...], ...] = ((16,), (32, 32), (64, 64))
    dropout: float = 0.0
    mean: float = 0.1307  # both are those of MNIST's training pixels
    std: float = 0.3081


class Vgg(nn.Module):
    """Stages of convolutions in the manner of Simonyan & Zisserman 2015, one linear layer.

    Every convolution is followed by batch normalisation (Ioffe & Szegedy 2015) and GELU (Hendrycks
    & Gimpel 2016). The pool at the end of a stage stands before its last normalisation, which then
    has a quarter of the values to work on. By default it has 75,706 parameters.

    Args:
        config: Its settings.
    """

    def __init__(self, config: VggConfig) -> None:
        super().__init__()
        self.config = config
        self.normalise = Normalise(config.mean, config.std)
        layers: list[nn.Module] = []
        inputs, side = 1, SIDE
        for stage in config.stages:
            for place, filters in enumerate(stage, 1):
                kernel = 3 if layers else FIRST_KERNEL
                layers.append(nn.Conv2d(inputs, filters, kernel, padding="same", bias=False))
                if place == len(stage):
                    layers.append(nn.MaxPool2d(2))
                    side //= 2
                layers += [nn.BatchNorm2d(filters), nn.GELU()]
                inputs = filters
        self.features = nn.Sequential(*layers)  # (N, filters, side, side)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(inputs * side * side, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32 logits.
        """
        features = self.features(self.normalise(images))
        # With the channels last, as they lie in memory: else all gradients would be laid out anew.
        logits: Tensor = self.classifier(self.dropout(features.permute(0, 2, 3, 1).flatten(1)))
        return logits
