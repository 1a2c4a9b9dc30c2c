"""Digits written stroke by stroke, in the forms that schools and hands of many countries give them.

MNIST's writers are American: a 4 in one stroke, a 9 that is a hook with a stem, a 5 like a root
sign or a 0 with a tail are rare there or missing. The ductus of a sign is the order and direction
of its strokes; here each form is one, in the notation of `strokes`, on a grid of ten rows.
"""

import numpy as np
from numpy.typing import NDArray

from tendigits.data.digits import CLASSES, SIDE, Digits
from tendigits.data.strokes import (
    Stroke,
    by_hand,
    choose_pen,
    draw_strokes,
    points_of,
    smooth,
)
from tendigits.errors import SettingError

STRAY = 0.35  # of a row: standard deviation of how far a hand misses a point of the form

FORMS: dict[int, tuple[str, ...]] = {
    0: (
        "41 20 03 06 29 49 66 64 52 40 30 51 80",  # closed with a tail to the right
        "40 12 05 08 29 59 77 74 62 40 22",  # overlapping itself at the top
        "51 20 03 06 29 49 66 63 52",  # not quite closed
        "20 31 12 05 08 29 59 76 63 41 21",  # beginning with a tail from the left
        "31 12 05 08 29 59 76 63 41 21 01",  # ending with a tail to the left
    ),
    1: (
        "06 30; 30 29",
        "08 50; 50 49",
        "04 30; 30 29",
        "03 20; 20 29; 09 49",
        "06 14 30; 30 29",
        "07 24 40; 40 39; 19 69",
        "13 30; 30 39",
        "05 23 40 41; 41 29",  # a round top
        "03 21 40 41; 41 38",
    ),
    2: (
        "33 23 12 20 40 52 44 17 09; 09 69",  # begins with a curl
        "34 24 13 11 30 51 54 26 09; 09 39 59",
        "02 20 40 52 45 27 09 07 17 38 59 68",  # a loop at its foot
        "12 30 51 54 36 18 08 17 38 69 88",
        "01 50; 50 08; 08 58",  # a Z
        "02 20 50 62 45 19; 19 79",
        "13 31 50 62 54 09 07 27 49 69",
        "13 20 41 43 26 09 07 18 39 48",  # slim, its loop at the foot
        "12 30 51 44 17 09; 09 38 47",  # a foot that rises
        "23 13 11 40 52 45 19 08 17 39 79",  # a loop at both ends
    ),
    3: (
        "00 50; 50 23; 23 54 66 58 39 08",  # a flat top
        "00 60; 60 34; 34 55 57 49 19",
        "00 50 24; 24 55 57 39 09",
        "11 30 42 33 23; 23 54 67 49 19 07",  # a small upper bow
        "01 30 62 54 25; 25 46 48 39 18",  # a small lower bow
        "01 30 52 34 23 24 34 56 48 29 07",  # a loop in the middle
        "12 30 51 43 24; 24 54 57 38 09 07",
        "33 23 12 20 40 52 34; 34 55 57 39 09",  # begins with a curl
    ),
    4: (
        "10 03 15 34 52; 61 59",  # a bow, and a stem beside it
        "20 03 05 25 53 60; 60 59",
        "20 04; 04 64; 52 48",  # the stem begins near the bar
        "30 05; 05 65; 54 49",
        "20 05; 05 64; 63 49",
        "41 20 02 04; 04 64; 52 49",  # the arm begins with a hook
        "31 20 13 05; 05 55; 62 59",
        "50 06; 06 76; 50 59",  # closed, with a pointed top
        "50 06; 06 86; 50 49",
        "60 40 14 05; 05 85; 60 59",  # closed, with a round top
        "50 30 02 04; 04 74; 50 49",
        "10 05; 05 55; 53 59",  # an arm as long as the stem
        "20 16; 16 36 55 64; 54 49",
        "10 13; 13 44 64; 61 49",
        "61 50 05 04 06 36 86; 50 49",
        "50 23 05 26 64; 64 69",  # an arm from above, and a stem that begins where it ends
        "40 13 05 26 64; 63 79",
        "50 06; 06 64; 64 69",
        "41 50 23 05 16 54; 53 59",
        "41 30 11 04 15 44 84; 41 39",  # a round loop, and its bar across the stem
        "20 06; 06 35 55 49",  # an h
        "10 07; 07 25 45 49",
        "30 15 16; 16 34 54 59",
    ),
    5: (
        "20 14; 14 34 55 57 39 08; 20 60",
        "30 14; 14 34 55 58 39 18; 30 91",  # a long bar
        "30 14; 14 33 54 57 39 08; 30 80",
        "20 14; 14 44 57 39 08",  # no bar
        "20 15; 15 34 55 47 29 08; 41 80",  # a bar by itself
        "61 20; 20 12 23 44 56 48 29 09",
        "60 30 11 13 34 56 58 39 09",  # an S
        "20 25; 25 44 56 58 49; 20 70",
        "10 15; 15 24 45 47 38 18; 10 60",  # a small bow
        "03 29; 29 50; 50 90",  # a root sign
        "05 28; 28 40; 40 70",
        "16 28; 28 40; 40 60",
        "61 31 13 33 45 47 28 08",  # a slim S
        "70 40 22 24 45 47 29 09",
        "60 20 13; 13 33 45 57 39 19",
    ),
    6: (
        "50 24 07 19 39 47 36 17",  # a small bow
        "20 05 08 29 48 46 26 07",
        "81 43 16 18 39 58 56 36 17",
        "40 13 06 18 39 58 46 25",
        "30 03 07 29 59 67 55 25 07",
        "60 32 06 09 39 47 46 27",
    ),
    7: (
        "01 60; 60 29; 14 64",
        "02 00; 00 60; 60 29; 14 64",
        "02 00; 00 50; 50 29",
        "12 11; 11 50; 50 39; 15 75",  # a small top and a long bar
        "02 11 31 50; 50 24 19",
        "02 20 41 60; 60 35 29; 15 65",
        "01 60; 60 35 29",
        "00 60; 60 43 39",
        "21 50; 50 39; 14 74",
        "22 31 50; 50 38 49; 15 84",  # a t
        "13 21 41; 41 39; 15 85",
        "12 21; 21 29; 06 55",  # a cross
    ),
    8: (
        "51 30 12 24 45 57 39 18 26 44 62 51",
        "60 30 12 24 45 57 39 18 26 44 70",  # open at the top
        "10 34 57 39 17 35 60",
        "20 34 46 38 26 34 60",
        "40 21 23 34 43 41 30; 34 15 07 29 48 46 34",  # two rings
        "50 31 22 34 56 58 39 17 25 43 51",  # a small top
        "61 40 12 14 35 56 48 39 28 36 54 62",
        "30 11 13 34 56 58 29 07 25 43 51 30",
    ),
    9: (
        "51 20 02 14 34 52; 51 56 48 29 08",  # a g
        "60 30 11 13 24 44 62; 62 59",
        "51 30 11 13 34 53; 53 56 48 29 18",  # an open bow
        "50 20 02 04 24 43; 43 55 47 29 09",
        "33 23 12 20 41 53 46 39",  # a hook with a stem
        "34 14 12 30 51 54 39",
        "44 24 12 30 51 54 59",
        "24 13 11 30 50 62 55 49",
        "50 20 03 15 44 60; 60 59",  # a q
        "62 30 12 24 53 61; 61 36 29",
        "39 35 52 40 21 23 34 63",  # its bow crosses the stem
        "49 54 51 30 12 24 54 72",
        "10 19; 10 40 52 44 14",  # a P
        "51 30 11 24 52; 52 49",
        "51 40 12 04 25 54 63; 63 57 39 18",  # a large bow, open to the right
        "61 40 11 13 24 53; 53 58 39 19",
        "23 12 20 50; 23 43 51; 50 47 29",  # a small flat bow
        "05 34 52 40 20 02 14 45 49",  # a ribbon: begins on the left, and crosses itself
        "15 44 62 50 30 12 24 56 69",
        "14 43 51 40 20 12 24 46 39",
        "34 23 12 20 41 43 24 46 39",  # its stem begins on the left of the bow
    ),
}


def write_digits(count: int, seed: int) -> Digits:
    """Write digits with a pen, each class as often as any other, and each of its forms.

    Args:
        count: How many, at least 0.
        seed: Fixes every stroke, at least 0.

    Returns:
        `count` pictures in MNIST form, 0 to 9 in turn.

    Raises:
        SettingError: `count` or `seed` is negative.
    """
    if count < 0 or seed < 0:
        raise SettingError(f"cannot write {count} digits with seed {seed}: expected at least 0")
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % CLASSES).astype(np.uint8)
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for place, label in enumerate(labels.tolist()):
        forms = FORMS[label]
        images[place] = write_form(forms[random.integers(len(forms))], random)
    return Digits(images=images, labels=labels)


def write_by_one(labels: NDArray[np.uint8], random: np.random.Generator) -> Digits:
    """Write digits as one person does: all of a class in one form, which is drawn at random.

    Args:
        labels: (N,) uint8, which digits.
        random: Decides.

    Returns:
        The digits in MNIST form, in their order.
    """
    forms = {label: choices[random.integers(len(choices))] for label, choices in FORMS.items()}
    images = np.empty((len(labels), SIDE, SIDE), np.uint8)
    for place, label in enumerate(labels.tolist()):
        images[place] = write_form(forms[label], random)
    return Digits(images=images, labels=labels)


def write_form(form: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """Write a digit as a form says, by a hand that misses its points a little.

    Args:
        form: Of `FORMS`.
        random: Decides.

    Returns:
        (28, 28) uint8 in MNIST form.
    """
    strokes = points_of(form)
    missed: dict[bytes, Stroke] = {}  # strokes that meet in a point still meet

    def miss(point: Stroke) -> Stroke:
        return missed.setdefault(point.tobytes(), point + random.normal(0, STRAY, 2))

    written = [smooth(np.array([miss(point) for point in stroke])) for stroke in strokes]
    return draw_strokes(by_hand(written, random), choose_pen(random))
