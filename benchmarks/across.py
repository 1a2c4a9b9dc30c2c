"""How well models read what is not MNIST: other people's digits, or corrupted ones.

    scripts/bench across MODEL... --data FOLDER
    scripts/bench across MODEL... --corruptions

A model is a model file or a run folder. `--data` is the folder that `benchmarks/foreign.py` reads;
`--corruptions` measures on MNIST's test digits as they are and with each corruption of MNIST-C.
Nothing is chosen by these figures.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.foreign import read_sets
from benchmarks.results import summarise, write_results
from tendigits.data import Digits, load_mnist
from tendigits.data.corruptions import CORRUPTIONS, make_corrupted
from tendigits.evaluation.metrics import evaluate_logits
from tendigits.evaluation.predict import predict_logits
from tendigits.weights import MODEL_FILE, load_model

SEED = 0  # of the corruptions
UNCHANGED = "none"  # the corruption that is none


def foreign_digits(folder: Path) -> Iterator[tuple[str, Digits]]:
    """Yield MNIST's test digits and every set in `folder`, in MNIST form, by name."""
    yield "mnist", load_mnist().test
    for foreign in read_sets(folder):
        yield foreign.name, foreign.to_digits()


def corrupted_digits() -> Iterator[tuple[str, Digits]]:
    """Yield MNIST's test digits as they are and with every corruption, by its name."""
    test = load_mnist().test
    yield UNCHANGED, test
    for name in CORRUPTIONS:
        images = make_corrupted(test.images, name, SEED)
        yield name, Digits(images=images, labels=test.labels)


def measure(model: nn.Module, name: str, digits: Digits) -> dict[str, Any]:
    """Return a model's figures on one set."""
    evaluation = evaluate_logits(predict_logits(model, digits.images), digits.labels)
    return {
        "name": name,
        "accuracy": evaluation.accuracy,
        "errors": evaluation.errors,
        "count": evaluation.count,
        "error_interval": list(evaluation.error_interval),
    }


def describe(row: dict[str, Any]) -> str:
    """Return the figures of one set in a line."""
    low, high = row["error_interval"]
    return (
        f"{row['name']:17} {row['accuracy']:7.2%}  {row['errors']:5} errors of {row['count']:6,}, "
        f"95 % interval of the error rate {low:.2%} to {high:.2%}"
    )


def name_of(path: Path) -> str:
    """Return what the results of a model are called: its file's name, or its run folder's."""
    path = path.parent if path.name == MODEL_FILE else path
    return path.resolve().name.removesuffix(".safetensors")


def main() -> None:
    """Measure every model on every set, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="FOLDER", help="folder of other sets")
    what.add_argument("--corruptions", action="store_true", help="MNIST's test digits, corrupted")
    arguments = parser.parse_args()
    models = {name_of(path): load_model(path).model for path in arguments.models}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in models}
    sets = corrupted_digits() if arguments.corruptions else foreign_digits(arguments.data)
    for set_name, digits in sets:
        for name, model in models.items():
            rows[name].append(measure(model, set_name, digits))
            print(f"{name:20} {describe(rows[name][-1])}", flush=True)
    kind, option = ("corruptions", "") if arguments.corruptions else ("across", " FOLDER")
    flag = "--corruptions" if arguments.corruptions else "--data"
    for name, figures in rows.items():
        write_results(f"{kind}-{name}", f"scripts/bench across {name} {flag}{option}", figures)
        mean = summarise(row["accuracy"] for row in figures[1:]).mean
        print(f"{name:20} {'mean without ' + figures[0]['name']:17} {mean:7.2%}")


if __name__ == "__main__":
    main()
