"""A page drawn: what was read, what was seen, and where the ink mattered."""

import cv2
import numpy as np

from tendigits.data import DigitSet
from tendigits.data.lines import Line
from tendigits.reading import Reader
from tendigits.reading.drawing import draw_page, find_what_mattered


def test_a_drawing_has_the_picture_and_what_was_seen(reader: Reader, easy: Line) -> None:
    page = reader.read(easy.picture)
    drawn = draw_page(easy.picture, page)
    explained = draw_page(easy.picture, page, reader.classify)
    assert drawn.shape == explained.shape
    assert drawn.shape[1] == 480
    green = (np.abs(drawn.astype(int) - (20, 140, 60)).sum(axis=2) < 30).sum()
    assert green > 200
    seen = page.fields[0].digits[0].image()
    assert seen is not None
    assert (drawn == 255).sum() > (seen == 255).sum()
    red = explained.astype(int)[..., 0] - explained[..., 1]
    assert red.max() > 100


def test_where_the_ink_mattered_there_is_ink(reader: Reader, few_digits: DigitSet) -> None:
    digits = few_digits.test.take(slice(5))
    for image, label in zip(digits.images, digits.labels.tolist(), strict=True):
        heat = find_what_mattered(image, label, reader.classify)
        assert (heat.min(), heat.max()) == (0, 1)
        near = cv2.dilate(image, np.ones((5, 5), np.uint8)) > 127
        assert heat[near].sum() > 0.9 * heat.sum()
    blank = np.zeros((28, 28), np.uint8)
    assert not find_what_mattered(blank, 0, reader.classify).any()
