"""Several views of a picture: what they are, the mean of the answers, saved, exported, trained."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from runs import QUICK, settings
from tendigits.data import Digits, DigitSet
from tendigits.evaluation.metrics import evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.export import export_onnx, run_onnx
from tendigits.models import (
    CompactConfig,
    Views,
    ViewsConfig,
    build_model,
    config_from_dict,
    config_to_dict,
    count_multiply_adds,
    count_parameters,
)
from tendigits.models.views import spread_evenly, view_places
from tendigits.training.run import start_run
from tendigits.weights import ModelInfo, load_model, save_model

SMALL = CompactConfig(channels=(4, 8, 8))
CONFIG = ViewsConfig(network=SMALL, count=3)


@pytest.fixture
def model() -> Views:
    torch.manual_seed(0)
    built = build_model(CONFIG).eval()
    assert isinstance(built, Views)
    return built


def test_the_answer_is_the_mean_probability_over_the_views(model: Views) -> None:
    images = torch.rand(5, 1, 28, 28)
    with torch.inference_mode():
        seen = [
            functional.grid_sample(images, place.expand(5, -1, -1, -1), align_corners=False)
            for place in view_places(3)
        ]
        mean = torch.stack([model.network(view).softmax(1) for view in seen]).mean(0)
        found = model(images)
    assert torch.allclose(found.softmax(1), mean, atol=1e-6)
    assert torch.allclose(found.exp().sum(1), torch.tensor(1.0), atol=1e-5)
    assert (seen[0] - seen[1]).abs().max() > 0.1


def test_training_is_of_the_network_alone(model: Views) -> None:
    images = torch.rand(4, 1, 28, 28)
    model.train()
    torch.testing.assert_close(model(images), model.network(images))


def test_views_are_spread_over_all_that_training_does() -> None:
    points = spread_evenly(64, 6)
    assert points.shape == (64, 6)
    assert points.abs().max() <= 1
    assert points.mean(0).abs().max() < 0.1
    assert torch.all((points < 0).float().mean(0).sub(0.5).abs() < 0.1)
    torch.testing.assert_close(view_places(8), view_places(8))


def test_every_view_costs_the_work_of_the_network(model: Views) -> None:
    assert count_multiply_adds(model) == 3 * count_multiply_adds(model.network)
    assert count_parameters(model) == count_parameters(model.network)


def test_settings_come_back_from_json() -> None:
    assert config_from_dict(json.loads(json.dumps(config_to_dict(CONFIG)))) == CONFIG


@pytest.mark.parametrize("count", [0, -1, 65, 10**12])
def test_no_views_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 64"):
        build_model(replace(CONFIG, count=count))


def test_views_of_views_are_refused() -> None:
    with pytest.raises(ValueError, match="looks once"):
        build_model(ViewsConfig(network=CONFIG, count=2))


def test_a_model_file_keeps_its_views(model: Views, tmp_path: Path) -> None:
    info = ModelInfo(recipe="best", seed=0, data="mnist", train_fingerprint="ab")
    save_model(tmp_path / "views.safetensors", model, CONFIG, info)
    loaded = load_model(tmp_path / "views.safetensors")
    images = torch.rand(3, 1, 28, 28)
    assert loaded.config == CONFIG
    with torch.inference_mode():
        torch.testing.assert_close(loaded.model(images), model(images))


def test_the_views_are_part_of_what_is_exported(
    model: Views, few_digits: DigitSet, tmp_path: Path
) -> None:
    images = few_digits.test.images[:50]
    export_onnx(model, tmp_path / "views.onnx", images)
    exported = run_onnx(tmp_path / "views.onnx", images)
    assert np.abs(exported - predict_logits(model, images)).max() < 1e-4
    assert run_onnx(tmp_path / "views.onnx", images[:1]).shape == (1, 10)


@pytest.mark.usefixtures("small_set")
def test_a_run_ends_with_the_views_of_its_recipe(tmp_path: Path, few_digits: DigitSet) -> None:
    recipe = replace(QUICK, model=SMALL, views=2)
    result = start_run(settings(recipe, hold_out=500), tmp_path)
    loaded = load_model(result.folder)
    assert loaded.config == ViewsConfig(network=SMALL, count=2)
    test: Digits = few_digits.test
    again = evaluate_logits(predict_logits(loaded.model, test.images), test.labels)
    assert again.accuracy == result.test.accuracy
    alone = start_run(settings(replace(recipe, views=1), hold_out=500), tmp_path)
    network = loaded.model.get_submodule("network").state_dict()
    for name, tensor in load_model(alone.folder).model.state_dict().items():
        assert torch.equal(tensor, network[name])  # training does not know of the views
