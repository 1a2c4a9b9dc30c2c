"""Puts a trained model into the package: its files, and what is known of it.

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

from tendigits.atomic import write_bytes, write_json
from tendigits.data import load_mnist
from tendigits.evaluation.measure import answer
from tendigits.export import export_onnx
from tendigits.models import count_multiply_adds, count_parameters
from tendigits.registry import INDEX, ShippedModel, folder
from tendigits.weights import MODEL_FILE, load_model

LICENCE = "MIT"
SHIPPED_SEED = 0


def ship(run: Path) -> ShippedModel:
    """Copy the model of a run into the package, export it, and return its entry."""
    loaded = load_model(run)
    if loaded.info.seed != SHIPPED_SEED:
        sys.exit(f"{run} has the seed {loaded.info.seed}: what is shipped is seed {SHIPPED_SEED}")
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


def main() -> None:
    """Ship the runs that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    index = folder() / INDEX
    entries = {entry["name"]: entry for entry in json.loads(index.read_bytes())}
    for run in parser.parse_args().runs:
        shipped = ship(run)
        entries[shipped.name] = asdict(shipped)
        print(shipped)
    write_json(index, [entries[name] for name in sorted(entries)])


if __name__ == "__main__":
    main()
