"""Letters that are no digits: written with strokes, or printed in OpenCV's fonts.

Both alphabets leave out what a reader of digits may rightly take for one: O, Q, D, C and o for 0,
I, J, i and l for 1, Z and z for 2, S and s for 5, G and b for 6, B for 8, g, q and y for 9.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits import imaging
from tendigits.data.strokes import by_hand, choose_pen, draw_strokes, parse_figure

# A grid of 5 columns and 7 rows for capitals; small letters hang from the third row.
HAND_ALPHABET = {
    "A": "06 20; 20 46; 13 33",
    "E": "40 00; 00 06; 06 46; 03 33",
    "F": "40 00; 00 06; 03 33",
    "H": "00 06; 40 46; 03 43",
    "K": "00 06; 40 03; 03 46",
    "L": "00 06; 06 46",
    "M": "06 00; 00 23; 23 40; 40 46",
    "N": "06 00; 00 46; 46 40",
    "P": "00 06; 00 30 41 42 33 03",
    "R": "00 06; 00 30 41 42 33 03; 13 46",
    "T": "00 40; 20 26",
    "U": "00 04 16 36 44 40",
    "V": "00 26; 26 40",
    "W": "00 16; 16 22; 22 36; 36 40",
    "X": "00 46; 40 06",
    "d": "43 22 04 26 45; 40 46",
    "f": "40 30 21 23 26; 03 43",
    "h": "00 06; 04 13 33 44 46",
    "k": "00 06; 32 04; 14 36",
    "m": "02 06; 03 12 23 26; 23 32 43 46",
    "n": "02 06; 03 22 33 36",
    "p": "02 08; 03 22 34 26 05",
    "t": "10 15 26 36; 02 32",
    "u": "02 05 16 36 45; 42 46",
    "w": "02 05 16 25 23; 25 36 45 42",
}
HAND_FIGURES = tuple(HAND_ALPHABET.values())

PRINTED_ALPHABET = "AEFHKLMNPRTUVWXYadefhkmnprtuvwx"
# OpenCV 4 draws Hershey's strokes under these names, OpenCV 5 fonts with outlines.
PRINTED_FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SIMPLEX | cv2.FONT_ITALIC,
    cv2.FONT_HERSHEY_COMPLEX | cv2.FONT_ITALIC,
)
PRINTED_SCALE = 2.5  # times the font's own size: capitals of about 55 pixels
PRINTED_PENS = (3, 10)  # pixels at that size, from the first to below the second
PRINTED_CANVAS = 160  # pixels: room for the widest letter, slanted


def write_letter(random: np.random.Generator) -> NDArray[np.uint8]:
    """Write a letter with a pen, (28, 28) uint8 in MNIST form."""
    figure = parse_figure(HAND_FIGURES[random.integers(len(HAND_FIGURES))])
    return draw_strokes(by_hand(figure, random), choose_pen(random))


def print_letter(random: np.random.Generator) -> NDArray[np.uint8]:
    """Print a letter, slanted and turned a little, (28, 28) uint8 in MNIST form."""
    letter = PRINTED_ALPHABET[random.integers(len(PRINTED_ALPHABET))]
    face = PRINTED_FACES[random.integers(len(PRINTED_FACES))]
    canvas = np.zeros((PRINTED_CANVAS, PRINTED_CANVAS), np.uint8)
    place = (PRINTED_CANVAS // 3, PRINTED_CANVAS * 2 // 3)
    pen = int(random.integers(*PRINTED_PENS))
    cv2.putText(canvas, letter, place, face, PRINTED_SCALE, 255, pen, cv2.LINE_AA)
    slant, turn, stretch = random.uniform(-1, 1, 3) * (0.25, 0.12, 0.15)
    change = np.array([[1 + stretch, slant - turn], [turn, 1.0]])
    middle = np.full(2, PRINTED_CANVAS / 2)
    shifted = np.column_stack([change, middle - change @ middle])
    turned = cv2.warpAffine(canvas, shifted, (PRINTED_CANVAS, PRINTED_CANVAS))
    coverage = np.asarray(turned, np.float32) / np.float32(255)
    return imaging.centre(imaging.scale_to_box(imaging.cut_to_ink(coverage)))
