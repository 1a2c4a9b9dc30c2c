"""Makes a day of mail: `mail/`, pictures of handwritten US ZIP codes on envelopes, and `truth.csv`.

python examples/make_mail.py mail --count 2000

Each piece is what a sorter's camera delivers once it has found the code: the code with what is
around it, a piece of the street above, the postmark's waves, the edge of a window. The code is
written by one hand each, with test digits of MNIST, which no shipped model has learned from.
"""

import argparse
import csv
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tendigits import load_mnist
from tendigits.data import Digits
from tendigits.data.lines import Hand, sample_hand, write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.data.words import write_word

Ink = NDArray[np.float32]
Random = np.random.Generator
Box = tuple[int, int, int, int]

SIZE = (420, 940)  # pixels: height and width of an envelope, about 4 a millimetre
WINDOWS = 0.2  # share of envelopes with a window
WINDOW = (330, 180, 880, 380)  # left, top, right, bottom
POSTMARKS = 0.25  # share of postmarks that reach down into the address
QUALITY = 85  # of the JPEG files


@dataclass(frozen=True, kw_only=True, eq=False)
class Envelope:
    """An envelope.

    Attributes:
        picture: (H, W) or (H, W, 3) uint8.
        code: What is written on it.
        box: Around the code, in pixels: left, top, right, bottom.
        height: Of its digits, in pixels.
    """

    picture: NDArray[np.uint8]
    code: str
    box: Box
    height: float


def make_envelope(digits: Digits, random: Random) -> Envelope:
    """Address an envelope with five of the digits, stamp it, and photograph it."""
    hand = choose_hand(random)
    ink = np.zeros(SIZE, np.float32)
    has_window = bool(random.random() < WINDOWS)
    written = digits.take(random.integers(len(digits), size=5))
    box = write_address(ink, written, hand, random)
    write_sender(ink, random)
    draw_stamp(ink, random)
    draw_postmark(ink, random)
    picture = put_on_paper(ink, choose_paper(random), random)
    if has_window:
        picture = cut_window(picture, random)
    code = "".join(map(str, written.labels.tolist()))
    return Envelope(picture=picture, code=code, box=box, height=hand.height)


def cut_region(envelope: Envelope, random: Random) -> NDArray[np.uint8]:
    """Return the code with its surroundings, as a camera delivers it, (H, W) or (H, W, 3) uint8."""
    around = (random.uniform([0.5, 0.4, 0.6, 0.4], [1.0, 1.0, 2.0, 1.1]) * envelope.height).astype(
        int
    )
    left, top, right, bottom = envelope.box
    rows = slice(max(top - around[1], 0), bottom + around[3])
    return envelope.picture[rows, max(left - around[0], 0) : right + around[2]]


def choose_hand(random: Random) -> Hand:
    """Return a hand that writes as people do on envelopes: apart or just touching, no commas."""
    return replace(
        sample_hand(random),
        height=float(random.uniform(24, 40)),
        gap=float(random.uniform(0.04, 0.35)),
        climb=float(random.normal(0, 0.025)),
        marks=0.0,
    )


def choose_paper(random: Random) -> Paper:
    """Return white, cream or brown paper with dark ink, in a sorter's even light."""
    ground = float(random.choice([0.95, 0.88, 0.7]))
    return Paper(
        ground=ground,
        ink=float(random.uniform(0.08, 0.3)),
        colour=bool(random.random() < 0.3),
        shade=float(random.uniform(0, 0.15)),
        blur=float(random.uniform(0.3, 1.0)),
        grain=float(random.uniform(0.005, 0.025)),
        fade=float(random.choice([0.0, random.uniform(0, 0.3)])),
    )


def write_address(ink: Ink, digits: Digits, hand: Hand, random: Random) -> Box:
    """Write name, street, town and code, in place; returns the box around the code."""
    height = hand.height
    left, top = int(random.integers(345, 400)), int(random.integers(190, 215))
    for place in range(2):
        x = left
        for _ in range(2):
            word = trim(write_word(hand, random))
            lay(ink, word, x, int(top + 1.6 * place * height), 250)
            x += word.shape[1] + int(0.8 * height)
    base = int(top + 3.4 * height)
    town = trim(write_word(hand, random))[:, :170]
    lay(ink, town, left, base, 170)
    code, boxes = write(digits, hand, random)
    x = left + town.shape[1] + int(random.uniform(1.6, 2.4) * height)
    y = base - boxes[0][1]
    lay(ink, code, x, y, SIZE[1] - x)
    return (
        x + min(box[0] for box in boxes),
        y + min(box[1] for box in boxes),
        x + max(box[2] for box in boxes),
        y + max(box[3] for box in boxes),
    )


def write_sender(ink: Ink, random: Random) -> None:
    """Write three lines of the sender's into the corner, in place."""
    hand = replace(choose_hand(random), height=13.0)
    for place in range(3):
        lay(ink, trim(write_word(hand, random)), 30, 24 + 22 * place, 260)


def draw_stamp(ink: Ink, random: Random) -> None:
    """Stick a stamp into the other corner, in place: perforated, with hills and a sun."""
    height, width = 116, 92
    stamp = np.full((height, width), 0.12, np.float32)
    x = np.arange(width)
    for shade in (0.3, 0.5):
        hills = height * random.uniform(0.5, 0.8) + 9 * np.sin(x / random.uniform(7, 16))
        stamp[np.arange(height)[:, None] > hills] = shade
    sun = (int(random.integers(22, width - 22)), int(random.integers(20, 40)))
    cv2.circle(stamp, sun, 10, 0.55, -1, cv2.LINE_AA)
    stamp[:6], stamp[-6:], stamp[:, :6], stamp[:, -6:] = 0, 0, 0, 0
    for place in range(0, height, 8):
        for edge in (0, width - 1):
            cv2.circle(stamp, (edge, place), 2, 0.35, -1)
    for place in range(0, width, 8):
        for edge in (0, height - 1):
            cv2.circle(stamp, (place, edge), 2, 0.35, -1)
    lay(ink, stamp, SIZE[1] - width - 24, 22, width)


def draw_postmark(ink: Ink, random: Random) -> None:
    """Cancel the stamp, in place: a round postmark with a date, and waves across."""
    mark = np.zeros(SIZE, np.float32)
    low = random.random() < POSTMARKS
    middle = (int(random.integers(690, 740)), int(random.integers(120, 200) if low else 80))
    for radius in (48, 34):
        cv2.circle(mark, middle, radius, 1.0, 2, cv2.LINE_AA)
    for place, words in enumerate(("NOV 26", "AM", "2026")):
        where = (middle[0] - 24, middle[1] - 10 + 14 * place)
        cv2.putText(mark, words, where, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1.0, 1, cv2.LINE_AA)
    x = np.arange(middle[0] + 52, SIZE[1] - 8)
    for place in range(5):
        y = middle[1] - 36 + 18 * place + 5 * np.sin(x / 13)
        points = np.stack([x, y], axis=1).astype(np.int32)
        cv2.polylines(mark, [points], False, 1.0, 2, cv2.LINE_AA)
    worn = random.uniform(0.25, 0.6) * (0.6 + 0.4 * random.random(SIZE, np.float32))
    np.maximum(ink, mark * worn.astype(np.float32), out=ink)


def cut_window(picture: NDArray[np.uint8], random: Random) -> NDArray[np.uint8]:
    """Put a picture behind an envelope with a window, whose film shines a little."""
    left, top, right, bottom = WINDOW
    inside = np.zeros(SIZE, np.float32)
    cv2.rectangle(inside, (left + 14, top), (right - 14, bottom), 1.0, -1)
    cv2.rectangle(inside, (left, top + 14), (right, bottom - 14), 1.0, -1)
    for x in (left + 14, right - 14):
        for y in (top + 14, bottom - 14):
            cv2.circle(inside, (x, y), 14, 1.0, -1, cv2.LINE_AA)
    shadow = cv2.GaussianBlur(inside, (0, 0), 3)
    turn = np.linspace(0, 1, SIZE[1], dtype=np.float32)[None]
    shine = 10 * np.exp(-(((turn - random.uniform(0.3, 1)) / 0.05) ** 2))
    if picture.ndim == 3:
        inside, shadow, shine = inside[..., None], shadow[..., None], shine[..., None]
    seen = picture * (0.75 + 0.25 * shadow) + shine
    return np.asarray((inside * seen + (1 - inside) * picture).clip(0, 255), np.uint8)


def trim(ink: Ink) -> Ink:
    """Return (H, W) ink without what is empty around it."""
    rows, columns = (np.flatnonzero((ink > 0.1).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def lay(ink: Ink, piece: Ink, left: int, top: int, most: int) -> None:
    """Lay ink on a sheet, in place, cut off after `most` pixels and at the sheet's edges."""
    left, top = max(left, 0), max(top, 0)
    place = ink[top : top + piece.shape[0], left : left + min(piece.shape[1], most)]
    np.maximum(place, piece[: place.shape[0], : place.shape[1]], out=place)


def make_mail(digits: Digits, folder: Path, count: int, seed: int) -> None:
    """Write pieces of mail and `truth.csv` into a folder, the same for the same seed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        truth = csv.writer(file, lineterminator="\n")
        truth.writerow(("picture", "code"))
        for number in range(1, count + 1):
            random = np.random.default_rng((seed, number))
            envelope = make_envelope(digits, random)
            name = f"{number:05}.jpg"
            Image.fromarray(cut_region(envelope, random)).save(folder / name, quality=QUALITY)
            truth.writerow((name, envelope.code))


def main() -> None:
    """Make the mail that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("mail"))
    parser.add_argument("--count", type=int, default=2000, help="pieces")
    parser.add_argument("--seed", type=int, default=0, help="fixes everything random")
    arguments = parser.parse_args()
    make_mail(load_mnist().test, arguments.folder, arguments.count, arguments.seed)
    print(f"{arguments.folder}: {arguments.count:,} pieces of mail, and truth.csv")


if __name__ == "__main__":
    main()
