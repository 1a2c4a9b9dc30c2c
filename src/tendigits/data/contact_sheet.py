"""A sheet that shows what is in a set: a column for each class, some pictures of it, and counts."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tendigits.data.digits import CLASSES, SIDE, DigitSet

SCALE = 2  # a picture's pixel is drawn as SCALE x SCALE
CELL = SIDE * SCALE  # pixels
GAP = 6  # pixels between pictures
MARGIN = 28  # pixels around everything
TITLE_SIZE, NOTE_SIZE, LABEL_SIZE = 26, 14, 20  # pixels: heights of the fonts
HEADER = 116  # pixels: title, note, labels and counts, above the pictures

PAPER = (250, 249, 246)
TEXT = (32, 36, 44)
FAINT = (120, 124, 132)
INK = (24, 32, 56)
CARD = (255, 255, 255)

PICK_SEED = 0  # the same set always gives the same sheet


def draw_contact_sheet(digit_set: DigitSet, *, rows_per_class: int = 10) -> Image.Image:
    """Draw some training pictures of each class, dark on white, under their label and count.

    Args:
        digit_set: The set.
        rows_per_class: The most pictures to show of each class, picked at random but always the
            same; at least 1.

    Returns:
        An RGB image, 10 columns wide.
    """
    picked = _pick(digit_set.train.labels, rows_per_class)
    step = CELL + GAP
    width = 2 * MARGIN + CLASSES * step - GAP
    height = 2 * MARGIN + HEADER + max(map(len, picked)) * step - GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _write_caption(draw, digit_set)
    for digit, places in enumerate(picked):
        left = MARGIN + digit * step
        _write_label(draw, digit_set, digit, left + CELL // 2)
        for row, place in enumerate(places):
            card = _draw_digit(digit_set.train.images[place])
            sheet.paste(card, (left, MARGIN + HEADER + row * step))
    return sheet


def _pick(labels: NDArray[np.uint8], count: int) -> list[NDArray[np.int64]]:
    """Return, for each class, where up to `count` of its pictures are."""
    generator = np.random.default_rng(PICK_SEED)
    classes = [np.flatnonzero(labels == digit) for digit in range(CLASSES)]
    return [generator.permutation(places)[:count] for places in classes]


def _write_caption(draw: ImageDraw.ImageDraw, digit_set: DigitSet) -> None:
    """Write the set's name and its counts at the top."""
    draw.text((MARGIN, MARGIN - 4), digit_set.name, TEXT, _font(TITLE_SIZE))
    note = f"{len(digit_set.train):,} pictures to train on, {len(digit_set.test):,} to test on"
    if digit_set.divided_here:
        note += " (set aside here)"
    draw.text((MARGIN, MARGIN + 32), note, FAINT, _font(NOTE_SIZE))


def _write_label(draw: ImageDraw.ImageDraw, digit_set: DigitSet, digit: int, middle: int) -> None:
    """Write what a column shows and how many of it there are to train on."""
    size = LABEL_SIZE if max(map(len, digit_set.classes)) <= 3 else NOTE_SIZE
    draw.text((middle, MARGIN + 80), digit_set.classes[digit], TEXT, _font(size), anchor="ms")
    count = f"{int(digit_set.train.class_counts()[digit]):,}"
    draw.text((middle, MARGIN + 100), count, FAINT, _font(NOTE_SIZE), anchor="ms")


def _draw_digit(image: NDArray[np.uint8]) -> Image.Image:
    """Turn ink on black into a card with dark ink on white, enlarged."""
    share = image[..., None] / 255.0
    card = np.rint(np.array(CARD) * (1 - share) + np.array(INK) * share).astype(np.uint8)
    return Image.fromarray(card).resize((CELL, CELL), Image.Resampling.NEAREST)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, which is there on every machine."""
    return ImageFont.load_default(size)
