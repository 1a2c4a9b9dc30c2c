"""Fetch a file whose checksum is known from the first of several mirrors that delivers it.

What arrives is kept under a ``.part`` name until its checksum is right, and a download that broke
off continues where it stopped, also in a later process. Nothing that a server says is believed: not
the length, not the range, not the content.
"""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tendigits import atomic
from tendigits.errors import DownloadError
from tendigits.version import __version__

TIMEOUT = 30.0  # seconds without a byte before a server is given up
ATTEMPTS = 4  # connections to one mirror, each continuing where the one before broke off
CHUNK_BYTES = 2**18
RANGE_REFUSALS = (400, 403, 416, 501)  # HTTP answers after which the whole file is asked for

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that have arrived, and the bytes in all, if known."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file that can be fetched.

    Attributes:
        name: Its name in the folder that it is fetched to.
        urls: Where it is, in the order in which they are tried.
        checksum: ``"md5:"`` or ``"sha256:"`` and hexadecimal digits, as its makers published it.
        max_bytes: A generous bound; a server that sends more is cut off.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    max_bytes: int


class _MirrorError(Exception):
    """A mirror did not deliver; the message says why."""


class _BrokenOffError(_MirrorError):
    """The connection ended early; another one may continue."""


def download(
    file: RemoteFile, folder: Path, *, progress: Progress | None = None, timeout: float = TIMEOUT
) -> Path:
    """Fetch a file unless it is there already, whole.

    Args:
        file: What to fetch.
        folder: Where to put it; made if it does not exist.
        progress: Called after each piece that arrives.
        timeout: Seconds without a byte before a server is given up.

    Returns:
        The path of the file, whose checksum has been verified.

    Raises:
        DownloadError: No mirror delivered it, or it cannot be written.
    """
    path = folder / file.name
    part = folder / f".{file.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not has_checksum(path, file.checksum):
            _receive_from_mirrors(_Transfer(file, part, progress, timeout))
            part.replace(path)
            atomic.sync_folder(folder)
            _origin_of(part).unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{path}: cannot be written ({error.strerror or error}): make room, or choose "
            "another folder"
        ) from error
    return path


def has_checksum(path: Path, checksum: str) -> bool:
    """Say whether a file exists and has a checksum such as ``"md5:d41d8cd9..."``."""
    algorithm, _, expected = checksum.partition(":")
    if not path.is_file():
        return False
    with path.open("rb") as file:
        # md5 stands for what the makers published; it finds accidents, not forgers.
        digest = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return digest.hexdigest() == expected


@dataclass(frozen=True)
class _Transfer:
    """What the steps of one download share; `part` is where the bytes gather."""

    file: RemoteFile
    part: Path
    progress: Progress | None
    timeout: float  # seconds

    def bytes_so_far(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0


def _receive_from_mirrors(transfer: _Transfer) -> None:
    """Fill the part with the right bytes from the first mirror that has them."""
    if has_checksum(transfer.part, transfer.file.checksum):
        return  # an earlier process ended between the last byte and the renaming
    reasons = []
    for url in transfer.file.urls:
        try:
            _receive_from_mirror(transfer, url)
            return
        except _MirrorError as error:
            reasons.append(f"{url} {' '.join(str(error).split())}")
    raise DownloadError(
        f"{transfer.file.name}: no mirror delivered it: {'; '.join(reasons)}: check the "
        f"connection, or put the file into {transfer.part.parent} yourself"
    )


def _receive_from_mirror(transfer: _Transfer, url: str) -> None:
    """Fill the part with the right bytes, in as many connections as are allowed."""
    for _ in range(ATTEMPTS):
        continued = transfer.bytes_so_far() > 0
        fault = _MirrorError(f"sent another file (its checksum is not {transfer.file.checksum})")
        try:
            _receive(transfer, url)
        except _BrokenOffError as error:
            fault = error
        if has_checksum(transfer.part, transfer.file.checksum):
            return
        if not isinstance(fault, _BrokenOffError):
            transfer.part.unlink()
            if not continued:
                break  # otherwise the beginning, from elsewhere, may be what was wrong
    raise fault


def _receive(transfer: _Transfer, url: str) -> None:
    """Receive what one connection gives, after the bytes that are there already."""
    with _connect(transfer, url) as response:
        offset = (
            transfer.bytes_so_far() if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        )
        total = _announced_total(response, offset)
        if total is not None and total > transfer.file.max_bytes:
            raise _MirrorError(f"announces {total:,} bytes, more than {transfer.file.max_bytes:,}")
        _note_origin(transfer.part, url, response)
        received = offset
        with transfer.part.open("ab" if offset else "wb") as output:
            for chunk in _chunks(response):
                received += len(chunk)
                if received > transfer.file.max_bytes:
                    break
                output.write(chunk)
                if transfer.progress:
                    transfer.progress(transfer.file.name, received, total)
            output.flush()
            os.fsync(output.fileno())
    if received > transfer.file.max_bytes:
        transfer.part.unlink()
        raise _MirrorError(f"sent more than {transfer.file.max_bytes:,} bytes")
    if total is not None and received < total:
        raise _BrokenOffError(f"broke off after {received:,} of {total:,} bytes")


def _connect(transfer: _Transfer, url: str) -> http.client.HTTPResponse:
    """Ask a mirror for the bytes that are missing; forget those that it will not continue."""
    offset = transfer.bytes_so_far()
    headers = {"User-Agent": f"tendigits/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-"} | _if_unchanged(transfer.part, url)
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=transfer.timeout
        )
    except urllib.error.HTTPError as error:
        error.close()
        if not offset or error.code not in RANGE_REFUSALS:
            raise _MirrorError(f"answered {error.code} {error.reason}") from error
        transfer.part.unlink()
        raise _BrokenOffError(f"would not continue: {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A ValueError is a malformed address, which a mirror may send us on to.
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _MirrorError(f"cannot be reached ({reason})") from error
    if response.status == http.HTTPStatus.PARTIAL_CONTENT and not _begins_at(response, offset):
        response.close()
        transfer.part.unlink(missing_ok=True)
        raise _BrokenOffError("continued at another place than it was asked to")
    return response


def _begins_at(response: http.client.HTTPResponse, offset: int) -> bool:
    """Say whether the range that a mirror sends begins at the byte that was asked for."""
    return response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def _announced_total(response: http.client.HTTPResponse, offset: int) -> int | None:
    """Return how long the whole file is by what the mirror says; None if it says nothing."""
    length = response.headers.get("Content-Length", "")
    try:
        return offset + int(length) if length.isascii() and length.isdigit() else None
    except ValueError:  # thousands of digits
        return None


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Give what arrives; only here is an `OSError` the network's and not the disk's."""
    while True:
        try:
            chunk = response.read(CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenOffError(f"broke off ({error})") from error
        if not chunk:
            return
        yield chunk


def _origin_of(part: Path) -> Path:
    """Return where it is noted from which version of which address a part came."""
    return part.with_suffix(".origin")


def _note_origin(part: Path, url: str, response: http.client.HTTPResponse) -> None:
    """Note from which version of `url` the bytes in `part` come."""
    version = response.headers.get("ETag", "")
    if not version or version.startswith("W/"):  # a weak one may stand for other bytes
        version = response.headers.get("Last-Modified", "")
    _origin_of(part).write_text(f"{url}\n{version}")


def _if_unchanged(part: Path, url: str) -> dict[str, str]:
    """Return the header that makes a mirror start afresh if its file is a new version.

    A part that another mirror began has no version here; the checksum decides about it.
    """
    origin = _origin_of(part)
    noted_url, _, version = (origin.read_text() if origin.is_file() else "").partition("\n")
    return {"If-Range": version} if version and noted_url == url else {}
