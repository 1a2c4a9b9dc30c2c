"""Adam over one vector, against torch's own."""

import copy

import torch
from torch.nn import functional

from tendigits.models import CompactConfig, build_model, channels_last
from tendigits.training.flat_adam import EPSILON, FlatAdam


def test_steps_are_those_of_torchs_adam() -> None:
    torch.manual_seed(0)
    model = channels_last(build_model(CompactConfig(channels=(4, 8, 8))))
    other = copy.deepcopy(model)
    ours = FlatAdam(model.parameters(), lr=0.01, betas=(0.7, 0.9))
    torchs = torch.optim.Adam(other.parameters(), lr=0.01, betas=(0.7, 0.9), eps=EPSILON)
    images, labels = torch.rand(32, 1, 28, 28), torch.arange(32) % 10
    for step in range(5):
        for network, optimizer in ((model, ours), (other, torchs)):
            optimizer.param_groups[0]["lr"] = 0.01 / (step + 1)
            optimizer.zero_grad()
            functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_values_and_layouts_stay_as_they_are() -> None:
    model = channels_last(build_model(CompactConfig()))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    strides = [parameter.stride() for parameter in model.parameters()]
    FlatAdam(model.parameters(), lr=0.01, betas=(0.9, 0.99))
    assert [parameter.stride() for parameter in model.parameters()] == strides
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
