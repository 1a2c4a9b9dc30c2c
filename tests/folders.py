"""Folders of digits, written as other tools and people leave them."""

from pathlib import Path

import numpy as np
from PIL import Image

from tendigits.data import Digits, DigitSet
from tendigits.data.idx import write_idx


def write_set(folder: Path, digits: Digits, images_name: str, labels_name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_idx(folder / images_name, digits.images)
    write_idx(folder / labels_name, digits.labels)


def write_idx_set(folder: Path, digit_set: DigitSet, prefix: str = "") -> None:
    for part, digits in (("train", digit_set.train), ("test", digit_set.test)):
        names = (f"{prefix}{part}-images-idx3-ubyte", f"{prefix}{part}-labels-idx1-ubyte")
        write_set(folder, digits, *names)


def write_pictures(folder: Path, digits: Digits, *, inverted: bool = False) -> None:
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        pixels = 255 - image if inverted else image
        Image.fromarray(pixels).save(folder / str(label) / f"{place:04d}.png")


def same(found: Digits, expected: Digits) -> bool:
    return found.fingerprint() == expected.fingerprint()


def in_order(digits: Digits) -> Digits:
    return digits.take(np.argsort(digits.labels, kind="stable"))
