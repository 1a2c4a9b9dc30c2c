"""The tables of README and docs, written from results files so that no figure is typed by hand.

A document names a table between two comments; `python -m benchmarks.tables` fills them all in, and
`--check` fails where a document differs from its results.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.tables import (
    accuracies,
    confidence,
    costs,
    reading,
    review,
    serving,
    sets,
    sorting,
    times,
)

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = ("README.md", "docs/*.md", "MODEL_CARD.md")
MARKED = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)

TABLES: dict[str, Callable[[], str]] = {
    "recipes": accuracies.recipes_table,
    "shipped": accuracies.shipped_table,
    "ensemble": accuracies.ensemble_table,
    "steps": accuracies.steps_table,
    "compare": accuracies.compare_table,
    "across": lambda: sets.models_table("across", "set"),
    "corruptions": lambda: sets.models_table("corruptions", "corruption"),
    "confidence": confidence.confidence_table,
    "costs": costs.costs_table,
    "speed": times.speed_table,
    "latency": times.latency_table,
    "growth": times.growth_table,
    "ladder": times.ladder_table,
    "reading": reading.reading_table,
    "serving": serving.serving_table,
    "review": review.review_table,
    "sorting": sorting.sorting_table,
}


def filled(text: str) -> str:
    """Return a document with every table in it written anew."""
    return MARKED.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}", text)


def main() -> None:
    """Fill in, or check, all documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    arguments = parser.parse_args()
    stale = []
    for document in sorted(path for pattern in DOCUMENTS for path in ROOT.glob(pattern)):
        text = document.read_text("utf-8")
        if filled(text) == text:
            continue
        stale.append(document.relative_to(ROOT))
        if not arguments.check:
            document.write_text(filled(text), "utf-8")
    if stale and arguments.check:
        sys.exit(
            f"tables differ from their results: {', '.join(map(str, stale))}: "
            "python -m benchmarks.tables"
        )
