"""What this machine has, and devices by name."""

import json

import pytest
import torch

from tendigits import environment
from tendigits.environment import (
    available_devices,
    choose_device,
    computes_in_bfloat16,
    describe_device,
    describe_environment,
)
from tendigits.errors import SettingError, UnknownNameError


def test_the_environment_is_json_and_names_what_figures_depend_on() -> None:
    facts = json.loads(json.dumps(describe_environment()))
    assert facts["cores"] >= 1
    assert facts["packages"]["torch"] == torch.__version__
    assert facts["processor"]


def test_the_processor_is_always_there_and_comes_last() -> None:
    assert available_devices()[-1] == "cpu"
    assert choose_device().type == available_devices()[0]
    assert choose_device("cpu") == torch.device("cpu")
    assert "cores" in describe_device(torch.device("cpu"))


@pytest.mark.parametrize(
    "name", ["abacus", "cpu:one", "", "cuda:-1", "cpu:", "cpu:00", "cpu:\u0660"]
)
def test_a_name_that_is_no_device_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="there is no device"):
        choose_device(name)


def test_a_device_that_is_not_here_is_refused() -> None:
    with pytest.raises(SettingError, match="is not on this machine: it has"):
        choose_device("cpu:7")


def test_processor_features_say_what_is_computed_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amd, intel = "AMD EPYC", "Intel(R) Xeon(R) Processor"
    for name, features, native in (
        (amd, {"avx2"}, False),
        (amd, {"avx512_bf16"}, True),
        (intel, {"avx512_bf16"}, False),
        (intel, {"avx512_bf16", "amx_bf16"}, True),
        (intel, set(), False),
    ):
        monkeypatch.setattr(environment, "processor_features", features.copy)
        monkeypatch.setattr(environment, "processor_name", lambda name=name: name)
        assert computes_in_bfloat16(torch.device("cpu")) is native
