"""A teacher: a trained model whose answers are learned beside the labels (distillation).

The label says "7"; a teacher says "7, but it might be a 1", of this picture as it was changed this
time (Hinton, Vinyals & Dean 2015).
"""

import torch
from torch import Tensor, nn

from tendigits.models import Ensemble, channels_last
from tendigits.registry import shipped_file
from tendigits.weights import load_model

LEAST_TRUST = 0.01  # about what one that learnt labels smoothed by 0.1 gives a class it rules out


class Teacher:
    """A shipped model that is asked about every digit of a batch.

    Each network of an ensemble counts as much as the chance that it gives to the label: one that
    has never seen a form would otherwise teach its pupil to misread it.

    Args:
        name: Of the shipped model.
        device: Where it answers.
        in_bfloat16: Compute in bfloat16 between the layers.

    Raises:
        UnknownNameError: There is no such model.
        WeightsError: Its file is not the one that was shipped.
    """

    def __init__(self, name: str, device: torch.device | str, *, in_bfloat16: bool) -> None:
        model = load_model(shipped_file(name, "safetensors")).model
        networks: list[nn.Module] = list(model.members) if isinstance(model, Ensemble) else [model]
        self.networks = [channels_last(network.to(device)).eval() for network in networks]
        self.device_type = torch.device(device).type
        self.in_bfloat16 = in_bfloat16

    def answer(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the chance of each class.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], as the pupil is shown them.
            labels: (N,) int64.

        Returns:
            (N, 10) float32.
        """
        with torch.no_grad():
            with torch.autocast(self.device_type, torch.bfloat16, enabled=self.in_bfloat16):
                logits = [network(images).float() for network in self.networks]
            chances = torch.stack(logits).softmax(2)  # (networks, N, 10)
            places = labels.expand(len(chances), -1).unsqueeze(2)
            trust = chances.gather(2, places).clamp_min(LEAST_TRUST)
            return (trust * chances).sum(0) / trust.sum(0)
