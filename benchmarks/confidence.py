"""What a model's confidence is worth: calibration, rejecting, promises, and what is no digit.

    scripts/bench confidence MODEL... --data FOLDER --fashion FOLDER

Only honest for models that were trained with ``--hold-out 5000``: temperature, promise and the
choice of a score rest on these 5,000 digits. The test sets and `TESTING_KINDS` measure only.
FOLDER of ``--data`` holds ``usps/usps.npz`` (`x_test`, `y_test`: 16x16, ink 255); that of
``--fashion`` holds Fashion-MNIST, as in Debian's package dataset-fashion-mnist.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.results import write_results
from tendigits.data import Digits, load_available, load_mnist
from tendigits.data.not_digits import TESTING_KINDS, TRAINING_KINDS, make_not_digits
from tendigits.errors import SettingError
from tendigits.evaluation.confidence import (
    SCORES,
    Calibration,
    calibrated_probs,
    expected_calibration_error,
    fit_temperature,
    margin,
    top_probability,
)
from tendigits.evaluation.metrics import softmax_probs
from tendigits.evaluation.predict import predict_logits
from tendigits.evaluation.reject import risk_at_reject, threshold_for
from tendigits.imaging import to_mnist_form
from tendigits.registry import shipped_models
from tendigits.weights import ModelInfo, load_model

HELD_OUT = 5_000  # pictures
REJECTED = 0.01  # share of real digits
PROMISED_ERRORS = (0.001, 0.002, 0.005)  # among accepted answers
NOT_DIGITS = 2_000  # of each kind
SEED = 0  # of the not-digits
USPS_MARGIN = 4  # pixels around USPS's 16x16, which its digits fill: imaging looks for the ground

Row = dict[str, Any]


def refuse_unless_held_out(info: ModelInfo, train: Digits) -> None:
    """End the program if a model knows the digits of `train` that would calibrate it."""
    if info.train_fingerprint != train.fingerprint():
        sys.exit(f"{info.recipe} was trained on {info.data}: expected MNIST")
    if info.hold_out != HELD_OUT:
        sys.exit(
            f"{info.recipe} was trained with {info.hold_out} digits held out: expected {HELD_OUT}; "
            f"train it with --hold-out {HELD_OUT}"
        )


def load_usps(data: Path) -> Digits:
    """Return USPS's test part in MNIST form."""
    with np.load(data / "usps" / "usps.npz") as arrays:
        images = [to_mnist_form(np.pad(image, USPS_MARGIN)) for image in arrays["x_test"]]
        return Digits(images=np.stack(images), labels=arrays["y_test"].astype(np.uint8))


def measure_calibration(
    logits: NDArray[np.float32], labels: NDArray[np.uint8], calibration: Calibration
) -> Row:
    """Return how well stated chances come true, before and after."""
    before, after = softmax_probs(logits), calibrated_probs(logits, calibration)
    return {
        "what": "calibration",
        **calibration.to_dict(),
        "ece_before": expected_calibration_error(before, labels),
        "ece": expected_calibration_error(after, labels),
        "ece_equal_mass_before": expected_calibration_error(before, labels, equal="mass"),
        "ece_equal_mass": expected_calibration_error(after, labels, equal="mass"),
    }


def measure_promises(
    logits: NDArray[np.float32], labels: NDArray[np.uint8], calibration: Calibration
) -> list[Row]:
    """Return the thresholds of the margin that held-out digits promise, or why they promise none.

    Not of the probability: its order rests on a temperature that was fitted on the same digits.
    """
    confidences, correct = margin(logits, calibration), logits.argmax(axis=1) == labels
    rows: list[Row] = []
    for error in PROMISED_ERRORS:
        try:
            promise = threshold_for(confidences, correct, error)
        except SettingError as reason:
            rows.append({"what": "promise", "error": error, "refused": str(reason)})
        else:
            rows.append({"what": "promise", **promise.to_dict()})
    return rows


def measure_rejecting(
    part: str, logits: NDArray[np.float32], labels: NDArray[np.uint8], calibration: Calibration
) -> Row:
    """Return how often accepted answers are wrong if the least sure hundredth is rejected."""
    correct = logits.argmax(axis=1) == labels
    risk = risk_at_reject(top_probability(logits, calibration), correct, REJECTED)
    errors = int((~correct).sum())
    return {"what": "rejecting", "part": part, "all_errors": errors, **risk.to_dict()}


def measure_not_digits(
    model: nn.Module,
    digits: Digits,
    strangers: dict[str, NDArray[np.uint8]],
    calibration: Calibration,
    part: str,
) -> list[Row]:
    """Return the share of each kind that is rejected where 1 % of real digits is, by each score."""
    known = predict_logits(model, digits.images)
    answers = {kind: predict_logits(model, images) for kind, images in strangers.items()}
    everything = np.ones(len(digits), bool)  # rejecting asks how sure, not how right
    rows = []
    for score, measure in SCORES.items():
        risk = risk_at_reject(measure(known, calibration), everything, REJECTED)
        for kind, logits in answers.items():
            rejected = measure(logits, calibration) < risk.threshold
            row = {"what": "not-digits", "part": part, "score": score, "kind": kind}
            rows.append({**row, "count": len(logits), "rejected_share": float(rejected.mean())})
    return rows


def make_strangers(digits: Digits, kinds: tuple[str, ...]) -> dict[str, NDArray[np.uint8]]:
    """Return pictures of each kind, made from `digits`."""
    return {
        kind: make_not_digits(digits.images, digits.labels, NOT_DIGITS, SEED, (kind,))
        for kind in kinds
    }


def measure(path: Path, data: Path | None, fashion: Path | None) -> tuple[str, list[Row]]:
    """Return the name of a model's recipe and everything that was measured of it."""
    model, _, info, _ = load_model(path)
    mnist = load_mnist()
    refuse_unless_held_out(info, mnist.train)
    _, held_out = mnist.train.hold_out(HELD_OUT)
    logits = predict_logits(model, held_out.images)
    calibration = fit_temperature(logits, held_out.labels)
    test_logits = predict_logits(model, mnist.test.images)
    rows = [measure_calibration(test_logits, mnist.test.labels, calibration)]
    rows += measure_promises(logits, held_out.labels, calibration)
    rows.append(measure_rejecting("mnist test", test_logits, mnist.test.labels, calibration))
    if data:
        usps = load_usps(data)
        usps_logits = predict_logits(model, usps.images)
        rows.append(measure_rejecting("usps test", usps_logits, usps.labels, calibration))
    known = make_strangers(held_out, TRAINING_KINDS)
    rows += measure_not_digits(model, held_out, known, calibration, "held out")
    strangers = make_strangers(mnist.test, TRAINING_KINDS + TESTING_KINDS)
    if fashion:
        strangers["fashion-mnist"] = load_available(fashion).test.images
    rows += measure_not_digits(model, mnist.test, strangers, calibration, "mnist test")
    return info.recipe, rows


def main() -> None:
    """Measure each model, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, help="model files or run folders")
    parser.add_argument("--data", type=Path, help="folder that holds usps/usps.npz")
    parser.add_argument("--fashion", type=Path, help="folder of Fashion-MNIST")
    arguments = parser.parse_args()
    for path in arguments.models:
        recipe, rows = measure(path, arguments.data, arguments.fashion)
        model = recipe if recipe in shipped_models() else f"runs/NNN-{recipe}"
        command = f"scripts/bench confidence {model}"
        command += " --data FOLDER" * bool(arguments.data)
        command += " --fashion FOLDER" * bool(arguments.fashion)
        write_results(f"confidence-{recipe}", command, rows)
        for row in rows:
            print(recipe, row, flush=True)


if __name__ == "__main__":
    main()
