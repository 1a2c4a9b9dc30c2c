"""Muon for the filters of small networks, Adam for everything else.

Where Adam scales each number of a filter bank alone, Muon (Jordan et al. 2024) makes the whole step
of a bank orthogonal: every direction moves by the same amount, so that rare strokes are learned as
quickly as common ones and fewer pictures do. As in Jordan's airbench94_muon, a filter has length 1
on average, before every step: a normalisation follows, to which lengths mean nothing.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from tendigits.training.flat_adam import FlatAdam, flatten

MOMENTUM = 0.6  # of the filters; 0.4 and 0.7 were no better (LOG, 2026-11-24)
ITERATIONS = 3  # of Newton-Schulz; 2 lost accuracy, 5 gained none (LOG, 2026-11-24)
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of its polynomial, from Jordan et al. 2024


class Muon:
    """Muon with the part of an optimizer's interface that training uses.

    Banks of filters with more than one input channel are moved by Muon, all else by `FlatAdam`.

    Args:
        parameters: What to train, on its device; values and memory layouts stay as they are.
        lr: Learning rate of Adam.
        betas: Of Adam.
        filter_lr: Learning rate of the filters. The groups' rates are changed by whoever trains;
            the filters' group names its own as a share of Adam's, ``relative_lr``.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        betas: tuple[float, float],
        filter_lr: float,
    ) -> None:
        parameters = list(parameters)
        banks = [bank for bank in parameters if bank.ndim == 4 and bank.shape[1] > 1]
        rest = [parameter for parameter in parameters if all(parameter is not b for b in banks)]
        self.adam = FlatAdam(rest, lr=lr, betas=betas)
        group = {"lr": filter_lr, "relative_lr": filter_lr / lr}
        self.param_groups: list[dict[str, Any]] = [*self.adam.param_groups, group]
        values, self.gradients = flatten(banks)
        self.momentum = torch.zeros_like(values)
        sizes = [bank.numel() for bank in banks]
        self.banks = [
            tuple(part.view(len(bank), -1) for part in parts)
            for bank, *parts in zip(
                banks,
                values.split(sizes),
                self.gradients.split(sizes),
                self.momentum.split(sizes),
                strict=True,
            )
        ]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.adam.zero_grad()
        self.gradients.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters by the gradients that are there."""
        self.adam.step()
        lr = self.param_groups[1]["lr"]
        self.momentum.mul_(MOMENTUM).add_(self.gradients)
        for value, gradient, momentum in self.banks:
            ahead = gradient.add(momentum, alpha=MOMENTUM)  # Nesterov's
            value.mul_(len(value) ** 0.5 / value.norm())
            value.add_(orthogonalised(ahead), alpha=-lr)

    def state_dict(self) -> dict[str, Any]:
        """Return the state in the form that torch's optimizers have."""
        saved = self.adam.state_dict()["state"]
        saved[1] = {"momentum": self.momentum}
        return {"state": saved, "param_groups": self.param_groups}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over the state that `state_dict` returned."""
        groups = saved["param_groups"]
        self.adam.load_state_dict({"state": saved["state"], "param_groups": groups[:1]})
        self.momentum.copy_(saved["state"][1]["momentum"])
        self.param_groups = [*self.adam.param_groups, groups[1]]


def orthogonalised(matrix: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Return `matrix` with its singular values drawn towards 1, by the Newton-Schulz iteration.

    Args:
        matrix: (m, n) float32.
        iterations: Three take a singular value of a hundredth of the matrix's length to about 0.4
            and large ones to 0.7 to 1.2.

    Returns:
        (m, n) float32.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    linear, cubic, quintic = COEFFICIENTS
    for _ in range(iterations):
        gram = wide @ wide.T
        inner = torch.addmm(gram, gram, gram, beta=cubic, alpha=quintic)
        wide = torch.addmm(wide, inner, wide, beta=linear)
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
