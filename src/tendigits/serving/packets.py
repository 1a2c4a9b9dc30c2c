"""Many pictures in one body: a ZIP file in, lines of JSON out.

A ZIP file is what anyone can make of a folder, and its parts need no encoding. Nothing of it is
written to a disk, so names in it are names only. What it unpacks to is bounded.
"""

import asyncio
import io
import json
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

from tendigits.serving.answers import Answer
from tendigits.serving.problems import Problem, as_sentence
from tendigits.serving.settings import MIB

TYPE = "application/zip"
MOST_PICTURES = 1_000
MOST_BYTES = 8 * MIB  # of a picture, unpacked
AT_ONCE = 2  # pictures of a packet that are read at a time, so that others get in
UNPACKED = 4  # pictures of all packets that are in memory at a time
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others unpack into any memory
LAST_RECORD = b"PK\x05\x06"  # begins the end of the central directory
LAST_RECORD_BYTES = 22
LONGEST_ENTRY = 1_024  # bytes of the directory: its name, and what systems add
LONGEST_COMMENT = 65_536  # bytes, behind it; one more than its length has room for, as in `zipfile`
LOCATOR = b"PK\x06\x07"  # begins what says where the last record of a ZIP64 file is
LOCATOR_BYTES = 20  # right before the usual last record
PATIENCE = 0.05  # seconds between two tries, while others' pictures fill the queue

Ask = Callable[[bytes], Awaitable[Answer]]


def open_packet(body: bytes) -> zipfile.ZipFile:
    """Open the ZIP file that is the body of a request.

    Raises:
        Problem: 422, it is none, it is a ZIP64 file, or it has too many parts.
    """
    entries = count_entries(body)
    if entries > MOST_PICTURES:  # before they are all looked at, which takes long
        raise Problem(422, f"The ZIP file has {entries:,} files: expected 1 to {MOST_PICTURES:,}.")
    try:
        packet = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Problem(422, "The body is not a ZIP file of pictures.") from error
    count = len(pictures(packet))
    if not 1 <= count <= MOST_PICTURES:
        raise Problem(422, f"The ZIP file has {count} files: expected 1 to {MOST_PICTURES:,}.")
    return packet


def count_entries(body: bytes) -> int:
    """Return how many entries a ZIP file may have by its last record; 0 if there is none.

    That is their number or, where this is a lie, what the directory's length has room for.

    Raises:
        Problem: 422, another record says it, which only a file of more than 4 GiB needs.
    """
    place = find_last_record(body)
    if body.startswith(LOCATOR, max(0, place - LOCATOR_BYTES)):
        raise Problem(
            422, "The ZIP file is a ZIP64 file, for more than 4 GiB: expected a usual one."
        )
    record = body[place : place + LAST_RECORD_BYTES]
    if place < 0 or len(record) < LAST_RECORD_BYTES:
        return 0
    entries, length = struct.unpack_from("<HI", record, 10)
    return int(max(entries, length // LONGEST_ENTRY))


def find_last_record(body: bytes) -> int:
    """Return where the last record begins, found as `zipfile` finds it; -1 if there is none."""
    place = len(body) - LAST_RECORD_BYTES
    if place >= 0 and body.startswith(LAST_RECORD, place) and body.endswith(b"\0\0"):
        return place  # without a comment, whatever else in it looks like its beginning
    return body.rfind(LAST_RECORD, -(LAST_RECORD_BYTES + LONGEST_COMMENT))


def pictures(packet: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files in a ZIP file, without its folders."""
    # Not `is_dir`, which fails for a name without a letter.
    return [part for part in packet.infolist() if not part.filename.endswith("/")]


async def lines(packet: zipfile.ZipFile, ask: Ask, room: asyncio.Semaphore) -> AsyncIterator[bytes]:
    """Yield a line of JSON for each picture, in their order.

    Args:
        packet: The pictures.
        ask: Has one read.
        room: Held while a picture is unpacked and read; all packets share it.
    """
    parts = pictures(packet)
    pending = [asyncio.create_task(_line(packet, part, ask, room)) for part in parts[:AT_ONCE]]
    try:
        for following in [*parts[AT_ONCE:], *[None] * AT_ONCE]:
            if pending:
                yield await pending.pop(0)
            if following is not None:
                pending.append(asyncio.create_task(_line(packet, following, ask, room)))
    finally:
        for task in pending:
            task.cancel()


async def _line(
    packet: zipfile.ZipFile, part: zipfile.ZipInfo, ask: Ask, room: asyncio.Semaphore
) -> bytes:
    """Return the line of one picture."""
    try:
        async with room:
            content = await asyncio.to_thread(_unpack, packet, part)
            answer = await _ask_patiently(content, ask)
        if answer.status != 200:
            raise Problem(answer.status, as_sentence(answer.detail))
        told = answer.body
    except Problem as problem:
        told = b'{"problem": ' + problem.body() + b"}"
    return b'{"file": ' + json.dumps(part.filename).encode() + b", " + told[1:] + b"\n"


async def _ask_patiently(content: bytes, ask: Ask) -> Answer:
    """Ask until there is room: a packet that was accepted is read whole."""
    while True:
        try:
            return await ask(content)
        except Problem as problem:
            if problem.status != 429:
                raise
        await asyncio.sleep(PATIENCE)


def _unpack(packet: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """Return a file in a ZIP file; raises `Problem` where it is too large or damaged."""
    if part.compress_type not in COMPRESSIONS:
        raise Problem(422, "This file is packed in a way that is not taken: expected deflate.")
    if part.file_size > MOST_BYTES:
        raise Problem(413, f"This file is too long: expected at most {MOST_BYTES // MIB} MiB.")
    try:
        with packet.open(part) as file:
            return file.read(part.file_size)  # no more, whatever it would unpack to
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        OverflowError,  # a place beyond any file
    ) as error:
        raise Problem(422, "This file cannot be unpacked.") from error
