"""Muon: the iteration against the singular values, and what is moved by what."""

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from tendigits.models import CompactConfig, build_model, channels_last
from tendigits.training.flat_adam import FlatAdam
from tendigits.training.muon import COEFFICIENTS, MOMENTUM, Muon, orthogonalised

SETTINGS: dict[str, Any] = {"lr": 0.01, "betas": (0.7, 0.9)}


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return channels_last(build_model(CompactConfig(channels=(4, 8, 8))))


def learn(model: nn.Module, optimizer: Muon | FlatAdam) -> None:
    images, labels = torch.rand(32, 1, 28, 28), torch.arange(32) % 10
    optimizer.zero_grad()
    functional.cross_entropy(model(images), labels).backward()
    optimizer.step()


def test_the_iteration_is_its_polynomial_of_the_singular_values() -> None:
    for shape in ((8, 30), (30, 8)):
        matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
        left, values, right = torch.linalg.svd(matrix / matrix.norm(), full_matrices=False)
        linear, cubic, quintic = COEFFICIENTS
        for _ in range(3):
            values = linear * values + cubic * values**3 + quintic * values**5
        expected = left @ torch.diag(values) @ right
        torch.testing.assert_close(orthogonalised(matrix, 3), expected, rtol=1e-4, atol=1e-4)


def test_five_iterations_bring_every_singular_value_near_one() -> None:
    matrix = torch.randn(64, 288, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalised(matrix, 5))
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_filters_go_along_the_orthogonalised_gradient_and_the_rest_as_adam_goes() -> None:
    model, other = small_model(), small_model()
    before = copy.deepcopy(model)
    torch.manual_seed(1)
    learn(model, Muon(model.parameters(), **SETTINGS, filter_lr=0.05))
    torch.manual_seed(1)
    learn(other, FlatAdam(other.parameters(), **SETTINGS))
    for (name, moved), adams, old in zip(
        model.named_parameters(), other.parameters(), before.parameters(), strict=True
    ):
        if name not in {"features.2.weight", "features.6.weight"}:
            assert torch.equal(moved, adams), name
            continue
        rows = old.permute(0, 2, 3, 1).flatten(1)  # as it lies in memory
        assert moved.grad is not None
        gradient = moved.grad.permute(0, 2, 3, 1).flatten(1)
        step = orthogonalised(gradient * (1 + MOMENTUM))
        expected = rows * len(rows) ** 0.5 / rows.norm() - 0.05 * step
        torch.testing.assert_close(moved.permute(0, 2, 3, 1).flatten(1), expected)


def test_a_saved_state_goes_on_the_same() -> None:
    model = small_model()
    optimizer = Muon(model.parameters(), **SETTINGS, filter_lr=0.05)
    learn(model, optimizer)
    twin = copy.deepcopy(model)
    resumed = Muon(twin.parameters(), **SETTINGS, filter_lr=0.05)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for network, its_optimizer in ((model, optimizer), (twin, resumed)):
        torch.manual_seed(2)
        learn(network, its_optimizer)
    for one, two in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one, two)
