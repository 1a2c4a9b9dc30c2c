"""The review queue over HTTP, and its page: one piece at a time for each person.

``stored`` is told only of what is on the disk. The page's own files show nothing and are open; what
shows or changes pieces depends on the service's token.
"""

import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib import resources
from typing import Annotated, Any

import cv2
import numpy as np
from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from tendigits.errors import DataError
from tendigits.imaging import decode
from tendigits.serving.access import require_token
from tendigits.serving.app import add_file
from tendigits.serving.problems import Problem
from tendigits.sorting.corrections import files
from tendigits.sorting.pieces import LONGEST_NAME, LONGEST_TEXT, Answered, Leased
from tendigits.sorting.queue import LEASE_SECONDS, ReviewQueue

SHOWN_SIDE = 2_000  # pixels: of the longer side of a picture as it is sent to the page
JPEG_QUALITY = 90  # of 100; ink keeps its edges
PART_BYTES = 1 << 16  # of an export, that are sent at a time
PAGE_FILES = {
    "/review": ("review.html", "text/html; charset=utf-8"),
    "/page/review.css": ("review.css", "text/css; charset=utf-8"),
    "/page/review.js": ("review.js", "text/javascript; charset=utf-8"),
}

Who = Annotated[str, Field(max_length=LONGEST_NAME, description="The person; one name each.")]
Piece = Annotated[int, Path(ge=1, le=2**31 - 1, description="A piece's number.")]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class Person(BaseModel):
    """Who asks."""

    who: Who


class Said(Person):
    """What a person says is on a piece: digits, fields apart by blanks; ? if nobody can tell."""

    text: Text


def open_review(place: str, *, opinions: int = 1) -> APIRouter:
    """Return the routes of the review queue in an SQLite file, or at ``postgresql://...``.

    Args:
        place: Of the queue.
        opinions: How many people must say the same of a piece, where the piece itself asks for
            fewer.

    Raises:
        TendigitsError: As `ReviewQueue`.
    """
    return review_router(ReviewQueue(place, opinions=opinions), require_token)


def review_router(
    queue: ReviewQueue,
    refuse_strangers: Callable[..., Any],
    *,
    lease_seconds: float = LEASE_SECONDS,
) -> APIRouter:
    """Return the routes of a review queue and of its page.

    Args:
        queue: Where the pieces are.
        refuse_strangers: A dependency, such as `access.require_token`.
        lease_seconds: That a person has for a piece.

    Returns:
        For `create_app`.
    """
    router = APIRouter()
    folder = resources.files("tendigits.serving") / "page"
    for path, (name, media_type) in PAGE_FILES.items():
        add_file(router, path, (folder / name).read_bytes(), media_type)
    guarded = APIRouter(
        prefix="/v1/review", tags=["review"], dependencies=[Depends(refuse_strangers)]
    )
    _add_work(guarded, queue, lease_seconds)
    _add_views(guarded, queue)
    router.include_router(guarded)
    return router


def _add_work(router: APIRouter, queue: ReviewQueue, seconds: float) -> None:
    """Add what changes the queue."""

    @router.post("/lease", response_model=None, summary="Have a piece to look at.")
    def lease(person: Person) -> Response | dict[str, Any]:
        """Lend a piece to a person: the one they have, or the next; 204 if there is none."""
        leased = queue.lease(person.who, seconds)
        return Response(status_code=204) if leased is None else told(leased)

    @router.post("/pieces/{piece}/answer", status_code=201, summary="Say what is on a piece.")
    def answer(piece: Piece, said: Said) -> dict[str, Any]:
        """Store an answer; 409 if the person does not have the piece, or no longer."""
        return {"stored": True, **asdict(queue.answer(piece, said.who, said.text))}

    @router.post("/pieces/{piece}/skip", status_code=204, summary="Give a piece back.")
    def skip(piece: Piece, person: Person) -> None:
        """Give a piece back; 409 if the person does not have it, or no longer."""
        queue.skip(piece, person.who)

    @router.post("/undo", summary="Take the last answer back.")
    def undo(person: Person) -> dict[str, Any]:
        """Take a person's last answer back, and lend them its piece; 409 if there is none."""
        undone = queue.undo(person.who, seconds)
        again = None if undone.leased is None else told(undone.leased)
        return {"piece": undone.piece, "text": undone.text, "leased": again}


def _add_views(router: APIRouter, queue: ReviewQueue) -> None:
    """Add what shows the queue and changes nothing."""

    @router.get("/counts", summary="How much there is to do.")
    def counts() -> dict[str, int]:
        """Count the pieces that are open, those of them that are lent, and the settled ones."""
        return asdict(queue.counts())

    @router.get("/pieces/{piece}/picture", summary="A piece's picture, as JPEG.")
    def picture(piece: Piece) -> Response:
        """Show a piece's picture, upright, its longer side at most 2,000 pixels."""
        content = as_jpeg(queue.picture(piece))
        return Response(content, headers={"Cache-Control": "no-store"}, media_type="image/jpeg")

    @router.get("/export", summary="What was answered, as a labelled set.")
    def export_all() -> Response:
        """Send a ZIP file: pictures of digits in sub-folders 0 to 9, and labels.csv."""
        parts = packed(queue.answers())
        first = next(parts)  # so that a database that cannot be used is told by the status
        headers = {"Content-Disposition": 'attachment; filename="reviewed.zip"'}
        return StreamingResponse(
            itertools.chain([first], parts), headers=headers, media_type="application/zip"
        )


def told(leased: Leased) -> dict[str, Any]:
    """Return a piece as the page takes it; it has no use for what the network saw."""
    page = leased.page.to_dict()
    for field, fields in zip(leased.page.fields, page["fields"], strict=True):
        fields["reasons"] = [] if field.accepted else field.doubts()
        for digit in fields["digits"]:
            del digit["seen"]
    return {
        "piece": leased.piece,
        "name": leased.name,
        "format": leased.format,
        "seconds": leased.seconds,
        **page,
    }


def as_jpeg(content: bytes) -> bytes:
    """Return any picture that can be read, upright, in a form that every browser shows.

    Raises:
        Problem: 404, it cannot be read.
    """
    try:
        pixels = decode(content)
    except DataError as error:
        raise Problem(404, "The picture of this piece cannot be shown: type ? for it.") from error
    scale = min(1.0, SHOWN_SIDE / max(pixels.shape[:2]))
    if scale < 1:
        size = [max(1, round(scale * side)) for side in pixels.shape[1::-1]]
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    if pixels.ndim == 3:
        pixels = pixels[:, :, ::-1]  # OpenCV's order of colours
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(encoded)


class Outbox:
    """What `zipfile` takes for a file that cannot be sought in; it is emptied at the other end."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, part: bytes) -> int:
        """Add a part."""
        self.content += part
        return len(part)

    def flush(self) -> None:
        """Do nothing: what is written is there."""

    def close(self) -> None:
        """Do nothing: what is written stays."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        content = bytes(self.content)
        self.content.clear()
        return content


def packed(answers: Iterable[Answered]) -> Iterator[bytes]:
    """Yield a labelled set as a ZIP file, a part at a time; see `corrections.files`.

    What stays in memory is the list of its files, about half a kilobyte for each digit.
    """
    outbox = Outbox()
    with zipfile.ZipFile(outbox, "w") as packet:
        for name, content in files(answers):
            packet.writestr(name, content)
            if len(outbox.content) >= PART_BYTES:
                yield outbox.take()
    yield outbox.take()
