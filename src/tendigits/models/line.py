"""A small network over a whole line of digits: columns in, a digit or a blank for each place out.

It is trained with connectionist temporal classification (Graves, Fernandez, Gomez and Schmidhuber,
"Connectionist temporal classification", 2006), so it learns by itself where a line is cut.
"""

from dataclasses import dataclass

from torch import Tensor, nn

SYMBOLS = 11  # ten digits, and the blank, which is the last


@dataclass(frozen=True, kw_only=True)
class LineConfig:
    """Settings of a `LineNetwork`.

    Attributes:
        channels: Filters of the seven convolutions, in their order.
        height: Pixels of the sheet, a multiple of 8.
        dilation: Columns between the taps of the last convolution.
        dropout: Share of the last features that is left out in training.
    """

    channels: tuple[int, ...] = (32, 48, 64, 80, 128, 192, 192)
    height: int = 40
    dilation: int = 2
    dropout: float = 0.1


class LineNetwork(nn.Module):
    """Seven convolutions; each column of the last stands for two places of the output.

    A place is two pixels of the sheet wide, a twelfth of a usual digit's height, so that there is a
    blank between two narrow equal digits.

    Args:
        config: Its settings.
    """

    def __init__(self, config: LineConfig) -> None:
        super().__init__()
        self.config = config
        stem, second, third, fourth, fifth, sixth, last = config.channels
        self.features = nn.Sequential(
            *convolve(2, stem, (5, 5), stride=2),  # (N, stem, H / 2, W / 2)
            *convolve(stem, second, (3, 3)),
            nn.MaxPool2d(2),  # (N, second, H / 4, W / 4)
            *convolve(second, third, (3, 3)),
            *convolve(third, fourth, (3, 3)),
            nn.MaxPool2d((2, 1)),  # (N, fourth, H / 8, W / 4)
            *convolve(fourth, fifth, (3, 3)),
            *convolve(
                fifth, sixth, (config.height // 8, 3), padding=(0, 1)
            ),  # (N, sixth, 1, W / 4)
            *convolve(sixth, last, (1, 3), padding=(0, config.dilation), dilation=config.dilation),
            nn.Dropout(config.dropout),
        )
        self.classifier = nn.Linear(last, 2 * SYMBOLS)

    def forward(self, lines: Tensor) -> Tensor:
        """Return the logits of lines.

        Args:
            lines: (N, 2, 40, W) float32 in [0, 1], ink = 1; W is a multiple of 4.

        Returns:
            (N, W / 2, 11) float32 logits: the digits 0 to 9 and the blank.
        """
        columns = self.features(lines)[:, :, 0].transpose(1, 2)  # (N, W / 4, last)
        logits: Tensor = self.classifier(columns)
        return logits.reshape(lines.shape[0], -1, SYMBOLS)


def convolve(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int],
    *,
    stride: int = 1,
    padding: tuple[int, int] | None = None,
    dilation: int = 1,
) -> list[nn.Module]:
    """Return a convolution with batch normalisation and a ReLU.

    Args:
        inputs: Channels.
        outputs: Filters.
        kernel: Rows and columns.
        stride: Of both axes.
        padding: Rows and columns; None keeps the size.
        dilation: Of the columns.
    """
    margin = padding or (kernel[0] // 2, kernel[1] // 2)
    return [
        nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding=margin,
            dilation=(1, dilation),
            bias=False,
        ),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
