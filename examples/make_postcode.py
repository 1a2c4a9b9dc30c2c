"""Writes `postcode.jpg`: a postcode as a phone would photograph it, from MNIST's test digits.

python examples/make_postcode.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tendigits import load_mnist
from tendigits.data.hand import Hand
from tendigits.data.lines import write
from tendigits.data.paper import Paper, put_on_paper

PLACE = Path(__file__).parent / "postcode.jpg"
POSTCODE = "94703"
SEED = 26
HAND = Hand(height=110, slant=0.2, pen=0.1, gap=0.12, climb=0.07, size_spread=0.08, drift=0.04)
PAPER = Paper(ground=0.9, ink=0.05, colour=True, shade=0.3, shadow=0.25, blur=1.2, grain=0.006)


def main() -> None:
    """Write the postcode with digits that no model has learned from, and save the picture."""
    random = np.random.default_rng(SEED)
    test = load_mnist().test
    chosen = [random.choice(np.flatnonzero(test.labels == int(digit))) for digit in POSTCODE]
    ink, _ = write(test.take(np.array(chosen)), HAND, random)
    ink = np.pad(ink, ((60, 70), (80, 110)))
    Image.fromarray(put_on_paper(ink, PAPER, random)).save(PLACE, quality=85)


if __name__ == "__main__":
    main()
