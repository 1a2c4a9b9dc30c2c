"""Sets of digits as numpy arrays: shipped (`load_*`), fetched (`fetch_*`), and your own folders.

What is made (`make_*`), such as `not_digits`, is imported from its own file: it needs OpenCV.
"""

from tendigits.data.catalogue import KNOWN_SETS, KnownSet, find_known_set, open_available, open_data
from tendigits.data.contact_sheet import draw_contact_sheet
from tendigits.data.digits import Digits, DigitSet
from tendigits.data.fetched import (
    fetch_emnist_digits,
    fetch_fashion_mnist,
    fetch_kmnist,
    fetch_qmnist,
    fetch_usps,
)
from tendigits.data.folders import load_available, load_folder
from tendigits.data.shipped import load_mnist

__all__ = [
    "KNOWN_SETS",
    "DigitSet",
    "Digits",
    "KnownSet",
    "draw_contact_sheet",
    "fetch_emnist_digits",
    "fetch_fashion_mnist",
    "fetch_kmnist",
    "fetch_qmnist",
    "fetch_usps",
    "find_known_set",
    "load_available",
    "load_folder",
    "load_mnist",
    "open_available",
    "open_data",
]
