"""What people said is on the pieces -> digits with labels, to learn from and to measure on."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tendigits.atomic import write_bytes
from tendigits.data import Digits
from tendigits.errors import SettingError
from tendigits.reading.drawing import encode_png
from tendigits.results import SIDE
from tendigits.sorting.pieces import Answered

LABELS_FILE = "labels.csv"
COLUMNS = ("piece", "name", "format", "text", "read", "people", "digits")


def labelled(answered: Answered) -> list[tuple[NDArray[np.uint8], int]]:
    """Return the digits of a piece as the network saw them, with what a person says they are.

    Only where as many digits were read as the person sees: else it is not known which is which.

    Args:
        answered: The piece.

    Returns:
        (28, 28) uint8 pictures, ink 255, and their labels, 0 to 9; none where the counts differ or
        a picture was not kept.
    """
    labels = [int(letter) for letter in answered.text if letter.isdigit()]
    digits = [digit for field in answered.page.fields for digit in field.digits]
    images = [image for digit in digits if (image := digit.image()) is not None]
    if not len(labels) == len(digits) == len(images):
        return []
    return list(zip(images, labels, strict=True))


def corrections(answers: Iterable[Answered]) -> Digits:
    """Return the digits of pieces that people have answered; see `labelled`.

    Those that the reader had right are among them: whoever learns from mistakes alone forgets.

    Args:
        answers: The pieces, such as `ReviewQueue.answers` yields.
    """
    pairs = [pair for answered in answers for pair in labelled(answered)]
    images = [image for image, _ in pairs]
    return Digits(
        images=np.stack(images) if images else np.empty((0, SIDE, SIDE), np.uint8),
        labels=np.array([label for _, label in pairs], np.uint8),
    )


def files(answers: Iterable[Answered]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a labelled set that `--data` and `tendigits teach` take.

    Each digit is a picture in a sub-folder ``0`` to ``9``. ``labels.csv``, the last file, says what
    is on each whole piece, also on those whose digits are not in the set.

    Args:
        answers: The pieces, such as `ReviewQueue.answers` yields.

    Yields:
        The path of a file inside the set, with ``/``, and its content.
    """
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for answered in answers:
        pairs = labelled(answered)
        for place, (image, label) in enumerate(pairs, 1):
            yield f"{label}/{answered.piece:06d}-{place:02d}.png", encode_png(image)
        rows.writerow(row_of(answered, len(pairs)))
    yield LABELS_FILE, table.getvalue().encode()


def export(answers: Iterable[Answered], folder: Path) -> None:
    """Write a labelled set; see `files`. One with a ``labels.csv`` is whole.

    Args:
        answers: The pieces, such as `ReviewQueue.answers` yields.
        folder: Made where it is missing; it must be empty.

    Raises:
        SettingError: There is something in the folder.
        OSError: The file system refused, for example because it is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SettingError(f"{folder} is not empty: name a new folder to export to")
    for name, content in files(answers):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if name == LABELS_FILE:
            write_bytes(path, content)  # it says that the set is whole, so it is never half a file
        else:
            path.write_bytes(content)


def row_of(answered: Answered, digits: int) -> tuple[str | int, ...]:
    """Return the row of ``labels.csv`` for a piece of which so many digits are in the set."""
    return (
        answered.piece,
        inert(answered.name),
        answered.format or "",
        answered.text,
        " ".join(answered.page.text.split()),
        inert(";".join(answered.people)),
        digits,
    )


def inert(words: str) -> str:
    """Return a stranger's words such that no spreadsheet takes them for a formula.

    >>> inert("=1+1"), inert("a letter.png")
    ("'=1+1", 'a letter.png')
    """
    return f"'{words}" if words[:1] in tuple("=+-@\t\r") else words
