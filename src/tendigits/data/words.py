"""Words in letters, which a reader of digits should not read: lines whose text is empty."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.data.hand import Hand, sample_hand
from tendigits.data.lines import Line
from tendigits.data.paper import put_on_paper, sample_paper

Ink = NDArray[np.float32]
Random = np.random.Generator

# Without those that are digits in many hands: b g i l o q s z, and B D G I O Q S Z.
LOWER = "acdefhjkmnprtuvwxy"
UPPER = "ACEFHJKLMNPRTUVWXY"
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
FONT_HEIGHT = 21  # pixels: of a capital letter at scale 1


def make_words(count: int, *, seed: int) -> Iterator[Line]:
    """Make lines of letters on paper, the same for the same seed.

    Args:
        count: Of lines.
        seed: Fixes everything random.

    Yields:
        The lines; their text and their boxes are empty.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        ink = write_word(sample_hand(random), random)
        yield Line(picture=put_on_paper(ink, sample_paper(random), random), text="", boxes=())


def write_word(hand: Hand, random: Random) -> Ink:
    """Write a word or two in a drawn font with the hand's slant, pen and size, (H, W) float32."""
    letters = "".join(random.choice(list(LOWER), int(random.integers(1, 9))))
    upper = letters.upper().translate(_only_upper())
    word = random.choice([letters, upper, upper[0] + letters[1:]])
    font, scale = int(random.choice(FONTS)), hand.height / FONT_HEIGHT
    pen = max(1, round(hand.pen * hand.height))
    (width, height), below = cv2.getTextSize(str(word), font, scale, pen)
    margin = int(0.6 * hand.height) + 2
    size = (width + 4 * margin, height + below + 2 * margin)
    page = np.zeros(size[::-1], np.uint8)
    cv2.putText(page, str(word), (margin, margin + height), font, scale, 255, pen, cv2.LINE_AA)
    slant = np.array([[1, -hand.slant, hand.slant * size[1] / 2], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(page, slant, size) / np.float32(255), np.float32)


def _only_upper() -> dict[int, str]:
    """Return a table that replaces capitals which look like digits."""
    return {ord(letter): "A" for letter in map(chr, range(65, 91)) if letter not in UPPER}
