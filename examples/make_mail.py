"""Makes a day of mail: envelopes with handwritten ZIP codes, from MNIST's test digits.

python examples/make_mail.py mail

Each code is written by one hand, on an envelope with an address, a stamp, and on some a window.
A sorting machine finds the code on the envelope and hands on that part of its picture, so each
piece is the part around the code; `--envelopes` writes the whole envelopes too. `truth.csv` says
what is written on each. Codes, names and streets are drawn by lot.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tendigits import load_mnist
from tendigits.data import Digits
from tendigits.data.lines import Hand, sample_hand, write

PLAN = Path(__file__).parent / "plan.csv"
OUTSIDE = 0.03  # of the pieces go to where the plan has no bin
WINDOWS = 0.3  # of the envelopes have one
HASTY = 0.15  # of the codes are written anyhow; the others so that they can be read

HEIGHT, WIDTH = 440, 760  # pixels of an envelope
LINE = 56  # pixels from one line of the address to the next
HANDS = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
PRINT = cv2.FONT_HERSHEY_SIMPLEX
PAPERS = ((250, 248, 244), (244, 236, 220), (226, 205, 172), (228, 236, 242))  # RGB
PENS = ((30, 30, 36), (28, 40, 112), (20, 30, 70), (70, 64, 60))
STAMPS = ((178, 58, 52), (44, 96, 140), (62, 120, 76), (150, 100, 40))
NAMES = ("A. Morgan", "J. Rivera", "The Okafor family", "L. Chen", "Dr. M. Novak", "S. Haddad")
STREETS = ("Elm St", "Juniper Ave", "Canal Rd", "Second St", "Orchard Lane", "Mill Court")
TOWNS = ("Fairview", "Oakdale", "Riverton", "Milford", "Ashland", "Clayton")

Random = np.random.Generator
Pixels = NDArray[np.uint8]  # (H, W, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Letter:
    """A piece of mail.

    Attributes:
        code: What is written on it.
        envelope: (H, W, 3) uint8, the whole front.
        part: (H, W, 3) uint8, the part around the code.
    """

    code: str
    envelope: NDArray[np.uint8]
    part: NDArray[np.uint8]


def make_mail(count: int, *, seed: int, prefixes: list[str]) -> Iterator[Letter]:
    """Make pieces of mail, the same for the same seed.

    Args:
        count: Of pieces.
        seed: Fixes everything random.
        prefixes: That codes begin with, but for a few.

    Yields:
        The pieces.
    """
    test = load_mnist().test
    places = [np.flatnonzero(test.labels == digit) for digit in range(10)]
    random = np.random.default_rng(seed)
    for _ in range(count):
        code = make_code(prefixes, random)
        digits = test.take(np.array([random.choice(places[int(digit)]) for digit in code]))
        yield make_letter(code, digits, random)


def make_code(prefixes: list[str], random: Random) -> str:
    """Return a ZIP code that begins with one of the prefixes, or now and then with any digits."""
    begin = "" if random.random() < OUTSIDE else str(random.choice(prefixes))
    return begin + "".join(map(str, random.integers(0, 10, 5 - len(begin))))


def make_letter(code: str, digits: Digits, random: Random) -> Letter:
    """Write a code on an envelope and photograph it."""
    sheet = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    sheet[:] = PAPERS[int(random.integers(len(PAPERS)))]
    pen = PENS[int(random.integers(len(PENS)))]
    left, top = int(random.integers(230, 290)), int(random.integers(190, 230))
    if random.random() < WINDOWS:
        draw_window(sheet, left - 28, top - 42, random)
    draw_sender(sheet, random)
    draw_stamp(sheet, random)
    end = draw_address(sheet, left, top, pen, random)
    box = write_code(sheet, digits, (end, top + 2 * LINE + 8), pen, random)
    envelope = photograph(sheet, random)
    return Letter(code=code, envelope=envelope, part=cut(envelope, box, random))


def draw_address(
    sheet: Pixels, left: int, top: int, pen: tuple[int, int, int], random: Random
) -> int:
    """Write a name, a street and a town; returns where the town's line ends, in pixels."""
    number = int(random.integers(1, 1999))
    lines = (
        str(random.choice(NAMES)),
        f"{number} {random.choice(STREETS)}",
        f"{random.choice(TOWNS)},",
    )
    for row, words in enumerate(lines):
        put_words(sheet, words, (left, top + LINE * row), HANDS, 1.0, pen)
    (width, _), _ = cv2.getTextSize(lines[-1], HANDS, 1.0, 2)
    return left + width


def draw_sender(sheet: Pixels, random: Random) -> None:
    """Print the sender in the upper left corner."""
    words = (str(random.choice(NAMES)).upper(), f"PO Box {int(random.integers(10, 999))}")
    for row, line in enumerate(words):
        put_words(sheet, line, (24, 40 + 22 * row), PRINT, 0.5, (90, 90, 96), thick=1)


def draw_stamp(sheet: Pixels, random: Random) -> None:
    """Stick a stamp into the upper right corner, and cancel it."""
    colour = STAMPS[int(random.integers(len(STAMPS)))]
    x, y = WIDTH - 120 + int(random.integers(-6, 7)), 22 + int(random.integers(-6, 7))
    cv2.rectangle(sheet, (x, y), (x + 92, y + 110), (252, 252, 250), -1)
    cv2.rectangle(sheet, (x + 7, y + 7), (x + 85, y + 103), colour, -1)
    for step in range(0, 93, 8):  # the teeth
        for tooth in ((x + step, y), (x + step, y + 110)):
            cv2.circle(sheet, tooth, 2, (150, 145, 138), -1, cv2.LINE_AA)
    for step in range(0, 111, 8):
        for tooth in ((x, y + step), (x + 92, y + step)):
            cv2.circle(sheet, tooth, 2, (150, 145, 138), -1, cv2.LINE_AA)
    cv2.circle(sheet, (x + 46, y + 46), 24, (245, 240, 226), -1, cv2.LINE_AA)
    put_words(sheet, "10", (x + 26, y + 56), PRINT, 0.9, colour)
    across = np.arange(x - 130, x + 60)
    for row in range(5):
        down = y + 30 + 11 * row + 4 * np.sin(across / 9)
        wave = np.stack([across, down], axis=1).astype(np.int32)
        cv2.polylines(sheet, [wave], False, (86, 84, 90), 1, cv2.LINE_AA)


def draw_window(sheet: Pixels, left: int, top: int, random: Random) -> None:
    """Cut a window, behind which the address lies on white paper."""
    corner = (min(left + 470, WIDTH - 16), top + 2 * LINE + 84)
    cv2.rectangle(sheet, (left, top), corner, (250, 250, 248), -1)
    cv2.rectangle(sheet, (left, top), corner, (168, 166, 160), 2, cv2.LINE_AA)
    glare = int(random.integers(left, left + 300))
    cv2.line(
        sheet, (glare, top + 12), (glare + 60, corner[1] - 12), (255, 255, 255), 14, cv2.LINE_AA
    )


def write_code(
    sheet: Pixels,
    digits: Digits,
    place: tuple[int, int],
    pen: tuple[int, int, int],
    random: Random,
) -> tuple[int, int, int, int]:
    """Write a code by one hand, right of what ends at `place`; returns its box in pixels."""
    hand = draw_hand(random)
    ink, boxes = write(digits, hand, random)
    inner_left, inner_top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    inner_right, inner_bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    ink = ink[inner_top:inner_bottom, inner_left:inner_right]
    height, width = ink.shape
    left = min(place[0] + int(hand.height), WIDTH - width - 20)
    top = place[1] - height + 8
    cover = ink[..., None]
    part = sheet[top : top + height, left : left + width]
    part[:] = (part * (1 - cover) + np.float32(pen) * cover).astype(np.uint8)
    return left, top, left + width, top + height


def draw_hand(random: Random) -> Hand:
    """Return the hand of somebody who addresses a letter, mostly with some care."""
    height = float(random.uniform(26, 40))
    if random.random() < HASTY:
        return replace(sample_hand(random), height=height, marks=0.0, european=0.0)
    return Hand(
        height=height,
        slant=float(random.normal(0.12, 0.12)),
        pen=float(random.uniform(0.07, 0.14)),
        gap=float(random.uniform(0.1, 0.4)),
        gap_spread=0.05,
        size_spread=float(random.uniform(0.02, 0.08)),
        drift=float(random.uniform(0, 0.05)),
        climb=float(random.normal(0, 0.02)),
    )


def put_words(
    sheet: Pixels,
    words: str,
    place: tuple[int, int],
    font: int,
    size: float,
    colour: tuple[int, int, int],
    thick: int = 2,
) -> None:
    """Write words on a line that begins at `place`."""
    cv2.putText(sheet, words, place, font, size, colour, thick, cv2.LINE_AA)


def photograph(sheet: Pixels, random: Random) -> NDArray[np.uint8]:
    """Return an envelope as a camera over a belt sees it: light that falls off, blur, grain."""
    y, x = np.ogrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    turn = random.uniform(0, 2 * np.pi)
    light = 1 - random.uniform(0, 0.2) * (1 + np.cos(turn) * x + np.sin(turn) * y) / 2
    blurred = cv2.GaussianBlur(sheet, (0, 0), float(random.uniform(0.4, 0.9)))
    seen = blurred * light[..., None] + random.normal(0, random.uniform(1, 5), sheet.shape)
    return np.asarray(seen.clip(0, 255), np.uint8)


def cut(
    envelope: NDArray[np.uint8], box: tuple[int, int, int, int], random: Random
) -> NDArray[np.uint8]:
    """Return the part of an envelope around a code, cut as closely as a machine does."""
    left, top, right, bottom = box
    room = (random.uniform(0.2, 0.45, 4) * (bottom - top)).astype(int)
    return envelope[
        max(top - room[0], 0) : bottom + room[1], max(left - room[2], 0) : right + room[3]
    ]


def read_prefixes(plan: Path) -> list[str]:
    """Return the prefixes of a plan."""
    from tendigits.sorting.plan import load_plan

    return list(load_plan(plan).bins)


def main() -> None:
    """Write the pieces, and what is on them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pieces go")
    parser.add_argument("--count", type=int, default=2_000, help="pieces")
    parser.add_argument("--seed", type=int, default=0, help="fixes everything random")
    parser.add_argument("--envelopes", type=Path, help="a folder for the whole envelopes")
    arguments = parser.parse_args()
    folders = [arguments.folder, *filter(None, [arguments.envelopes])]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    mail = make_mail(arguments.count, seed=arguments.seed, prefixes=read_prefixes(PLAN))
    with (arguments.folder / "truth.csv").open("w", encoding="ascii", newline="") as file:
        truth = csv.writer(file)
        truth.writerow(("picture", "code"))
        for number, letter in enumerate(mail, 1):
            name = f"{number:06d}.jpg"
            Image.fromarray(letter.part).save(arguments.folder / name, quality=90)
            if arguments.envelopes:
                Image.fromarray(letter.envelope).save(arguments.envelopes / name, quality=90)
            truth.writerow((name, letter.code))


if __name__ == "__main__":
    main()
