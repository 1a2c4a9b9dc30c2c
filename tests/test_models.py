"""Networks: the tutorial's parameter counts, shapes, and settings that come back from JSON."""

import json

import pytest
import torch

from tendigits.errors import UnknownNameError
from tendigits.models import (
    CnnConfig,
    CompactConfig,
    MlpConfig,
    ModelConfig,
    SlimConfig,
    build_model,
    config_from_dict,
    config_to_dict,
    count_multiply_adds,
    count_parameters,
)

COUNTS = [
    (MlpConfig(), 235_146),
    (CnnConfig(), 421_642),
    (CompactConfig(), 26_378),
    (SlimConfig(), 76_306),
]


@pytest.mark.parametrize(("config", "parameters"), COUNTS)
def test_parameter_counts(config: ModelConfig, parameters: int) -> None:
    assert count_parameters(build_model(config)) == parameters


def test_multiply_adds_are_counted_by_hand() -> None:
    mlp = 784 * 256 + 256 * 128 + 128 * 10
    assert count_multiply_adds(build_model(MlpConfig())) == mlp
    convolutions = 28 * 28 * 32 * 9 + 14 * 14 * 64 * 32 * 9
    assert count_multiply_adds(build_model(CnnConfig())) == convolutions + 3136 * 128 + 128 * 10


@pytest.mark.parametrize("config", [MlpConfig(), CnnConfig(), CompactConfig(), SlimConfig()])
def test_pictures_become_logits(config: ModelConfig) -> None:
    logits = build_model(config)(torch.rand(3, 1, 28, 28))
    assert logits.shape == (3, 10)
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("config", [MlpConfig(hidden=(64,)), CnnConfig(mean=0.1307, std=0.3081)])
def test_settings_come_back_from_json(config: ModelConfig) -> None:
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="there is no architecture 'rnn'"):
        config_from_dict({"architecture": "rnn"})


def test_normalisation_is_saved_with_the_weights() -> None:
    model = build_model(CnnConfig(mean=0.25, std=0.5))
    assert model.state_dict()["normalise.mean"] == 0.25
    torch.testing.assert_close(
        model.get_submodule("normalise")(torch.tensor([0.25, 0.75])), torch.tensor([0.0, 1.0])
    )
