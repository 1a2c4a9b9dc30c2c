"""Draws the road of a picture through the reader, step by step: docs/road.png.

    scripts/bench road

Everything shown is what the reader computes for examples/postcode.jpg; nothing is retouched.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tendigits.imaging import decode
from tendigits.reading import Reader
from tendigits.reading.canvas import HEIGHT, lay_out
from tendigits.reading.ground import find_ink
from tendigits.reading.pieces import Atoms, find_atoms
from tendigits.reading.segment import find_lines
from tendigits.results import Field

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "examples" / "postcode.jpg"
OUT = ROOT / "docs" / "road.png"
COLOURS = ("#1c5fa5", "#d1702c", "#2f8f4e", "#a33b6b", "#6a58b0", "#8a7a1f")


def show(axes: Axes, title: str, picture: NDArray[Any]) -> None:
    """Show a picture, uint8 or from 0 to 1, without ticks, under a title."""
    white = 255 if picture.dtype == np.uint8 else 1
    axes.imshow(picture, cmap="gray", interpolation="nearest", vmin=0, vmax=white)
    axes.set_title(title, loc="left", fontsize=9)
    axes.set(xticks=[], yticks=[])


def colour_atoms(atoms: Atoms) -> NDArray[Any]:
    """Return (H, W, 3) in which neighbours have different colours, on white."""
    table = np.ones((len(atoms) + 1, 3))
    for number in range(len(atoms)):
        colour = COLOURS[number % len(COLOURS)].lstrip("#")
        table[number + 1] = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    return np.asarray(table[atoms.labels])


def show_chances(axes: Axes, log_probs: NDArray[Any], field: Field) -> None:
    """Show the chance of each digit and of a blank at each place."""
    axes.imshow(np.exp(log_probs).T, cmap="Blues", aspect="auto", interpolation="nearest")
    axes.set_title(
        f"5  what the line network hears, place by place: {field.text}", loc="left", fontsize=9
    )
    axes.set(yticks=range(11), yticklabels=[*"0123456789", "blank"], xticks=[])
    axes.tick_params(labelsize=6, length=0)


def show_digits(axes: Axes, field: Field) -> None:
    """Show the digits as they were cut out, in MNIST's form, with the chance of each."""
    pictures = [
        np.pad(np.asarray(digit.image(), np.uint8), 2, constant_values=90) for digit in field.digits
    ]
    show(axes, f"6  the digits, and the field: {field.confidence:.1%}", np.hstack(pictures))
    for place, digit in enumerate(field.digits):
        axes.text(
            32 * place + 16, 37, f"{digit.text}  {digit.confidence:.0%}", ha="center", va="top"
        )


def draw(picture: Path, out: Path) -> None:
    """Draw every step of reading a picture of one field."""
    reader = Reader(fields="one")
    pixels = decode(picture)
    ground = find_ink(pixels)
    (line,) = find_lines(ground, one=True)
    sheet = lay_out(line)
    assert reader.recognisers.transcribe is not None
    log_probs = reader.recognisers.transcribe(sheet)
    (field,) = reader.read(picture).fields
    figure = Figure(figsize=(9, 8.6), layout="constrained")
    grid = figure.subplots(3, 2, height_ratios=(1.1, 1.4, 1.15))
    show(grid[0, 0], "1  the picture", pixels)
    show(grid[0, 1], "2  how much of the light is swallowed: ink", 1 - ground.ink)
    left, top, right, bottom = field.box
    box = Rectangle((left, top), right - left, bottom - top, fill=False, color=COLOURS[2])
    grid[0, 0].add_patch(box)
    both = 255 - np.vstack([sheet[0], np.full((2, sheet.shape[2]), 80, np.uint8), sheet[1]])
    show(grid[1, 0], f"3  the line on its sheet, {HEIGHT} high: cleaned, and as found", both)
    atoms = colour_atoms(find_atoms(line.mask))
    show(grid[1, 1], "4  pieces of ink, cut where two digits may touch", atoms)
    show_chances(grid[2, 0], log_probs, field)
    show_digits(grid[2, 1], field)
    figure.savefig(out, dpi=110)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=PICTURE, help="of one field")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    draw(arguments.picture, arguments.out)


if __name__ == "__main__":
    main()
