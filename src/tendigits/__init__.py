"""tendigits trains, proves and runs readers of handwritten digits.

>>> import tendigits
>>> mnist = tendigits.load_mnist()
>>> mnist.train.images.shape, mnist.test.labels[:3].tolist()
((60000, 28, 28), [7, 2, 1])

The names below are loaded when they are first used, so that `import tendigits` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from tendigits.errors import explain_missing
from tendigits.version import __version__

if TYPE_CHECKING:
    from tendigits.data import Digits, DigitSet, load_mnist, open_data
    from tendigits.errors import TendigitsError
    from tendigits.reading import Reader, read
    from tendigits.results import Digit, Field, Page
    from tendigits.weights import load_model as load

__all__ = [
    "Digit",
    "DigitSet",
    "Digits",
    "Field",
    "Page",
    "Reader",
    "TendigitsError",
    "__version__",
    "load",
    "load_mnist",
    "open_data",
    "read",
]

_ROOMS = {
    "Digit": "tendigits.results",
    "DigitSet": "tendigits.data",
    "Digits": "tendigits.data",
    "Field": "tendigits.results",
    "Page": "tendigits.results",
    "Reader": "tendigits.reading",
    "TendigitsError": "tendigits.errors",
    "load": "tendigits.weights:load_model",
    "load_mnist": "tendigits.data",
    "open_data": "tendigits.data",
    "read": "tendigits.reading",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'tendigits' has no attribute {name!r}")
    room, _, inside = _ROOMS[name].partition(":")
    try:
        return getattr(importlib.import_module(room), inside or name)
    except ModuleNotFoundError as error:
        raise explain_missing(error) from error


def __dir__() -> list[str]:
    return sorted(__all__)
