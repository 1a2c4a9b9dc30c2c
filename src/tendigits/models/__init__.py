"""Networks: (N, 1, 28, 28) float32 in [0, 1], ink = 1 -> (N, 10) logits."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from tendigits.errors import UnknownNameError
from tendigits.models.cnn import Cnn, CnnConfig
from tendigits.models.compact import Compact, CompactConfig
from tendigits.models.ensemble import Ensemble, EnsembleConfig, count_networks
from tendigits.models.mlp import Mlp, MlpConfig
from tendigits.models.slim import Slim, SlimConfig
from tendigits.models.vgg import Vgg, VggConfig

__all__ = [
    "Cnn",
    "CnnConfig",
    "Compact",
    "CompactConfig",
    "Ensemble",
    "EnsembleConfig",
    "Mlp",
    "MlpConfig",
    "ModelConfig",
    "Slim",
    "SlimConfig",
    "Vgg",
    "VggConfig",
    "build_ensemble",
    "build_model",
    "channels_last",
    "count_networks",
]

ModelConfig = MlpConfig | CnnConfig | CompactConfig | SlimConfig | VggConfig | EnsembleConfig


def build_model(config: ModelConfig) -> nn.Module:
    """Return a new network with random weights, as `config` describes it."""
    build, _ = ARCHITECTURES[architecture_of(config)]
    return build(config)


def build_ensemble(config: EnsembleConfig) -> Ensemble:
    """Return a new ensemble, whose members have random weights."""
    return Ensemble(config, [build_model(member) for member in config.members])


ARCHITECTURES: dict[str, tuple[Callable[[Any], nn.Module], type]] = {
    "mlp": (Mlp, MlpConfig),
    "cnn": (Cnn, CnnConfig),
    "compact": (Compact, CompactConfig),
    "slim": (Slim, SlimConfig),
    "vgg": (Vgg, VggConfig),
    "ensemble": (build_ensemble, EnsembleConfig),
}


def architecture_of(config: ModelConfig) -> str:
    """Return the name under which the network of `config` is saved."""
    return next(name for name, (_, kind) in ARCHITECTURES.items() if isinstance(config, kind))


def config_to_dict(config: ModelConfig) -> dict[str, Any]:
    """Return `config` as a JSON object that names its architecture."""
    saved = {"architecture": architecture_of(config), **asdict(config)}
    if isinstance(config, EnsembleConfig):
        saved["members"] = [config_to_dict(member) for member in config.members]
    return saved


def config_from_dict(saved: dict[str, Any]) -> ModelConfig:
    """Return the settings that `config_to_dict` wrote.

    Args:
        saved: The JSON object.

    Raises:
        UnknownNameError: No network here has the architecture that it names.
        TypeError: A setting is missing or unknown.
    """
    if not isinstance(saved, dict):
        raise TypeError(f"a network's settings are {saved!r}: expected an object")
    fields = dict(saved)
    architecture = fields.pop("architecture", "")
    if architecture not in ARCHITECTURES:
        raise UnknownNameError("architecture", str(architecture), ARCHITECTURES)
    _, kind = ARCHITECTURES[architecture]
    settings = {name: as_tuple(value) for name, value in fields.items()}
    if kind is EnsembleConfig:
        members = settings.get("members")
        if not isinstance(members, tuple) or not members:
            raise TypeError(f"members is {members!r}: expected a list of networks, at least one")
        settings["members"] = tuple(map(config_from_dict, members))
    config: ModelConfig = kind(**settings)
    return config


def as_tuple(value: Any) -> Any:
    """Return `value`, with tuples for the lists that JSON made of them."""
    return tuple(map(as_tuple, value)) if isinstance(value, list) else value


def channels_last(model: nn.Module) -> nn.Module:
    """Lay the weights of `model` out with the channels innermost, which convolutions run faster on.

    Its answers and its saved form stay the same.
    """
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def count_multiply_adds(model: nn.Module) -> int:
    """Return how many multiplications with an addition `model` makes to read one picture."""
    counts: list[int] = []

    def count(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        weights = layer.get_parameter("weight")
        places = output[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1
        counts.append(weights.numel() * places)

    hooks = [
        layer.register_forward_hook(count)
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    was_training = model.training
    model.eval()  # an ensemble in training shows a picture to one member only
    with torch.inference_mode():
        model(torch.zeros(1, 1, 28, 28))
    model.train(was_training)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def count_parameters(model: nn.Module) -> int:
    """Return how many numbers training can change in `model`."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
