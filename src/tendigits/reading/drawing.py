"""A page drawn for people: boxes and text on the picture, and what the network saw below it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.reading.classifier import Classify
from tendigits.results import SIDE, Digit, Field, Page

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

ACCEPTED: Colour = (20, 140, 60)  # green
DOUBTFUL: Colour = (200, 120, 0)  # amber
PAPER: Colour = (250, 250, 250)
INK: Colour = (40, 40, 40)

LEAST_WIDTH = 480  # pixels of the drawing: a smaller picture is enlarged
MOST_WIDTH = 1_600  # pixels: a larger one is shrunk
ZOOM = 3  # of what the network saw
GAP = 6  # pixels between what is drawn
FONT = cv2.FONT_HERSHEY_DUPLEX

PATCH = 5  # pixels: the side of what `find_what_mattered` covers; a stroke is 3 wide
STRIDE = 2  # pixels


def draw_page(pixels: Pixels, page: Page, classify: Classify | None = None) -> Pixels:
    """Draw what was read.

    Args:
        pixels: (H, W) or (H, W, 3) uint8, the upright picture.
        page: What was read off it.
        classify: The network, to show in red where the ink mattered; None to leave that out.

    Returns:
        (H, W, 3) uint8: the picture with a box around each digit and the text above, green where
        it is accepted and amber where it is doubtful; below it a row for each field with the
        28x28 pictures that the network saw.
    """
    picture = pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    width = min(max(picture.shape[1], LEAST_WIDTH), MOST_WIDTH)
    scale = width / picture.shape[1]
    size = (width, max(1, round(picture.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas: Pixels = np.array(cv2.resize(picture, size, interpolation=method), np.uint8)
    for field in page.fields:
        _draw_field(canvas, field, scale)
    rows = [_draw_row(field, width, classify) for field in page.fields]
    return np.vstack([canvas, *rows])


def encode_png(pixels: Pixels) -> bytes:
    """Return a picture, (H, W) or (H, W, 3) uint8, as a PNG file."""
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".png", ordered)
    return bytes(content)


def find_what_mattered(image: Pixels, digit: int, classify: Classify) -> NDArray[np.float32]:
    """Return how much less likely a digit becomes where the picture is covered (occlusion).

    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014. It asks the
    network and nothing else, so it works for any.

    Args:
        image: (28, 28) uint8.
        digit: 0 to 9.
        classify: (N, 28, 28) uint8 -> (N, 10) logits.

    Returns:
        (28, 28) float32 in [0, 1]: 1 where it matters most; all 0 if nothing does.
    """
    places = [(y, x) for y in range(-2, SIDE, STRIDE) for x in range(-2, SIDE, STRIDE)]
    covered = np.repeat(image[None], len(places) + 1, axis=0)
    for number, (y, x) in enumerate(places):
        covered[number, max(y, 0) : y + PATCH, max(x, 0) : x + PATCH] = 0
    logits = classify(covered).astype(np.float64)
    scores = logits[:, digit] - np.logaddexp.reduce(logits, axis=1)
    lost, times = (np.zeros((SIDE, SIDE), np.float32) for _ in range(2))
    for (y, x), score in zip(places, scores, strict=False):
        window = (slice(max(y, 0), y + PATCH), slice(max(x, 0), x + PATCH))
        lost[window] += max(0.0, scores[-1] - score)
        times[window] += 1
    lost /= np.maximum(times, 1)
    return lost / lost.max() if lost.max() > 0 else lost


def _draw_field(picture: Pixels, field: Field, scale: float) -> None:
    """Draw boxes and text of a field onto the enlarged picture, in place."""
    for digit in field.digits:
        left, top, right, bottom = (round(side * scale) for side in digit.box)
        colour = ACCEPTED if digit.accepted else DOUBTFUL
        cv2.rectangle(picture, (left - 1, top - 1), (right, bottom), colour, 1, cv2.LINE_AA)
        size = max(0.5, min(1.2, (bottom - top) / 60))
        spot = (left, top - 4 if top > 25 * size else bottom + int(24 * size))
        _write(picture, digit.text, spot, size, colour)


def _draw_row(field: Field, width: int, classify: Classify | None) -> Pixels:
    """Return what the network saw of a field, with its answers, as wide as the picture."""
    side = ZOOM * SIDE
    step = side + GAP
    each_row = max(1, (width - GAP) // step)
    lines = -(-len(field.digits) // each_row)
    row = np.full((26 + lines * (step + 16) + GAP, width, 3), PAPER, np.uint8)
    colour = ACCEPTED if field.accepted else DOUBTFUL
    said = f"{field.text}  {field.confidence:.1%}" + ("" if field.accepted else "  doubtful")
    _write(row, said, (GAP, 20), 0.6, colour)
    for place, digit in enumerate(field.digits):
        line, column = divmod(place, each_row)
        top, left = 26 + line * (step + 16), GAP + column * step
        row[top : top + side, left : left + side] = _enlarge(digit, classify)[:, : width - left]
        colour = ACCEPTED if digit.accepted else DOUBTFUL
        _write(row, _short(digit), (left, top + side + 14), 0.4, colour)
    return row


def _enlarge(digit: Digit, classify: Classify | None) -> Pixels:
    """Return what the network saw, enlarged, (84, 84, 3); what mattered is red."""
    image = digit.image()
    if image is None:
        return np.zeros((ZOOM * SIDE, ZOOM * SIDE, 3), np.uint8)
    seen = np.repeat(image[..., None], 3, axis=2)
    if classify is not None:
        heat = find_what_mattered(image, int(digit.text), classify)[..., None]
        red = np.array([255, 40, 40], np.float32)
        seen = np.asarray(seen * (1 - 0.7 * heat) + 0.7 * heat * red, np.uint8)
    return np.asarray(seen.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1))


def _short(digit: Digit) -> str:
    """Return a digit's chance, and the second guess of a doubtful one, for the space below it."""
    if digit.accepted or not digit.alternatives:
        return f"{digit.text} {digit.confidence:.0%}"
    other = digit.alternatives[0]
    return f"{digit.text} {digit.confidence:.0%} {other.text} {other.confidence:.0%}"


def _write(picture: Pixels, text: str, spot: tuple[int, int], size: float, colour: Colour) -> None:
    """Write text with a pale edge, so that it can be read on anything, in place."""
    cv2.putText(picture, text, spot, FONT, size, PAPER, 3, cv2.LINE_AA)
    cv2.putText(picture, text, spot, FONT, size, colour, 1, cv2.LINE_AA)
