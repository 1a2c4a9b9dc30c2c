"""Which pictures are set aside: by their content."""

import numpy as np
import pytest

from tendigits.data import DigitSet
from tendigits.data.aside import aside_by_content


def test_about_the_share_is_set_aside(mnist: DigitSet) -> None:
    for share in (1 / 6, 1 / 3):
        aside = aside_by_content(mnist.test.images, share)
        assert aside.mean() == pytest.approx(share, abs=0.015)  # three standard deviations


def test_a_copy_is_on_the_same_side_and_a_larger_share_holds_a_smaller_one(
    mnist: DigitSet,
) -> None:
    images = np.concatenate([mnist.test.images[:500]] * 2)
    sixth, third = aside_by_content(images, 1 / 6), aside_by_content(images, 1 / 3)
    np.testing.assert_array_equal(sixth[:500], sixth[500:])
    assert not (sixth & ~third).any()


def test_each_side_has_some_where_there_are_few(mnist: DigitSet) -> None:
    for count in (4, 5, 6):
        for start in range(0, 200, count):
            aside = aside_by_content(mnist.test.images[start : start + count], 1 / 3, least=2)
            assert 2 <= aside.sum() <= count - 2
