"""How well real pictures are read: fields, digits, the sure half, milliseconds.

    scripts/bench reading --data FOLDER --mistakes mistakes.html

FOLDER is a set, or holds sets. A set is a folder with a CSV file that has a column ``file`` and one
of ``text`` (one field in a picture), ``label`` (one digit) or ``lines`` (several, divided by |).
None of them trains or tunes anything.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mistakes import write_mistakes
from benchmarks.results import write_results
from tendigits.errors import DataNotFoundError
from tendigits.reading import Reader
from tendigits.reading.classifier import DEFAULT
from tendigits.reading.line_network import SHIPPED
from tendigits.reading.weights import FITTED, load_weights
from tendigits.results import Page

# And what the reader is told to expect: fields, and the format of each.
COLUMNS = {"text": ("one", None), "label": ("one", "digits:1"), "lines": ("lines", None)}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture and what is on it, lines divided by a line break."""

    path: Path
    text: str


@dataclass(frozen=True, kw_only=True)
class RealSet:
    """Pictures whose text is known.

    Attributes:
        name: Of the folder, and of the CSV file where that has a name of its own.
        fields: ``"one"`` or ``"lines"``, for the reader.
        format: What every field keeps to, for the reader; None for any digits.
        samples: The pictures.
    """

    name: str
    fields: str
    format: str | None
    samples: list[Sample]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was read off a sample."""

    sample: Sample
    page: Page
    seconds: float

    @property
    def is_right(self) -> bool:
        """Every digit of every line."""
        return self.page.text == self.sample.text


def find_sets(folder: Path) -> Iterator[RealSet]:
    """Yield the sets in a folder and in its sub-folders, by name."""
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*/*.csv")]):
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        column = next((name for name in COLUMNS if rows and name in rows[0]), None)
        if column is None or "file" not in rows[0]:
            continue
        samples = [
            Sample(path=path.parent / row["file"], text=row[column].replace("|", "\n"))
            for row in rows
        ]
        place = path.parent.name
        name = place if path.stem == "labels" else f"{place}/{path.stem}"
        fields, form = COLUMNS[column]
        yield RealSet(name=name, fields=fields, format=form, samples=samples)
        lengths = {len(sample.text) for sample in samples}
        if column == "text" and len(lengths) == 1:  # as whoever reads postcodes knows
            form = f"digits:{lengths.pop()}"
            yield RealSet(name=f"{name} as {form}", fields=fields, format=form, samples=samples)


def read_set(real: RealSet, reader: Reader) -> list[Outcome]:
    """Read every picture of a set; the first is read twice, to warm up."""
    reader.read(real.samples[0].path)
    outcomes = []
    for sample in real.samples:
        start = time.perf_counter()
        page = reader.read(sample.path)
        seconds = time.perf_counter() - start
        outcomes.append(Outcome(sample=sample, page=page, seconds=seconds))
    return outcomes


def edits(found: str, text: str) -> int:
    """Return how many digits to insert, remove or change (Levenshtein, 1966)."""
    row = list(range(len(text) + 1))
    for place, letter in enumerate(found, 1):
        diagonal, row[0] = row[0], place
        for column, other in enumerate(text, 1):
            changed = diagonal + (letter != other)
            diagonal = row[column]
            row[column] = min(changed, row[column] + 1, row[column - 1] + 1)
    return row[-1]


def summarise_set(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the figures of a set."""
    right = np.array([outcome.is_right for outcome in outcomes])
    surest = np.argsort([-outcome.page.confidence for outcome in outcomes], kind="stable")
    half = surest[: max(1, len(surest) // 2)]
    accepted = np.array([outcome.page.accepted for outcome in outcomes])
    wrong_digits = sum(edits(outcome.page.text, outcome.sample.text) for outcome in outcomes)
    digits = sum(len(outcome.sample.text) for outcome in outcomes)
    return {
        "set": name,
        "count": len(outcomes),
        "fields_right": round(float(right.mean()), 4),
        "digits_right": round(1 - wrong_digits / digits, 4),
        "surest_half_right": round(float(right[half].mean()), 4),
        "accepted": round(float(accepted.mean()), 4),
        "accepted_right": round(float(right[accepted].mean()), 4) if accepted.any() else None,
        "too_many": round(_share(outcomes, 1), 4),
        "too_few": round(_share(outcomes, -1), 4),
        "median_ms": round(1e3 * float(np.median([outcome.seconds for outcome in outcomes])), 2),
        "curve": _curve(right[surest]),
    }


def _share(outcomes: list[Outcome], sign: int) -> float:
    """Return the share of pictures with too many digits read (1), or too few (-1)."""
    differences = [len(outcome.page.text) - len(outcome.sample.text) for outcome in outcomes]
    return float(np.mean([sign * difference > 0 for difference in differences]))


def _curve(right: Any) -> list[list[float]]:
    """Return the reject curve: share accepted, and share of these that is right."""
    counts = [max(1, round(len(right) * share / 20)) for share in range(1, 21)]
    return [[round(n / len(right), 3), round(float(right[:n].mean()), 4)] for n in counts]


def main() -> None:
    """Read every set, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    parser.add_argument("--model", default=DEFAULT, help="a model's name, or an ONNX file")
    parser.add_argument("--weights", type=Path, default=FITTED, help="fitted with the model")
    parser.add_argument("--line-network", type=Path, default=SHIPPED, help="an ONNX file")
    parser.add_argument("--cuts-only", action="store_true", help="without a line network")
    parser.add_argument("--threads", type=int, default=1, help="of each network; 0 for one a core")
    parser.add_argument("--only", help="the set with this name")
    parser.add_argument("--limit", type=int, help="pictures of each set, evenly spaced")
    parser.add_argument("--mistakes", type=Path, help="HTML page of the worst mistakes to write")
    parser.add_argument("--dry", action="store_true", help="write no results file")
    arguments = parser.parse_args()
    rows, pages = [], {}
    for real in find_sets(arguments.data):
        if arguments.only not in (None, real.name):
            continue
        step = max(1, len(real.samples) // (arguments.limit or len(real.samples)))
        some = replace(real, samples=real.samples[::step])
        reader = Reader(
            arguments.model,
            fields="one" if real.fields == "one" else "lines",
            format=real.format,
            weights=load_weights(arguments.weights),
            line_network=None if arguments.cuts_only else arguments.line_network,
            threads=arguments.threads,
        )
        outcomes = read_set(some, reader)
        rows.append(summarise_set(real.name, outcomes))
        pages[real.name] = [outcome for outcome in outcomes if not outcome.is_right]
        print({key: value for key, value in rows[-1].items() if key != "curve"}, flush=True)
    if not rows:
        raise DataNotFoundError(f"{arguments.data}: there is no set here: expected a labels.csv")
    if arguments.mistakes:
        write_mistakes(
            arguments.mistakes,
            {
                name: [(wrong.sample.path, wrong.sample.text, wrong.page) for wrong in found]
                for name, found in pages.items()
            },
        )
    if not arguments.dry:
        write_results("reading", "scripts/bench reading --data FOLDER", rows)


if __name__ == "__main__":
    main()
