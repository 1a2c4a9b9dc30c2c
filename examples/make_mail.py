"""Makes mail to sort: what a camera over a belt sees of the line with the code, and the truth.

python examples/make_mail.py mail

A piece is the code in one hand, with what is around it on an envelope: the lower part of the line
of the address above it, now and then the edge of a stamp with its postmark, or a window's frame
and the shine on its film. Digits are of MNIST's test part, which no model has learned from.
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
from tendigits.data.hand import Hand, sample_hand
from tendigits.data.lines import write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.data.words import write_word

PICTURES = "pieces"  # the folder of pictures, beside the truth
TRUTH = "truth.csv"
DIGITS = 5  # of a code
STAMPS, WINDOWS = 0.3, 0.25  # shares of the pieces

Ink = NDArray[np.float32]  # (H, W), 0 to 1
Random = np.random.Generator


@dataclass(frozen=True, kw_only=True, eq=False)
class Mail:
    """A piece of mail.

    Attributes:
        code: What is written on it.
        picture: (H, W) or (H, W, 3) uint8.
        kind: ``plain``, ``stamp`` or ``window``.
    """

    code: str
    picture: NDArray[np.uint8]
    kind: str


def make_mail(count: int, *, seed: int) -> Iterator[Mail]:
    """Make pieces of mail, one after the other, the same for the same seed.

    Args:
        count: Of pieces.
        seed: Fixes everything random.

    Yields:
        The pieces; their codes are equally likely.
    """
    test = load_mnist().test
    random = np.random.default_rng(seed)
    for _ in range(count):
        hand = sample_mail_hand(random)
        digits = test.take(random.integers(len(test), size=DIGITS))
        kind = str(random.choice(["stamp", "window", "plain"], p=[STAMPS, WINDOWS, 0.45]))
        ink, boxes = write(digits, hand, random)
        top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
        ink = surround(ink[max(0, top - 4) : bottom + 4], hand, kind, random)
        picture = put_on_paper(ink, sample_mail_paper(random), random)
        if kind == "window":
            picture = add_window(picture, hand, random)
        yield Mail(code="".join(map(str, digits.labels.tolist())), picture=picture, kind=kind)


def sample_mail_hand(random: Random) -> Hand:
    """Return a hand that writes to be read: of a camera's size, seldom touching."""
    return replace(
        sample_hand(random),
        height=float(random.uniform(28, 60)),
        gap=float(random.uniform(0.02, 0.35)),
        climb=float(random.normal(0, 0.03)),
        broken=0.0,
        marks=0.0,
    )


def sample_mail_paper(random: Random) -> Paper:
    """Return an envelope under the camera's lamp: white, grey or brown, seldom printed."""
    ground = float(random.uniform(0.6, 1.0))
    return Paper(
        ground=ground,
        ink=float(ground * random.uniform(0.05, 0.45)),
        colour=bool(random.random() < 0.15),
        shade=float(random.uniform(0, 0.25)),
        pattern=float(random.choice([0, 0, 0, random.uniform(0.05, 0.25)])),
        blur=float(random.uniform(0.3, 1.0)),
        grain=float(random.uniform(0, 0.03)),
        quality=int(random.choice([0, random.integers(60, 95)])),
    )


def surround(ink: Ink, hand: Hand, kind: str, random: Random) -> Ink:
    """Put a code where it is on an envelope: under the address, and beside a stamp's edge.

    Args:
        ink: The code.
        hand: That wrote it, and the address.
        kind: ``stamp`` for one.
        random: Draws the address, and how much of everything the camera sees.

    Returns:
        (H, W), larger.
    """
    height = int(hand.height)
    margin = int(random.uniform(0.4, 0.9) * height)
    above = write_word(replace(hand, height=0.8 * hand.height), random)
    above = above[np.flatnonzero(above.any(axis=1))]
    above = above[int(random.uniform(0, 0.6) * len(above)) :]  # the camera cuts it
    room = int(2.4 * height) if kind == "stamp" else margin
    width = margin + max(ink.shape[1], above.shape[1]) + room
    gap = int(random.uniform(0.35, 0.7) * height)
    sheet = np.zeros((len(above) + gap + len(ink) + margin, width), np.float32)
    sheet[: len(above), margin : margin + above.shape[1]] = above
    below = sheet[len(above) + gap :][: len(ink), margin : margin + ink.shape[1]]
    np.maximum(below, ink, out=below)
    if kind == "stamp":
        add_stamp(sheet, height, random)
    return sheet


def add_stamp(sheet: Ink, height: int, random: Random) -> None:
    """Stick the lower left corner of a stamp into the upper right one, and cancel it, in place."""
    width = sheet.shape[1]
    left, bottom = width - int(1.1 * height), int(random.uniform(0.7, 1.5) * height)
    cv2.rectangle(sheet, (left, -9), (width + 9, bottom), 0.25, -1)
    tooth = max(2, height // 10)
    for x in range(left, width, 3 * tooth):
        cv2.circle(sheet, (x, bottom), tooth, 0.0, -1, cv2.LINE_AA)
    for y in range(0, bottom, 3 * tooth):
        cv2.circle(sheet, (left, y), tooth, 0.0, -1, cv2.LINE_AA)
    middle = (left - height // 4, bottom - int(random.uniform(0.6, 1.0) * height))
    for radius in (height, int(0.85 * height)):  # the postmark's rings
        cv2.circle(sheet, middle, radius, 0.5, max(1, height // 30), cv2.LINE_AA)
    across = np.arange(left - height // 4, width, 3)
    for row in range(4):  # and its waves
        down = middle[1] + height * (0.2 * row - 0.3) + 0.06 * height * np.sin(across / 7)
        wave = np.stack([across, down], axis=1).astype(np.int32)
        cv2.polylines(sheet, [wave], False, 0.5, max(1, height // 30), cv2.LINE_AA)


def add_window(picture: NDArray[np.uint8], hand: Hand, random: Random) -> NDArray[np.uint8]:
    """Lay an envelope over a picture, with a window whose film shines."""
    height, width = picture.shape[:2]
    border = int(random.uniform(0.2, 0.5) * hand.height)
    seen = np.full((height + border, width + 2 * border, *picture.shape[2:]), 150, np.uint8)
    seen[:height, border : border + width] = picture
    cv2.rectangle(seen, (border, -9), (border + width, height), (95,) * 3, 2, cv2.LINE_AA)
    shine = np.zeros(seen.shape[:2], np.float32)
    x = int(random.integers(seen.shape[1]))
    thick = max(3, int(0.4 * hand.height))
    cv2.line(shine, (x, 0), (x + height // 2, height), random.uniform(15, 45), thick)
    shine = np.asarray(cv2.GaussianBlur(shine, (0, 0), thick / 2), np.float32)
    light = shine if seen.ndim == 2 else shine[..., None]
    return np.asarray((seen + light).clip(0, 255), np.uint8)


def write_mail(folder: Path, count: int, *, seed: int) -> None:
    """Write pieces of mail as pictures, and what is on them.

    Args:
        folder: Gets ``pieces/000000.jpg`` and on, and ``truth.csv``: picture, code, kind.
        count: Of pieces.
        seed: Fixes everything random.
    """
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    with (folder / TRUTH).open("w", newline="", encoding="ascii") as file:
        truth = csv.writer(file)
        truth.writerow(("picture", "code", "kind"))
        for number, mail in enumerate(make_mail(count, seed=seed)):
            name = f"{number:06d}.jpg"
            Image.fromarray(mail.picture).save(folder / PICTURES / name, quality=90)
            truth.writerow((name, mail.code, mail.kind))


def main() -> None:
    """Write the mail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="is made if need be")
    parser.add_argument("--count", type=int, default=2_000, help="pieces")
    parser.add_argument("--seed", type=int, default=0, help="fixes everything random")
    arguments = parser.parse_args()
    write_mail(arguments.folder, arguments.count, seed=arguments.seed)


if __name__ == "__main__":
    main()
