"""Several networks that answer as one."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig:
    """Settings of an `Ensemble`.

    Attributes:
        members: Settings of its networks, at least one.
    """

    members: tuple[Any, ...]  # each a ModelConfig, which is defined in terms of this


def count_networks(config: Any) -> int:
    """Return among how many networks a batch of training is dealt: an ensemble's members, or one.

    Args:
        config: A ModelConfig.
    """
    return len(config.members) if isinstance(config, EnsembleConfig) else 1


class Ensemble(nn.Module):
    """The mean of what its members think likely.

    Probabilities are averaged, not logits: a member that knows nothing then takes nothing from one
    that is sure (Lakshminarayanan, Pritzel & Blundell 2017). In training each picture is shown to
    one member only, in turn, so that members learn apart and an epoch costs no more than one of a
    single member.

    Args:
        config: Its settings.
        members: The networks, in the order of their settings.
    """

    def __init__(self, config: EnsembleConfig, members: list[nn.Module]) -> None:
        super().__init__()
        self.config = config
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of `images`.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], ink = 1.

        Returns:
            (N, 10) float32, the logarithms of the mean probabilities; in training, logits of the
            member that was shown the picture.
        """
        if self.training:
            return self._deal(images)
        log_probs = torch.stack([member(images).log_softmax(1) for member in self.members])
        return log_probs.logsumexp(0) - math.log(len(self.members))

    def _deal(self, images: Tensor) -> Tensor:
        """Return logits, (N, 10), the k-th picture's by the k-th member, counted round."""
        count = len(self.members)
        dealt = [member(images[place::count]) for place, member in enumerate(self.members)]
        logits: Tensor = dealt[0].new_empty(len(images), dealt[0].shape[1])
        for place, answers in enumerate(dealt):
            logits[place::count] = answers
        return logits
