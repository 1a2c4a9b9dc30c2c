"""Pieces of mail whose code a stub reads off six pixels, so that tests of sorting are quick."""

import csv
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tendigits.results import Field, Page
from tendigits.sorting.readers import Reading
from tendigits.sorting.route import Sorting

PLAN = "prefix,bin\n9,west\n941,city\n1,east\n"


class StubReader:
    """Reads five digits off five pixels, and off the sixth whether it is sure."""

    def read_pixels(self, pixels: NDArray[np.uint8]) -> Page:
        """Return the page."""
        *digits, sure = (int(value) // 20 for value in pixels[0])
        field = Field(
            text="".join(map(str, digits)),
            confidence=0.99 if sure else 0.5,
            accepted=bool(sure),
            box=(0, 0, 6, 1),
            digits=(),
        )
        return Page(fields=(field,), width=6, height=1)


@dataclass(frozen=True, kw_only=True)
class StubReading(Reading):
    """How the stub reads."""

    def make_reader(self) -> Any:
        """Return the stub."""
        return StubReader()

    def identity(self) -> str:
        """Return its name."""
        return "stub"


def write_piece(path: Path, code: str, *, sure: bool = True) -> None:
    """Write a piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = [20 * int(digit) for digit in code] + [20 * sure]
    Image.fromarray(np.array([values], np.uint8)).save(path)


def make_sorting(folder: Path, **settings: Any) -> Sorting:
    """Write a plan and eight pieces, of all kinds, and return how they are sorted."""
    write_piece(folder / "mail/1.png", "94110")
    write_piece(folder / "mail/2.png", "90210")
    write_piece(folder / "mail/3.png", "10001")
    write_piece(folder / "mail/4.png", "55555")  # in no bin of the plan
    write_piece(folder / "mail/5.png", "94111", sure=False)
    write_piece(folder / "mail/tray/1.png", "94112")
    write_piece(folder / "mail/tray/2.png", "94113", sure=False)
    (folder / "mail/broken.png").write_bytes(b"no picture")
    (folder / "plan.csv").write_text(PLAN)
    return Sorting(
        folder=folder / "mail",
        plan=folder / "plan.csv",
        out=folder / "sorted",
        reading=StubReading(),
        readers=0,
        **settings,
    )


WHERE = {
    "city": {"1.png", "tray/1.png"},
    "west": {"2.png"},
    "east": {"3.png"},
    "unrouted": {"4.png"},
    "review": {"5.png", "tray/2.png"},
    "unreadable": {"broken.png"},
}


def found_in(out: Path) -> dict[str, set[str]]:
    """Return the pictures in each bin."""
    bins = [path for path in out.iterdir() if path.is_dir()]
    return {
        each.name: {str(path.relative_to(each)) for path in each.rglob("*") if path.is_file()}
        for each in bins
    }


def ledger_lines(out: Path) -> list[dict[str, str]]:
    """Return the lines of `ledger.csv`."""
    with (out / "ledger.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def most_often(out: Path) -> int:
    """Return how often the piece is in the ledger that is there most often."""
    return max(Counter((line["picture"], line["sha256"]) for line in ledger_lines(out)).values())


def clear(folder: Path) -> None:
    """Remove what a sorting wrote."""
    shutil.rmtree(folder / "sorted", ignore_errors=True)
