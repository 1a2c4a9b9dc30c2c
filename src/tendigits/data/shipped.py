"""The set that comes with tendigits: MNIST, complete, checked each time that it is loaded."""

import hashlib
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from tendigits.data import idx
from tendigits.data.digits import Digits, DigitSet
from tendigits.errors import DataFormatError

# sha256 of the files as Y. LeCun published them, unpacked. They are the same whoever packed them,
# so they prove that these are the pictures that everybody else trains on.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def load_mnist() -> DigitSet:
    """Return MNIST: 60,000 digits to train on and 10,000 to test on, by different writers.

    Raises:
        DataFormatError: The installed files are not the published ones.
    """
    train = Digits(
        images=_read_checked("train-images-idx3-ubyte"),
        labels=_read_checked("train-labels-idx1-ubyte"),
    )
    test = Digits(
        images=_read_checked("t10k-images-idx3-ubyte"),
        labels=_read_checked("t10k-labels-idx1-ubyte"),
    )
    return DigitSet(name="mnist", train=train, test=test)


def raw_sha256(items: NDArray[np.uint8]) -> str:
    """Return the sha256 that the IDX file of `items` has before it is compressed."""
    digest = hashlib.sha256(idx.idx_header(items))
    digest.update(np.ascontiguousarray(items).data)
    return digest.hexdigest()


def _read_checked(name: str) -> NDArray[np.uint8]:
    """Read one shipped file and compare its content with the published sha256."""
    with resources.as_file(resources.files("tendigits.data") / "files" / f"{name}.gz") as path:
        items = idx.read_idx(path)
    found = raw_sha256(items)
    if found != MNIST_SHA256[name]:
        raise DataFormatError(
            f"{path}: the sha256 of its content begins {found[:12]}, expected "
            f"{MNIST_SHA256[name][:12]}: the installation is damaged, install tendigits again"
        )
    return items
