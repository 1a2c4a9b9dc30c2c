"""`tendigits teach`: learn from corrections in seconds, and take it back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tendigits.errors import SettingError

if TYPE_CHECKING:
    from tendigits.data import Digits
    from tendigits.training.teach import Lesson

SHELF = Path("lessons") / "taught"  # which `tendigits serve --teach lessons` follows


def teach(
    corrections: Annotated[
        Path | None,
        typer.Argument(
            help="Pictures with their right labels: a sub-folder for each digit, 0 to 9, or IDX "
            "files.",
            readable=False,
        ),
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(
            help="Learn from what people said in a review: an SQLite file or postgresql://...",
            show_default=False,
        ),
    ] = None,
    shelf: Annotated[
        Path,
        typer.Option(
            help="The folder of taught models; a service with --teach FOLDER reads with the one "
            "in use in FOLDER/taught.",
            readable=False,
        ),
    ] = SHELF,
    undo: Annotated[
        bool, typer.Option("--undo", help="Use the model that was used before.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Fixes everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON.")] = False,
) -> None:
    """Train the small model further on corrections, and use it where that made it better.

    About a third of the corrections is kept to measure on. The taught model is used only if it
    reads these better and MNIST's held-out digits not significantly worse.
    """
    from tendigits import shelf as shelves

    if undo:
        print(f"in use: {shelves.undo(shelf) or 'the shipped model'}")
        return
    from tendigits.teaching import teach_shelf

    lesson, place = teach_shelf(find_corrections(corrections, queue), shelf, seed=seed)
    if as_json:
        print(json.dumps({**lesson.to_dict(), "model": place and str(place)}))
        return
    print_lesson(lesson, place)


def find_corrections(folder: Path | None, queue: str | None) -> "Digits":
    """Return what there is to learn from: in a folder, or said in a review.

    Raises:
        SettingError: Neither is named, or both are.
        TendigitsError: It cannot be read.
    """
    if (folder is None) == (queue is None):
        raise SettingError(
            "there must be one thing to learn from: name a folder of corrections, or a --queue"
        )
    if folder is not None:
        from tendigits.data import open_available

        return open_available(folder).all()
    from tendigits.sorting.corrections import corrections
    from tendigits.sorting.queue import ReviewQueue
    from tendigits.sorting.tables import sqlite_file

    assert queue is not None
    file = sqlite_file(queue)
    if file is not None and not file.exists():
        raise SettingError(f"there is no queue {queue}: name the file of one, or postgresql://...")
    opened = ReviewQueue(queue)
    try:
        return corrections(opened.answers())
    finally:
        opened.close()


def print_lesson(lesson: "Lesson", place: Path | None) -> None:
    """Print what was learned, and whether it is used."""
    for name, count, (before, after) in (
        ("corrections kept to measure on", lesson.kept, lesson.kept_errors),
        ("MNIST, held out", lesson.mnist, lesson.mnist_errors),
    ):
        print(f"{name}: {before} wrong of {count:,} before, {after} after")
    print(f"learned from {lesson.corrections} corrections in {lesson.seconds:.1f} s")
    if place is not None:
        print(f"in use: {place}; tendigits teach --undo takes it back")
    elif lesson.kept_errors[1] >= lesson.kept_errors[0]:
        print("not used: the kept corrections are read no better")
    else:
        print(f"not used: MNIST is read worse (the chance of that by luck is {lesson.chance:.1%})")
