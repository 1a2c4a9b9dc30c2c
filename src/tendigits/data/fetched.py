"""Sets that are fetched on demand into a cache folder and kept there as IDX files.

A fetched set is a folder that `load_folder`, and so ``tendigits train --data``, reads. A file
``SHA256SUMS`` is written when everything was verified by its makers' checksums; each later
use verifies the files against it. Set the environment variable ``TENDIGITS_CACHE`` to keep the
folders elsewhere than in ``~/.cache/tendigits``.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tendigits import atomic
from tendigits.data import unpacking
from tendigits.data.digits import DIGIT_NAMES, DigitSet
from tendigits.data.downloading import Progress, RemoteFile, download, has_checksum
from tendigits.data.folders import find_idx_files, load_folder

CACHE_VARIABLE = "TENDIGITS_CACHE"
SUMS_NAME = "SHA256SUMS"  # in the form that `sha256sum --check` reads
MIB = 2**20  # bytes


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a set is published, and how it becomes a folder of IDX files.

    Attributes:
        name: The set's name, and its folder's in the cache.
        mirrors: Addresses to which a file's name is appended, in the order in which they are tried.
        checksums: For each file to fetch, ``"md5:..."`` or ``"sha256:..."`` as published.
        max_bytes: No file is longer; at least twice the true length.
        classes: What each of the ten labels stands for.
        unpack: Makes the IDX files, in the folder given, from fetched files of another form.
    """

    name: str
    mirrors: tuple[str, ...]
    checksums: dict[str, str]
    max_bytes: int = 64 * MIB
    classes: tuple[str, ...] = DIGIT_NAMES
    unpack: Callable[[Path], None] | None = None

    def folder(self, cache: Path | None = None) -> Path:
        """Return where in `cache`, or in the usual cache, the set is or will be."""
        return (default_cache() if cache is None else cache) / self.name


FASHION_MNIST = Source(
    name="fashion-mnist",
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    checksums={
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    },
    classes=(
        *("T-shirt", "Trousers", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Trainer", "Bag", "Boot"),
    ),
)

KMNIST = Source(
    name="kmnist",
    mirrors=(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
    checksums={
        "train-images-idx3-ubyte.gz": "md5:bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte.gz": "md5:e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte.gz": "md5:5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte.gz": "md5:7320c461ea6c1c855c0b718fb2a4b134",
    },
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)

EMNIST_DIGITS = Source(
    name="emnist-digits",
    mirrors=(
        "https://biometrics.nist.gov/cs_links/EMNIST/",
        "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
    ),
    checksums={"gzip.zip": "md5:58c8d27c78d21e728a6bc7b3cc06412e"},
    max_bytes=1200 * MIB,  # all six sets of EMNIST in one archive of 536 MiB
    unpack=unpacking.unpack_emnist,
)

QMNIST = Source(
    name="qmnist",
    mirrors=(
        "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
        "https://github.com/facebookresearch/qmnist/raw/master/",
    ),
    checksums={
        "qmnist-train-images-idx3-ubyte.gz": "md5:ed72d4157d28c017586c42bc6afe6370",
        "qmnist-train-labels-idx2-int.gz": "md5:0058f8dd561b90ffdd0f734c6a30e5e4",
        "qmnist-test-images-idx3-ubyte.gz": "md5:1394631089c404de565df7b7aeaf9412",
        "qmnist-test-labels-idx2-int.gz": "md5:5b5b05890a5e13444e108efe57b788aa",
    },
)

USPS = Source(
    name="usps",
    mirrors=("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
    checksums={
        "usps.bz2": "md5:ec16c51db3855ca6c91edd34d0e9b197",
        "usps.t.bz2": "md5:8ea070ee2aca1ac39742fdd1ef5ed118",
    },
    unpack=unpacking.unpack_usps,
)


def fetch_fashion_mnist(cache: Path | None = None, *, progress: Progress | None = None) -> DigitSet:
    """Fetch Fashion-MNIST, ten kinds of clothes in MNIST's form; see `fetch`."""
    return fetch(FASHION_MNIST, cache, progress=progress)


def fetch_kmnist(cache: Path | None = None, *, progress: Progress | None = None) -> DigitSet:
    """Fetch KMNIST, ten characters of old Japanese handwriting; see `fetch`."""
    return fetch(KMNIST, cache, progress=progress)


def fetch_emnist_digits(cache: Path | None = None, *, progress: Progress | None = None) -> DigitSet:
    """Fetch the 280,000 digits of EMNIST, turned upright; see `fetch`. It brings 536 MiB."""
    return fetch(EMNIST_DIGITS, cache, progress=progress)


def fetch_qmnist(cache: Path | None = None, *, progress: Progress | None = None) -> DigitSet:
    """Fetch QMNIST, MNIST made again with 60,000 digits to test on; see `fetch`."""
    return fetch(QMNIST, cache, progress=progress)


def fetch_usps(cache: Path | None = None, *, progress: Progress | None = None) -> DigitSet:
    """Fetch USPS, digits from American envelopes, brought into MNIST's form; see `fetch`."""
    return fetch(USPS, cache, progress=progress)


def fetch(
    source: Source, cache: Path | None = None, *, progress: Progress | None = None
) -> DigitSet:
    """Load a set from the cache, and fetch it first if it is not there, whole.

    Args:
        source: The set; to use a mirror of your own, ``dataclasses.replace`` its mirrors.
        cache: The folder of all fetched sets; None stands for `default_cache`.
        progress: Called with a file's name, the bytes that have arrived, and the bytes in all.

    Returns:
        The set.

    Raises:
        DownloadError: No mirror delivered a file, or it cannot be written.
        WriteError: What is made of the files cannot be written.
        DataFormatError: The files, though they are those published, are not as expected.
    """
    folder = source.folder(cache)
    if not _is_whole(folder):
        for name, checksum in source.checksums.items():
            urls = tuple(mirror + name for mirror in source.mirrors)
            file = RemoteFile(name=name, urls=urls, checksum=checksum, max_bytes=source.max_bytes)
            download(file, folder, progress=progress)
        if source.unpack:
            source.unpack(folder)
        _write_sums(folder)
        if source.unpack:  # only now: if writing failed, the long download need not be repeated
            for name in source.checksums:
                (folder / name).unlink()
    return replace(load_folder(folder), name=source.name, classes=source.classes)


def default_cache() -> Path:
    """Return the folder that fetched sets are kept in: TENDIGITS_CACHE or ~/.cache/tendigits."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "tendigits"


def is_fetched(source: Source, cache: Path | None = None) -> bool:
    """Say whether the set has been fetched, without verifying it."""
    return (source.folder(cache) / SUMS_NAME).is_file()


def _is_whole(folder: Path) -> bool:
    """Say whether all files that were fetched are there and unchanged."""
    sums = folder / SUMS_NAME
    if not sums.is_file():
        return False
    pairs = [line.split(maxsplit=1) for line in sums.read_text("utf-8", "replace").splitlines()]
    return bool(pairs) and all(
        len(pair) == 2 and has_checksum(folder / pair[1], f"sha256:{pair[0]}") for pair in pairs
    )


def _write_sums(folder: Path) -> None:
    """Write down the checksum of each IDX file, which says that the set is whole."""
    files = find_idx_files(folder)
    lines = []
    for path in sorted(files.paths.values()) if files else []:
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    atomic.write_text(folder / SUMS_NAME, "".join(lines))
