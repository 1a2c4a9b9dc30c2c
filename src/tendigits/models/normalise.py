"""Normalisation as a part of the network, so that every export of a model carries it."""

import torch
from torch import Tensor, nn


class Normalise(nn.Module):
    """Map pixels x to (x - mean) / std, with constants that are saved with the weights.

    Args:
        mean: What ink averages over the training pictures, as a share of full ink.
        std: Its standard deviation, the same unit; greater than 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, images: Tensor) -> Tensor:
        """Normalise `images`, any shape, float32 in [0, 1]."""
        return (images - self.mean) / self.std
