"""A model's answers to pictures: its logits, in batches, in constant memory."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tendigits.data.digits import CLASSES

BATCH_SIZE = 100  # pictures: what a convolution makes of so few stays in a processor's cache


def predict_logits(
    model: nn.Module,
    images: NDArray[np.uint8],
    *,
    device: torch.device | str | None = None,
    batch_size: int = BATCH_SIZE,
) -> NDArray[np.float32]:
    """Return the logits of `images`.

    Args:
        model: (N, 1, 28, 28) float32 in [0, 1] -> (N, 10); each of its modules is afterwards in the
            mode, training or evaluation, that it was in before.
        images: (N, 28, 28) uint8, ink = 255 on 0.
        device: Where to compute; the model is moved there. None leaves it where it is.
        batch_size: Pictures that are in floating point at a time.

    Returns:
        (N, 10) float32.
    """
    if device is not None:
        model.to(device)
    place = next(model.parameters()).device
    logits = np.empty((len(images), CLASSES), np.float32)
    with torch.inference_mode(), evaluation_mode(model):
        for start in range(0, len(images), batch_size):
            chunk = slice(start, start + batch_size)
            # A copy, because torch warns of arrays that it may not write to.
            pixels = torch.from_numpy(np.array(images[chunk], order="C")).to(place)
            batch = pixels.unsqueeze(1).float().div_(255)
            logits[chunk] = model(batch).float().cpu().numpy()
    return logits


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put `model` into evaluation mode, and afterwards each of its modules back into its own."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True  # train() would change the modules inside it too
