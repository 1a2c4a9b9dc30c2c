"""Pictures in MNIST form that are no digits: to train a reader to be unsure, and to test that.

Outlier exposure (Hendrycks, Mazeika and Dietterich, "Deep anomaly detection with outlier exposure",
2019) trains on such pictures with all ten classes equally likely as the target. It is proved only
by kinds that training never saw, so these are kept apart: `TRAINING_KINDS`, `TESTING_KINDS`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.data import clutter, letters, pieces, things
from tendigits.data.digits import SIDE
from tendigits.errors import SettingError, UnknownNameError

Maker = Callable[[pieces.DigitStock, np.random.Generator], NDArray[np.uint8]]

_TRAINING_MAKERS: dict[str, Maker] = {
    "scribbles": lambda stock, random: clutter.scribble(random),
    "halves": pieces.join_halves,
    "cut": pieces.cut,
    "turned": pieces.turn,
    "letters": lambda stock, random: letters.write_letter(random),
    "noise": lambda stock, random: clutter.noise(random),
    "blank": lambda stock, random: clutter.blank(random),
    "marks": lambda stock, random: clutter.mark(random),
}
_TESTING_MAKERS: dict[str, Maker] = {
    "printed_letters": lambda stock, random: letters.print_letter(random),
    "things": lambda stock, random: things.thing(random),
}

TRAINING_KINDS = tuple(_TRAINING_MAKERS)
TESTING_KINDS = tuple(_TESTING_MAKERS)  # nothing may be trained on these or chosen by them


def make_not_digits(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer[Any]],
    count: int,
    seed: int,
    kinds: Sequence[str] = TRAINING_KINDS,
) -> NDArray[np.uint8]:
    """Make pictures that are no digits, the same for the same arguments.

    Args:
        images: (N, 28, 28) uint8, ink 255 on 0: the digits that some kinds are made from.
        labels: (N,), 0 to 9.
        count: How many to make, at least 0.
        seed: Fixes everything random, at least 0.
        kinds: Of `TRAINING_KINDS` and `TESTING_KINDS`, at least one, in equal parts: picture i is
            of the kind `kinds[i % len(kinds)]`.

    Returns:
        (`count`, 28, 28) uint8, ink 255 on 0.

    Raises:
        UnknownNameError: There is no such kind.
        SettingError: `count` or `seed` is negative, or there are no kinds.
        DataFormatError: A digit that is needed is not among `labels`.
    """
    if count < 0 or seed < 0 or not kinds:
        raise SettingError(
            f"cannot make {count} pictures of {len(kinds)} kinds with seed {seed}: expected a "
            "count and a seed of at least 0, and a kind"
        )
    makers = [_maker_of(kind) for kind in kinds]
    stock = pieces.DigitStock(images, labels)
    random = np.random.default_rng(seed)
    made = np.empty((count, SIDE, SIDE), np.uint8)
    for place in range(count):
        made[place] = makers[place % len(makers)](stock, random)
    return made


def _maker_of(kind: str) -> Maker:
    makers = _TRAINING_MAKERS | _TESTING_MAKERS
    if kind not in makers:
        raise UnknownNameError("kind of not-digits", kind, makers)
    return makers[kind]
