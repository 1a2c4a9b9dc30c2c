"""Several trained networks joined into one model, which answers with the mean of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from tendigits.data import load_mnist
from tendigits.errors import DataFormatError, SettingError
from tendigits.evaluation.confidence import Calibration, calibrate
from tendigits.evaluation.predict import predict_logits
from tendigits.models import EnsembleConfig, build_ensemble
from tendigits.weights import ModelInfo, load_model, save_model

RECIPE = "ensemble"  # under which a combined model goes


def combine_models(
    models: Sequence[Path], out: Path, note: Callable[[str], None] = lambda words: None
) -> Path:
    """Write the ensemble of some models as a model file of its own.

    Args:
        models: At least two model files, run folders or names of shipped models.
        out: The ``.safetensors`` file to write.
        note: Told why the model is not calibrated, where what was held out does not do for that.

    Returns:
        The file that was written.

    Raises:
        SettingError: There are too few models, they were not trained on the same pictures, or `out`
            is no name of a model file.
        WeightsError: A model must not be used.
        OSError: `out` cannot be written.
    """
    if len(models) < 2:
        raise SettingError(f"cannot combine {len(models)} model: expected at least 2")
    if out.suffix != ".safetensors":
        raise SettingError(f"{out} cannot hold a model: expected a name that ends in .safetensors")
    loaded = [load_model(model) for model in models]
    first = loaded[0].info
    for path, member in zip(models, loaded, strict=True):
        seen = (member.info.train_fingerprint, member.info.hold_out)
        if seen != (first.train_fingerprint, first.hold_out):
            raise SettingError(
                f"{path} was not trained on the same pictures as {models[0]}: expected models of "
                "one set with the same pictures held out, so that what they never saw is the same"
            )
    config = EnsembleConfig(members=tuple(member.config for member in loaded))
    ensemble = build_ensemble(config)
    for place, member in enumerate(loaded):
        ensemble.members[place].load_state_dict(member.model.state_dict())
    info = replace(first, recipe=RECIPE)
    try:
        calibration = calibrate_on_mnist(ensemble, info)
    except DataFormatError as error:
        calibration = None
        note(f"the model is not calibrated: {error}")
    save_model(out, ensemble, config, info, calibration)
    return out


def calibrate_on_mnist(model: nn.Module, info: ModelInfo) -> Calibration | None:
    """Return how a model's answers become chances, by the MNIST pictures that were held out of it.

    Args:
        model: The network.
        info: Where its weights come from; those of another set, or that nothing was held out of,
            are not calibrated.

    Raises:
        DataFormatError: As `calibrate`.
    """
    train = load_mnist().train
    if not info.hold_out or info.train_fingerprint != train.fingerprint():
        return None
    _, held_out = train.hold_out(info.hold_out)
    return calibrate(predict_logits(model, held_out.images), held_out.labels)
