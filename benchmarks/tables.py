"""The tables of README and docs, written from results files so that no figure is typed by hand.

A document names a table between two comments; `python -m benchmarks.tables` fills them all in, and
`--check` fails where a document differs from its results.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.results import Summary, read_results, read_runs, summarise
from tendigits.training.recipe import RECIPES

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "docs/*.md", "MODEL_CARD.md")
MARKED = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def source(name: str) -> str:
    """Return the line that says where the figures of `name` come from."""
    results = read_results(name)
    if results is None:
        raise FileNotFoundError(f"benchmarks/results/{name}.json: run scripts/bench first")
    environment: dict[str, Any] = results["environment"]
    return (
        f"`{results['command']}`, {results['date']}, {environment['processor']}, "
        f"{environment['cores']} cores, torch {environment['packages']['torch']}"
    )


def column(name: str, field: str) -> Summary:
    """Return the summary of a field over the runs of `name`."""
    return summarise(run[field] for run in read_runs(name))


def recipes_table() -> str:
    """Return what each recipe reaches over its seeds."""
    measured = [recipe for recipe in RECIPES if read_results(f"recipe-{recipe}")]
    rows = []
    for recipe in measured:
        accuracy = column(f"recipe-{recipe}", "test_accuracy")
        seconds = column(f"recipe-{recipe}", "train_seconds")
        memory = column(f"recipe-{recipe}", "peak_memory_mb")
        rows.append(
            [
                f"`{recipe}`",
                f"{accuracy.mean:.2%}",
                f"{accuracy.deviation:.2%}",
                f"{accuracy.least:.2%}",
                str(accuracy.count),
                f"{seconds.mean:.3g} ± {seconds.deviation:.2g}",
                f"{memory.most:.0f} MB",
            ]
        )
    head = ["recipe", "test accuracy, mean", "sd", "worst seed", "seeds", "seconds", "peak memory"]
    sources = "".join(f"- {source(f'recipe-{recipe}')}\n" for recipe in measured)
    return f"{markdown(head, rows)}\n{sources}"


def costs_table() -> str:
    """Return the figures that are not accuracies."""
    ratio = column("epoch", "ratio")
    kills = read_runs("kills")
    same = sum(run["same_weights"] for run in kills)
    inside = sum(run["inside_a_save"] for run in kills)
    rows = [
        [
            "seconds of an `article-cnn` epoch, ÷ those of a plain torch `DataLoader` loop",
            f"{ratio.mean:.2f} (sd {ratio.deviation:.2f}, n = {ratio.count})",
            source("epoch"),
        ],
        [
            "trainings that ended with the same weights after a SIGKILL at a random instant, "
            f"{inside} of them inside a save",
            f"{same} of {len(kills)}",
            source("kills"),
        ],
    ]
    for option in ("--help", "--version"):
        seconds = column("startup", option)
        rows.append(
            [
                f"seconds of `tendigits {option}`",
                f"{seconds.mean:.2f} (most {seconds.most:.2f}, n = {seconds.count})",
                source("startup"),
            ]
        )
    return markdown(["what", "measured", "how"], rows)


TABLES: dict[str, Callable[[], str]] = {"recipes": recipes_table, "costs": costs_table}


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


if __name__ == "__main__":
    main()
