"""The form that every set of digits takes: uint8 pictures, ink 255 on 0, and a label for each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tendigits.errors import DataFormatError, SettingError

SIDE = 28  # pixels: height and width of a picture in MNIST form
CLASSES = 10

HELD_OUT_SEED = 0  # fixes which pictures are held out, for everybody and for ever

DIGIT_NAMES = tuple("0123456789")


@dataclass(frozen=True, kw_only=True, eq=False)
class Digits:
    """Pictures in MNIST form and their labels.

    Attributes:
        images: (N, 28, 28) uint8, ink = 255 on 0.
        labels: (N,) uint8, 0 to 9.

    Raises:
        DataFormatError: A shape, a type or a label is not as above.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for name, array in (("images", self.images), ("labels", self.labels)):
            if array.dtype != np.uint8:
                raise DataFormatError(f"{name} are {array.dtype}: expected uint8")
        if self.images.ndim != 3 or self.images.shape[1:] != (SIDE, SIDE):
            raise DataFormatError(
                f"images have the shape {self.images.shape}: expected (N, {SIDE}, {SIDE})"
            )
        if self.labels.shape != (len(self.images),):
            raise DataFormatError(
                f"labels have the shape {self.labels.shape}: expected ({len(self.images)},), "
                "one for each picture"
            )
        if len(self.labels) and int(self.labels.max()) >= CLASSES:
            place = int(self.labels.argmax())
            raise DataFormatError(
                f"label {self.labels[place]} at position {place}: expected 0 to {CLASSES - 1}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64] | Sequence[int] | slice) -> "Digits":
        """Return the pictures at `indices`, in that order."""
        return Digits(images=self.images[indices], labels=self.labels[indices])

    def join(self, other: "Digits") -> "Digits":
        """Return these pictures with those of `other` behind them."""
        return Digits(
            images=np.concatenate([self.images, other.images]),
            labels=np.concatenate([self.labels, other.labels]),
        )

    def class_counts(self) -> NDArray[np.int64]:
        """Return how many pictures each class has, (10,)."""
        return np.bincount(self.labels, minlength=CLASSES)

    def hold_out(self, count: int) -> tuple["Digits", "Digits"]:
        """Divide into a part to train on and a part to choose by, the same for everybody.

        Args:
            count: How many pictures to hold out; at least 1, fewer than there are.

        Returns:
            The pictures to train on, then the `count` held out.

        Raises:
            SettingError: `count` leaves one of the parts empty.
        """
        if not 1 <= count < len(self):
            raise SettingError(
                f"cannot hold out {count} of {len(self)} pictures: expected 1 to {len(self) - 1}"
            )
        order = np.random.default_rng(HELD_OUT_SEED).permutation(len(self))
        return self.take(order[count:]), self.take(order[:count])

    def fingerprint(self) -> str:
        """Return the sha256 of the pictures followed by the labels, as hexadecimal digits."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class DigitSet:
    """A set with a part to train on and a part to test on.

    Attributes:
        name: Such as ``"mnist"``, or the folder that it came from.
        train: The training part.
        test: The test part; it measures and chooses nothing.
        classes: What each of the ten labels stands for.
        divided_here: The source named no test part, so about a sixth was set aside as one.
    """

    name: str
    train: Digits
    test: Digits
    classes: tuple[str, ...] = DIGIT_NAMES
    divided_here: bool = False

    def all(self) -> Digits:
        """Return both parts, the training part first."""
        return self.train.join(self.test)
