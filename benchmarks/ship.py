"""Puts a trained model into the package: its files, what is known of it, and what it must answer.

    scripts/bench ship runs/001-best

It goes by the name of its recipe. To keep the test set from choosing, the run that is shipped is
that of seed 0, whatever its figure.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tendigits.atomic import write_bytes, write_json
from tendigits.data import load_mnist
from tendigits.evaluation.measure import answer
from tendigits.evaluation.predict import predict_logits
from tendigits.export import export_onnx
from tendigits.models import count_multiply_adds, count_parameters
from tendigits.registry import INDEX, ShippedModel, folder
from tendigits.weights import MODEL_FILE, load_model

LICENCE = "MIT"
SHIPPED_SEED = 0
GOLDEN = Path(__file__).parent.parent / "tests" / "golden-logits.json"
GOLDEN_COUNT = 20  # of the first test pictures, whose logits the tests know


def ship(run: Path) -> ShippedModel:
    """Copy the model of a run into the package, export it, and return its entry."""
    loaded = load_model(run)
    if loaded.info.seed != SHIPPED_SEED:
        sys.exit(f"{run} has the seed {loaded.info.seed}: what is shipped is seed {SHIPPED_SEED}")
    if loaded.info.train_fingerprint != load_mnist().train.fingerprint():
        sys.exit(f"{run} was trained on {loaded.info.data}: what is shipped knows MNIST only")
    name = loaded.info.recipe
    weights, onnx = folder() / f"{name}.safetensors", folder() / f"{name}.onnx"
    write_bytes(weights, (run / MODEL_FILE if run.is_dir() else run).read_bytes())
    export_onnx(loaded.model, onnx, load_mnist().train.images)
    return ShippedModel(
        name=name,
        seed=loaded.info.seed,
        test_accuracy=answer(weights).evaluate().accuracy,
        parameters=count_parameters(loaded.model),
        multiply_adds=count_multiply_adds(loaded.model),
        licence=LICENCE,
        sha256={
            path.suffix.removeprefix("."): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (weights, onnx)
        },
    )


def golden_logits(model: Path) -> list[list[float]]:
    """Return what a model file answers to the first test pictures, rounded."""
    images = load_mnist().test.images[:GOLDEN_COUNT]
    return [
        [round(logit, 4) for logit in row]
        for row in predict_logits(load_model(model).model, images).tolist()
    ]


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_bytes())


def main() -> None:
    """Ship the runs that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    index = folder() / INDEX
    entries = {entry["name"]: entry for entry in read_json(index)}
    golden = read_json(GOLDEN)
    for run in parser.parse_args().runs:
        shipped = ship(run)
        entries[shipped.name] = asdict(shipped)
        golden[shipped.name] = golden_logits(folder() / f"{shipped.name}.safetensors")
        print(shipped)
    write_json(index, [entries[name] for name in sorted(entries)])
    write_json(GOLDEN, dict(sorted(golden.items())))


if __name__ == "__main__":
    main()
