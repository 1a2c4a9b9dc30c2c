"""Gives back the packaged line network as one that can learn on.

An ONNX file holds convolutions with their normalisations folded in. Each is taken apart again: its
filters get length 1, which `Muon` keeps on average, and its normalisation the mean and the
deviation that lines give it, with the gain and the shift that undo both.

A network can also be made wider without changing what it says, so that what was learnt is not lost
(as in Chen, Goodfellow and Shlens, "Net2Net", 2016, but that new filters are drawn at random and
not listened to yet, instead of being copies).
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from tendigits.models import channels_last
from tendigits.models.line import LineConfig, LineNetwork

SHORTEST = 1e-12  # length of a filter: one that is all 0 stays so


def read_line_network(path: Path, lines: Tensor) -> LineNetwork:
    """Return the network of an ONNX file, the same function in evaluation mode.

    Args:
        path: What `benchmarks.fit_lines` exported.
        lines: (N, 2, 40, W) float32 in [0, 1], from which the normalisations take their means.

    Raises:
        ValueError: It is another network.
    """
    graph = onnx.load(path).graph
    saved = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    model = LineNetwork(LineConfig(channels=find_channels(saved)))
    channels_last(model)
    layers = list(model.features)
    with torch.no_grad():
        seen = lines.contiguous(memory_format=torch.channels_last)
        for number, layer in enumerate(layers):
            if isinstance(layer, nn.Conv2d):
                name = f"features.{number}.weight"
                weight, bias = pick(saved, name), pick(saved, f"{name}_bias")
                unfold(layer, layers[number + 1], weight, bias, seen)
            seen = layer.eval()(seen)
        outputs = (model.classifier.out_features, model.classifier.in_features)
        last = [value for value in saved.values() if value.shape == outputs[::-1]]
        if len(last) != 1:
            raise ValueError("the file holds another network: its classifier is not there")
        model.classifier.weight.copy_(torch.tensor(last[0].T))
        model.classifier.bias.copy_(pick(saved, "classifier.bias"))
    return model.train()


def find_channels(saved: dict[str, NDArray[np.float32]]) -> tuple[int, ...]:
    """Return how many filters each convolution has, in their order.

    Raises:
        ValueError: They are not as many convolutions as a line network has.
    """
    names = sorted(filter(re.compile(r"features\.\d+\.weight").fullmatch, saved), key=number_in)
    if len(names) != len(LineConfig().channels):
        raise ValueError(f"the file holds another network: it has {len(names)} convolutions")
    return tuple(len(saved[name]) for name in names)


def number_in(name: str) -> int:
    """Return the number in a name such as ``features.12.weight``."""
    return int(name.split(".")[1])


def widen(model: LineNetwork, channels: tuple[int, ...], random: torch.Generator) -> LineNetwork:
    """Return a network with more filters that is the same function.

    New filters are drawn; nothing listens to them yet: their weights in what follows are 0.

    Args:
        model: The network.
        channels: Filters of each convolution of the wider one, as many or more.
        random: Draws the new filters.
    """
    wide = LineNetwork(replace(model.config, channels=channels))
    channels_last(wide)
    with torch.no_grad():
        for old, new in zip(model.features, wide.features, strict=True):
            if isinstance(old, nn.Conv2d) and isinstance(new, nn.Conv2d):
                filters, inputs = old.weight.shape[:2]
                drawn = torch.randn(new.weight.shape, generator=random)
                new.weight.copy_(drawn / drawn.flatten(1).norm(dim=1)[:, None, None, None])
                new.weight[:filters, inputs:] = 0
                new.weight[:filters, :inputs] = old.weight
            elif isinstance(old, nn.BatchNorm2d) and isinstance(new, nn.BatchNorm2d):
                for name in ("weight", "bias", "running_mean", "running_var"):
                    getattr(new, name)[: len(old.weight)] = getattr(old, name)
        known = model.classifier.in_features
        wide.classifier.weight[:, known:] = 0
        wide.classifier.weight[:, :known] = model.classifier.weight
        wide.classifier.bias.copy_(model.classifier.bias)
    return wide.train(model.training)


def pick(saved: dict[str, NDArray[np.float32]], name: str) -> Tensor:
    """Return the numbers of this name.

    Raises:
        ValueError: There are none.
    """
    if name not in saved:
        raise ValueError(f"the file holds another network: {name} is not there")
    return torch.tensor(saved[name])


def unfold(
    convolution: nn.Conv2d, norm: nn.Module, weight: Tensor, bias: Tensor, seen: Tensor
) -> None:
    """Set a convolution and its normalisation so that together they are the folded one.

    Args:
        convolution: Without a shift of its own.
        norm: The `BatchNorm2d` behind it.
        weight: (filters, inputs, rows, columns) float32, folded.
        bias: (filters,) float32, folded.
        seen: (N, inputs, H, W) float32, what comes in.

    Raises:
        ValueError: They are of another network.
    """
    if not isinstance(norm, nn.BatchNorm2d) or convolution.weight.shape != weight.shape:
        raise ValueError("the file holds another network: filters of another size")
    lengths = weight.flatten(1).norm(dim=1).clamp_min(SHORTEST)
    convolution.weight.copy_(weight / lengths[:, None, None, None])
    variance, mean = torch.var_mean(convolution(seen), dim=(0, 2, 3))
    norm.running_mean.copy_(mean)  # type: ignore[union-attr]
    norm.running_var.copy_(variance)  # type: ignore[union-attr]
    norm.weight.copy_(lengths * (variance + norm.eps).sqrt())
    norm.bias.copy_(bias + lengths * mean)
