"""A training in motion: what a step changes, and how that becomes a checkpoint and comes back."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tendigits.errors import CheckpointError
from tendigits.models import build_model, channels_last
from tendigits.training.checkpoint import Checkpoint
from tendigits.training.muon import Muon
from tendigits.training.recipe import Recipe


class TrainingState:
    """The network, its optimizer, the random state and the sums of the current epoch.

    Making one seeds torch's own generator, which dropout draws from.

    Args:
        recipe: How it is trained.
        seed: Fixes the first weights and everything drawn at random.
        device: Where the network lives.

    Attributes:
        step: Steps made.
        epochs_done: Epochs made, evaluated and reported.
        seconds: Training time up to the last checkpoint, evaluation not counted.
        metrics_bytes: Length of the run's metrics file at the last checkpoint.
    """

    def __init__(self, recipe: Recipe, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        torch.manual_seed(seed)
        self.model = channels_last(build_model(recipe.model).to(self.device))
        self.optimizer = build_optimizer(recipe, self.model)
        self.generator = torch.Generator().manual_seed(seed)
        self.step = 0
        self.epochs_done = 0
        self.seconds = 0.0
        self.metrics_bytes = 0
        self.reset_sums()

    def reset_sums(self) -> None:
        """Begin to count an epoch's loss and right answers."""
        self.loss_sum = torch.zeros((), device=self.device)
        self.correct = torch.zeros((), device=self.device, dtype=torch.int64)
        self.seen = 0

    def count(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch to the epoch's sums.

        Args:
            loss: Its mean loss.
            logits: (n, 10).
            labels: (n,) int64.
        """
        self.loss_sum += loss.detach() * len(labels)
        self.correct += (logits.detach().argmax(1) == labels).sum()
        self.seen += len(labels)

    def mean_loss(self) -> float:
        """Return the mean loss of the epoch so far, in nats."""
        return self.loss_sum.item() / max(self.seen, 1)

    def mean_accuracy(self) -> float:
        """Return the share of right answers in the epoch so far."""
        return self.correct.item() / max(self.seen, 1)

    def checkpoint(self) -> Checkpoint:
        """Return everything that is needed to go on exactly."""
        state = self.optimizer.state_dict()
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for index, values in state["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in values.items()}
        tensors |= {f"random.{name}": value for name, value in self._random_state().items()}
        tensors |= {"epoch.loss_sum": self.loss_sum, "epoch.correct": self.correct}
        numbers = {
            "optimizer_groups": state["param_groups"],
            "seen": self.seen,
            "epochs_done": self.epochs_done,
            "seconds": self.seconds,
            "metrics_bytes": self.metrics_bytes,
        }
        return Checkpoint(step=self.step, tensors=tensors, numbers=numbers)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back, or forward, to `checkpoint`.

        Raises:
            CheckpointError: It is of another network or another optimizer.
        """
        try:
            self._restore(checkpoint)
        except (KeyError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(
                f"the checkpoint of step {checkpoint.step} does not fit its recipe: {reason}"
            ) from error

    def _restore(self, checkpoint: Checkpoint) -> None:
        rooms: dict[str, dict[str, Tensor]] = {}
        for name, tensor in checkpoint.tensors.items():
            room, _, rest = name.partition(".")
            rooms.setdefault(room, {})[rest] = tensor
        self.model.load_state_dict(rooms["model"])
        self._restore_optimizer(rooms.get("optimizer", {}), checkpoint.numbers["optimizer_groups"])
        self.generator.set_state(rooms["random"]["batches"])
        torch.set_rng_state(rooms["random"]["processor"])
        if "device" in rooms["random"]:
            torch.get_device_module(self.device).set_rng_state(rooms["random"]["device"])
        self.loss_sum = rooms["epoch"]["loss_sum"].to(self.device)
        self.correct = rooms["epoch"]["correct"].to(self.device)
        self.step = checkpoint.step
        self.seen = checkpoint.numbers["seen"]
        self.epochs_done = checkpoint.numbers["epochs_done"]
        self.seconds = checkpoint.numbers["seconds"]
        self.metrics_bytes = checkpoint.numbers["metrics_bytes"]

    def _restore_optimizer(self, tensors: dict[str, Tensor], groups: list[dict[str, Any]]) -> None:
        """Give the optimizer its state back, laid out in memory as its parameters are."""
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        if isinstance(self.optimizer, Muon):
            return
        for parameter, values in self.optimizer.state.items():
            for key, value in values.items():
                if value.shape == parameter.shape:
                    values[key] = torch.empty_like(parameter).copy_(value).detach()

    def _random_state(self) -> dict[str, Tensor]:
        """Return the states of all generators that a step draws from."""
        states = {"batches": self.generator.get_state(), "processor": torch.get_rng_state()}
        if self.device.type != "cpu":
            states["device"] = torch.get_device_module(self.device).get_rng_state()
        return states


def build_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer | Muon:
    """Return a new optimizer for `model` as `recipe` describes it, torch's in one fused kernel."""
    if recipe.optimizer == "muon":
        return Muon(
            model.parameters(), lr=recipe.lr, betas=recipe.betas, filter_lr=recipe.filter_lr
        )
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
    }
    return kinds[recipe.optimizer](
        model.parameters(),
        lr=recipe.lr,
        betas=recipe.betas,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
