"""A sheet of doubted labels: each picture, its label, and what the ensemble reads in it."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tendigits.data import load_mnist
from tendigits.data.digits import SIDE, Digits, DigitSet
from tendigits.errors import DataFormatError, SettingError
from tendigits.evaluation.arguable import PARTS, ArguableLabels, Doubt, read_arguable
from tendigits.imaging.png import require_png, save_png

COLUMNS = 10
MOST_COUNT = 500  # of each part
SCALE = 4  # a picture's pixel is drawn as SCALE x SCALE
CELL = SIDE * SCALE  # pixels: side of a drawn picture
GAP = 20  # pixels between pictures
CAPTION = 74  # pixels: what is written under a picture
STEP = CELL + GAP  # pixels from column to column
ROW = CELL + CAPTION  # pixels from row to row
MARGIN = 40  # pixels around everything
WIDTH = 2 * MARGIN + COLUMNS * STEP - GAP
HEADER = 100  # pixels: title and note
HEADING = 58  # pixels: the name of a part, with the room above it
TITLE_SIZE, HEADING_SIZE, LABEL_SIZE, NOTE_SIZE, SMALL_SIZE = 32, 20, 17, 15, 12  # pixels
NOTE_LENGTH = 150  # characters that fit in a line of the note
BAR = 4  # pixels: height of a bar

# The colours of the report: right answers blue, wrong ones vermilion.
PAPER = (246, 245, 241)
CARD = (255, 255, 255)
EDGE = (223, 221, 213)
TEXT = (27, 29, 34)
QUIET = (89, 94, 105)
LABEL = (28, 95, 165)
ANSWER = (179, 64, 15)

Colour = tuple[int, int, int]
Point = tuple[int, int]  # left and top, in pixels


class Section(NamedTuple):
    """The doubted pictures of one part of a set."""

    title: str
    digits: Digits
    doubts: Sequence[Doubt]

    @property
    def height(self) -> int:
        """Pixels that its pictures take, with its title."""
        return HEADING + -(-len(self.doubts) // COLUMNS) * ROW


def draw_arguable(*, count: int, out: Path) -> Path:
    """Draw MNIST's most doubted labels into a PNG file.

    Args:
        count: The most pictures of each part, 1 to 500.
        out: The file to write.

    Returns:
        The file that was written.

    Raises:
        SettingError: `count` is outside its range, or `out` is no name of a PNG file.
        DataFormatError: The installed list or set is damaged.
        OSError: `out` cannot be written.
    """
    if not 1 <= count <= MOST_COUNT:
        raise SettingError(f"cannot draw {count} pictures of each part: expected 1 to {MOST_COUNT}")
    require_png(out)
    save_png(draw_gallery(read_arguable(), load_mnist(), count), out)
    return out


def draw_gallery(arguable: ArguableLabels, digit_set: DigitSet, count: int) -> Image.Image:
    """Draw the pictures of a set whose label is doubted most, test pictures first.

    Args:
        arguable: The doubts.
        digit_set: The set that they are about.
        count: The most pictures of each part.

    Returns:
        An RGB image, ten pictures wide.

    Raises:
        DataFormatError: The doubts are about another set.
    """
    sections = make_sections(arguable, digit_set, count)
    if not sections:
        raise DataFormatError(f"there are no doubts about {digit_set.name}: expected another list")
    height = 2 * MARGIN + HEADER + sum(section.height for section in sections)
    sheet = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN - 6), "Arguable labels", TEXT, _font(TITLE_SIZE))
    note = textwrap.fill(describe(arguable), NOTE_LENGTH)
    draw.multiline_text((MARGIN, MARGIN + 42), note, QUIET, _font(NOTE_SIZE), spacing=6)
    top = MARGIN + HEADER
    for section in sections:
        _draw_section(sheet, section, top)
        top += section.height
    return sheet


def make_sections(arguable: ArguableLabels, digit_set: DigitSet, count: int) -> list[Section]:
    """Return the doubted pictures of each part that has any, at most `count` of each."""
    names = {"test": "Test pictures", "train": "Training pictures"}
    parts = {"test": digit_set.test, "train": digit_set.train}
    sections = [
        Section(names[part], parts[part], arguable.about(parts[part], part)[:count])
        for part in PARTS
    ]
    return [section for section in sections if section.doubts]


def describe(arguable: ArguableLabels) -> str:
    """Return in words who doubts the labels, and what follows from it: nothing."""
    return (
        f"The labels that networks of the recipe {arguable.recipe} doubt most, none of which was "
        f"trained on the picture: {arguable.judges('test')} judged each test picture, "
        f"{arguable.judges('train')} each training picture. Some are labelled wrong, some can be "
        "read both ways, and some the networks get wrong. They stay in the set and are scored like "
        "all others."
    )


def _draw_section(sheet: Image.Image, section: Section, top: int) -> None:
    """Draw a title and, row by row, its pictures."""
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, top + HEADING - 14), section.title, TEXT, _font(HEADING_SIZE), anchor="ls")
    for number, doubt in enumerate(section.doubts):
        row, column = divmod(number, COLUMNS)
        place = (MARGIN + column * STEP, top + HEADING + row * ROW)
        sheet.paste(_draw_digit(section.digits.images[doubt.index]), place)
        left, above = place
        draw.rectangle((left - 1, above - 1, left + CELL, above + CELL), outline=EDGE)
        _write_caption(draw, doubt, (left, above + CELL + 6))


def _write_caption(draw: ImageDraw.ImageDraw, doubt: Doubt, place: Point) -> None:
    """Write label and answer, a bar for the probability of each, and where the picture is."""
    left, top = place
    draw.text((left, top), f"label {doubt.label}", LABEL, _font(LABEL_SIZE))
    right = left + CELL
    draw.text((right, top), f"read {doubt.answer}", ANSWER, _font(LABEL_SIZE), anchor="ra")
    _draw_bar(draw, (left, top + 23), doubt.label_prob, LABEL)
    _draw_bar(draw, (left, top + 23 + BAR + 1), doubt.answer_prob, ANSWER)
    note = f"no. {doubt.index:,}"
    draw.text((left, top + 37), note, QUIET, _font(SMALL_SIZE))
    sure = f"{doubt.label_prob:.0%} : {doubt.answer_prob:.0%}"
    draw.text((right, top + 37), sure, QUIET, _font(SMALL_SIZE), anchor="ra")


def _draw_bar(draw: ImageDraw.ImageDraw, place: Point, share: float, colour: Colour) -> None:
    """Draw a share of a picture's width."""
    left, top = place
    bottom = top + BAR - 1
    draw.rectangle((left, top, left + CELL - 1, bottom), EDGE)
    draw.rectangle((left, top, left + round(share * (CELL - 1)), bottom), colour)


def _draw_digit(image: NDArray[np.uint8]) -> Image.Image:
    """Turn ink on black into a card with dark ink on white, enlarged."""
    share = image[..., None] / 255.0
    card = np.rint(np.array(CARD) * (1 - share) + np.array(TEXT) * share).astype(np.uint8)
    return Image.fromarray(card).resize((CELL, CELL), Image.Resampling.NEAREST)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, which is there on every machine."""
    return ImageFont.load_default(size)
