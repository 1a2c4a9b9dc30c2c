"""Makes lines for the line network to learn from, once, as it will see them.

    python -m benchmarks.line_pool --out /tmp/pool --shards 10

Digits of MNIST's training part (without those held out) are written and put on paper, and what
comes out goes through the ground and the lines that a user's picture goes through. A shard is an
``.npz`` file with some thousands of lines; each is made from its number alone.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.data import Digits, load_mnist
from tendigits.data.ductus import write_digits
from tendigits.data.lines import Line, make_lines
from tendigits.data.rare_forms import make_rare
from tendigits.data.words import make_words
from tendigits.reading.canvas import MARGIN, SCALE, Canvas, lay_out
from tendigits.reading.ground import find_ink
from tendigits.reading.segment import Line as FoundLine
from tendigits.reading.segment import find_lines

HELD_OUT = 5_000  # of MNIST's training digits, whose lines calibrate
SHARD = 2_000  # lines
RARE_SHARE = 0.1  # of digits are joined by one of a form that is rare in MNIST, where there is one
WRITTEN_SHARE = 0.15  # of their number are joined that were written stroke by stroke
HELD_OUT_SEEDS = 1_000_000  # from here on: strokes that calibrate are none that anything learnt
BY_ONE = 0.25  # of lines are written by one person, all digits of a class in one form
WORDS_SHARE = 0.08  # of lines that are words: their text is empty
LEAST_SEEN = 0.6  # of a digit's box on the line that was found, or its text is not what it says


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """A line as the network sees it.

    Attributes:
        canvas: (2, 40, W) uint8.
        text: Its digits.
        places: (L,) float32: the column in the middle of each digit.
    """

    canvas: Canvas
    text: str
    places: NDArray[np.float32]


def make_sheets(
    count: int, *, seed: int, held_out: bool = False, by_one: float = BY_ONE
) -> Iterator[Sheet]:
    """Make lines and find them again; those that are not found whole are left out."""
    digits = digits_to_write(seed, held_out=held_out)
    words = make_words(round(WORDS_SHARE * count), seed=seed)
    for line in chain(make_lines(digits, count, seed=seed, by_one=by_one), words):
        found = find_lines(find_ink(line.picture), one=True)
        if found and is_whole(line, found[0]):
            yield Sheet(canvas=lay_out(found[0]), text=line.text, places=places_on(line, found[0]))


def digits_to_write(seed: int, *, held_out: bool) -> Digits:
    """Return MNIST's training digits that lines are written with, rare forms, and other hands'.

    Args:
        seed: Fixes what is written stroke by stroke.
        held_out: The digits that are held out, which calibrate, instead of the others.
    """
    train, held = load_mnist().train.hold_out(HELD_OUT)
    digits = held if held_out else train
    chosen = np.random.default_rng(0).permutation(len(digits))[: round(RARE_SHARE * len(digits))]
    seed += HELD_OUT_SEEDS if held_out else 0
    made = write_digits(round(WRITTEN_SHARE * len(digits)), seed)
    return digits.join(make_rare(digits.take(chosen), seed=0)).join(made)


def is_whole(line: Line, found: FoundLine) -> bool:
    """Say whether most of every digit lies on the line that was found."""
    high, wide = found.mask.shape
    left, top, right, bottom = found.box_in_picture(0, 0, wide, high)
    for x, y, far, low in line.boxes:
        across = max(0, min(far, right) - max(x, left))
        down = max(0, min(low, bottom) - max(y, top))
        if across * down < LEAST_SEEN * (far - x) * (low - y):
            return False
    return True


def places_on(line: Line, found: FoundLine) -> NDArray[np.float32]:
    """Return the column on the network's sheet of the middle of each digit, (L,)."""
    boxes = np.array(line.boxes, np.float64).reshape(-1, 4)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    back = np.asarray(cv2.invertAffineTransform(found.matrix))
    return np.asarray(SCALE * (middles @ back[0, :2] + back[0, 2]) + MARGIN, np.float32)


def write_shard(path: Path, sheets: list[Sheet]) -> None:
    """Write lines side by side."""
    draft = path.with_suffix(".part.npz")
    np.savez(
        draft,
        pixels=np.concatenate([sheet.canvas for sheet in sheets], axis=2),
        widths=np.array([sheet.canvas.shape[2] for sheet in sheets]),
        texts=np.array([sheet.text for sheet in sheets]),
        places=np.concatenate([sheet.places for sheet in sheets]),
    )
    draft.rename(path)


def read_shard(path: Path) -> list[Sheet]:
    """Return the lines of a shard."""
    with np.load(path) as saved:
        pixels = saved["pixels"]
        texts = [str(text) for text in saved["texts"]]
        cuts = np.cumsum(saved["widths"])[:-1]
        places = np.split(saved["places"], np.cumsum([len(text) for text in texts])[:-1])
    parts = np.split(pixels, cuts, axis=2)
    return [
        Sheet(canvas=part, text=text, places=place)
        for part, text, place in zip(parts, texts, places, strict=True)
    ]


def main() -> None:
    """Make the shards that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--shards", type=int, default=15)
    parser.add_argument("--first", type=int, default=0, help="shard")
    parser.add_argument("--held-out", action="store_true", help="of digits that are held out")
    parser.add_argument("--by-one", type=float, default=BY_ONE, help="share of lines by one person")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    seed = 5_000 if arguments.held_out else 1_000
    for number in range(arguments.first, arguments.first + arguments.shards):
        path = arguments.out / f"{number:03d}.npz"
        if not path.exists():
            sheets = make_sheets(
                SHARD,
                seed=seed + number,
                held_out=arguments.held_out,
                by_one=arguments.by_one,
            )
            made = list(sheets)
            write_shard(path, made)
            print(path, len(made), flush=True)


if __name__ == "__main__":
    main()
