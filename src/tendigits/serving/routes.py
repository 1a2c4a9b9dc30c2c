"""`/v1`: pictures in, what is on them out."""

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from tendigits.reading.reader import REJECT_ABOVE
from tendigits.serving import packets
from tendigits.serving.answers import Answer, Job
from tendigits.serving.health import readers_of
from tendigits.serving.problems import Problem, as_sentence

PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff", "image/gif")

Format = Annotated[
    str | None,
    Query(description="What a field keeps to: us-zip, de-plz, digits:5, luhn:16, ..."),
]
Fields = Annotated[
    Literal["one", "lines"],
    Query(description="one: the picture is of one field; lines: as many as there are."),
]
RejectAbove = Annotated[
    float, Query(ge=0, le=1, description="Chance of being wrong above which a person should look.")
]

router = APIRouter(prefix="/v1", tags=["reading"])


def takes(*types: str) -> dict[str, Any]:
    """Return what OpenAPI should say of a body of one of some types."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(types, schema)}}


def check_type(request: Request, types: tuple[str, ...]) -> None:
    """Refuse a body of another type than those; raises `Problem` 415."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise Problem(
            415,
            f"The body is said to be {given[:60] or 'of no type'}: expected {', '.join(types)}.",
            {"Accept-Post": ", ".join(types)},
        )


@router.post("/read", openapi_extra=takes(*PICTURES), summary="Read a picture.")
async def read(
    request: Request,
    format: Format = None,
    fields: Fields = "lines",
    reject_above: RejectAbove = REJECT_ABOVE,
) -> Response:
    """Read the digits on the picture that is the body, as the bytes of its file."""
    return await _read(request, format, fields, reject_above, look=False)


@router.post(
    "/look", openapi_extra=takes(*PICTURES), summary="Read a picture, and show how it was read."
)
async def look(
    request: Request,
    format: Format = None,
    fields: Fields = "lines",
    reject_above: RejectAbove = REJECT_ABOVE,
) -> Response:
    """Read a picture, with every alternative and the first layer's feature maps of each digit."""
    return await _read(request, format, fields, reject_above, look=True)


async def _read(
    request: Request, format: str | None, fields: str, reject_above: float, *, look: bool
) -> Response:
    """Read the picture in a request's body."""
    check_type(request, PICTURES)
    job = Job(
        content=await request.body(),
        format=format,
        fields=fields,
        reject_above=reject_above,
        look=look,
    )
    begin = time.perf_counter()
    answer = await answer_to(request, job)
    if answer.status != 200:
        raise problem_in(answer)
    milliseconds = 1e3 * (time.perf_counter() - begin)
    head = b'{"milliseconds": %.2f, ' % milliseconds
    return Response(head + answer.body[1:], media_type="application/json")


async def answer_to(request: Request, job: Job) -> Answer:
    """Let a picture be read, wait for it and count it; raises `Problem` where too many wait."""
    readers = readers_of(request)
    if not readers.are_ready:
        raise Problem(503, "The model is still loading.", {"Retry-After": "1"})
    answer = await asyncio.wrap_future(readers.put(job))
    if answer.status == 200:
        request.app.state.metrics.count_page(answer.digits, accepted=answer.accepted)
    return answer


def problem_in(answer: Answer) -> Problem:
    """Return the problem that an answer without a page holds."""
    return Problem(answer.status, as_sentence(answer.detail))


@router.post("/read/batch", openapi_extra=takes(packets.TYPE), summary="Read many pictures.")
async def read_batch(
    request: Request,
    format: Format = None,
    fields: Fields = "lines",
    reject_above: RejectAbove = REJECT_ABOVE,
) -> StreamingResponse:
    """Read the pictures in the ZIP file that is the body: a line of JSON for each, in its order.

    Each line has the picture's name in the ZIP file under `file`; where the picture cannot be read,
    it has the problem under `problem` instead of the page.
    """
    check_type(request, (packets.TYPE,))
    packet = packets.open_packet(await request.body())

    async def answer(content: bytes) -> Answer:
        job = Job(content=content, format=format, fields=fields, reject_above=reject_above)
        return await answer_to(request, job)

    return StreamingResponse(
        packets.lines(packet, answer, request.app.state.unpacking),
        media_type="application/x-ndjson",
    )
