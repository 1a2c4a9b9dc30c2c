"""What a threshold buys on MNIST's test digits (`scripts/bench reject_curve`).

Every test digit is read as a picture of one field, as the page reads what is drawn on it. Saved are
the accepted error and the work for people at each threshold, and the histogram of confidences that
the service compares what it reads with. The page and the service take both from the package.
"""

import argparse
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import write_results
from tendigits.atomic import write_json
from tendigits.data import load_mnist
from tendigits.evaluation.metrics import error_interval
from tendigits.reading.classifier import DEFAULT, find_model
from tendigits.reading.reader import Reader
from tendigits.serving.metrics import CURVE, histogram

# Chances of being wrong above which a person looks: 20 steps of each factor of ten.
THRESHOLDS: list[float] = np.round(np.logspace(-3, 0, 61), 6).tolist()


def read_digits(
    images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the confidence of each digit, 0 for one that is not found, and whether it is right."""
    reader = Reader(fields="one", threads=1)
    confidences, correct = np.zeros(len(images)), np.zeros(len(images), np.bool_)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        page = reader.read_pixels(np.pad(255 - image, 4, constant_values=255))
        if page.fields:
            confidences[place] = page.fields[0].confidence
            correct[place] = page.text == str(label)
    return confidences, correct


def measure_thresholds(
    confidences: NDArray[np.float64], correct: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return what each threshold accepts, and how much of that is wrong."""
    rows = []
    for threshold in THRESHOLDS:
        accepted = 1 - confidences <= threshold
        count, errors = int(accepted.sum()), int((accepted & ~correct).sum())
        rows.append(
            {
                "reject_above": threshold,
                "rejected": round(1 - count / len(correct), 6),
                "accepted": count,
                "errors": errors,
                "error": round(errors / count, 6) if count else None,
                "interval": [round(end, 6) for end in error_interval(errors, count)]
                if count
                else None,
            }
        )
    return rows


def main() -> None:
    """Measure, print and save."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    test = load_mnist().test
    confidences, correct = read_digits(test.images, test.labels)
    content = {
        "model": DEFAULT,
        "version": hashlib.sha256(find_model(DEFAULT).read_bytes()).hexdigest()[:12],
        "count": len(correct),
        "histogram": histogram(confidences.tolist()).round(6).tolist(),
        "thresholds": measure_thresholds(confidences, correct),
    }
    write_results("reject_curve", "scripts/bench reject_curve", [content])
    write_json(CURVE, content)
    for row in content["thresholds"][::10]:
        print(row)


if __name__ == "__main__":
    main()
