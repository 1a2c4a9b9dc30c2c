"""The sets that tendigits knows by name: what they are, where they are, how to get them."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tendigits.data import fetched
from tendigits.data.digits import DigitSet
from tendigits.data.downloading import Progress
from tendigits.data.folders import load_available, load_folder
from tendigits.data.shipped import load_mnist
from tendigits.errors import DataNotFoundError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class KnownSet:
    """A set that tendigits knows by name.

    Attributes:
        name: Such as ``"kmnist"``.
        train_count: Pictures to train on.
        test_count: Pictures to test on.
        licence: In a few words; the card says more.
        source: Where it is fetched from; None for a set that is inside the package.
    """

    name: str
    train_count: int
    test_count: int
    licence: str
    source: fetched.Source | None = None

    def card(self) -> str:
        """Return who made the set, how, its terms and its known problems, in Markdown."""
        card = resources.files("tendigits.data") / "cards" / f"{self.name}.md"
        return card.read_text("utf-8")

    def is_here(self, cache: Path | None = None) -> bool:
        """Say whether the set can be used without a network."""
        return self.source is None or fetched.is_fetched(self.source, cache)

    def load(self, cache: Path | None = None, *, progress: Progress | None = None) -> DigitSet:
        """Return the set; one that is fetched on demand is fetched if need be."""
        if self.source is None:
            return load_mnist()
        return fetched.fetch(self.source, cache, progress=progress)


KNOWN_SETS = (
    KnownSet(name="mnist", train_count=60_000, test_count=10_000, licence="CC BY-SA 3.0"),
    KnownSet(
        name="fashion-mnist",
        train_count=60_000,
        test_count=10_000,
        licence="MIT",
        source=fetched.FASHION_MNIST,
    ),
    KnownSet(
        name="kmnist",
        train_count=60_000,
        test_count=10_000,
        licence="CC BY-SA 4.0",
        source=fetched.KMNIST,
    ),
    KnownSet(
        name="emnist-digits",
        train_count=240_000,
        test_count=40_000,
        licence="none stated (NIST)",
        source=fetched.EMNIST_DIGITS,
    ),
    KnownSet(
        name="qmnist",
        train_count=60_000,
        test_count=60_000,
        licence="BSD-3-Clause",
        source=fetched.QMNIST,
    ),
    KnownSet(
        name="usps",
        train_count=7_291,
        test_count=2_007,
        licence="none stated",
        source=fetched.USPS,
    ),
)


def find_known_set(name: str) -> KnownSet:
    """Return the set with this name.

    Raises:
        UnknownNameError: No set has it.
    """
    for known in KNOWN_SETS:
        if known.name == name:
            return known
    raise UnknownNameError("set or folder", name, [known.name for known in KNOWN_SETS])


def open_data(folder: Path | None = None) -> DigitSet:
    """Return the set in a folder, or the MNIST inside the package.

    Args:
        folder: As `load_folder` takes it; None stands for MNIST.

    Returns:
        The set.

    Raises:
        DataNotFoundError: The folder does not exist or holds no set.
        DataFormatError: A file is damaged, or is not what its name or place says.
    """
    if folder is None:
        return load_mnist()
    _refuse_name(folder)
    return load_folder(folder)


def open_available(folder: Path | None = None) -> DigitSet:
    """Return what there is of the set in a folder, for a model to be measured on.

    Args:
        folder: As `load_available` takes it; None stands for the MNIST inside the package.

    Returns:
        The set; one of its parts may be empty.

    Raises:
        DataNotFoundError: The folder does not exist or holds no digits.
        DataFormatError: A file is damaged, or is not what its name or place says.
    """
    if folder is None:
        return load_mnist()
    _refuse_name(folder)
    return load_available(folder)


def _refuse_name(folder: Path) -> None:
    """Say how to get at a known set, if its name was given and no folder has it."""
    if str(folder) not in [known.name for known in KNOWN_SETS] or folder.exists():
        return
    way = f"`tendigits data {folder} --fetch` brings it and prints its folder"
    if str(folder) == "mnist":
        way = "it is inside the package and is used if no folder is named"
    raise DataNotFoundError(f"{folder}: there is no such folder; for the set, {way}")
