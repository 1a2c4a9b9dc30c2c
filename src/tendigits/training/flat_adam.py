"""Adam over one long vector: for networks so small that the bookkeeping costs more than the sums.

`torch.optim` loads a second's worth of other modules when its first optimizer is made, and visits
every parameter at every step. Here all parameters, and all gradients, are views into two long
tensors, and a step is a handful of operations on them (Kingma & Ba 2015, algorithm 1).
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

EPSILON = 1e-10  # added to the root of the mean square; gradients of small networks are small


class FlatAdam:
    """Adam with the part of an optimizer's interface that training uses.

    The parameters' storage is replaced by views, so this comes after moving a model to its device.

    Args:
        parameters: What to train; their values and memory layouts stay as they are.
        lr: The learning rate of the next step; change it in ``param_groups[0]["lr"]``.
        betas: Decay of the mean and of the mean square.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float, betas: tuple[float, float]
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [{"lr": lr, "betas": list(betas)}]
        self.values, self.gradients = flatten(parameters)
        self.mean = torch.zeros_like(self.values)
        self.square = torch.zeros_like(self.values)
        self.steps = 0

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.gradients.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters by the gradients that are there."""
        lr, (beta_mean, beta_square) = self.param_groups[0]["lr"], self.param_groups[0]["betas"]
        self.steps += 1
        self.mean.lerp_(self.gradients, 1 - beta_mean)
        self.square.mul_(beta_square).addcmul_(
            self.gradients, self.gradients, value=1 - beta_square
        )
        root = (self.square / (1 - beta_square**self.steps)).sqrt_().add_(EPSILON)
        self.values.addcdiv_(self.mean, root, value=-lr / (1 - beta_mean**self.steps))

    def state_dict(self) -> dict[str, Any]:
        """Return the state in the form that torch's optimizers have."""
        state: dict[str, Tensor] = {
            "mean": self.mean,
            "square": self.square,
            "steps": torch.tensor(self.steps),
        }
        return {"state": {0: state}, "param_groups": self.param_groups}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over the state that `state_dict` returned."""
        state = saved["state"][0]
        self.mean.copy_(state["mean"])
        self.square.copy_(state["square"])
        self.steps = int(state["steps"])
        self.param_groups = saved["param_groups"]


def flatten(parameters: Iterable[nn.Parameter]) -> tuple[Tensor, Tensor]:
    """Move the values and the gradients of `parameters` into two vectors, and return these.

    Each parameter becomes a view into the first, its gradient one into the second; values and
    memory layouts stay as they are. It comes after moving a model to its device.
    """
    parameters = list(parameters)
    size = sum(parameter.numel() for parameter in parameters)
    device = parameters[0].device if parameters else None
    values, gradients = torch.empty(size, device=device), torch.zeros(size, device=device)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        view = values[start:end].as_strided(parameter.shape, parameter.stride())
        view.copy_(parameter.data)
        parameter.data = view
        parameter.grad = gradients[start:end].as_strided(parameter.shape, parameter.stride())
        start = end
    return values, gradients
