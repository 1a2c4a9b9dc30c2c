"""Errors as the service tells them: problem details in JSON (RFC 9457), with one sentence."""

import http
import json
import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from tendigits.errors import (
    DataError,
    LeaseError,
    QueueError,
    StorageFullError,
    TendigitsError,
    UsageError,
    is_disk_full,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1  # after a refusal; a queue that is full is worked off in less

log = logging.getLogger("tendigits.serving")


class Problem(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status code, 400 to 599.
        detail: One sentence: what was given, what was expected.
        headers: To send along.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Return the problem as JSON."""
        title = http.HTTPStatus(self.status).phrase
        content = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "detail": self.detail,
        }
        return json.dumps(content).encode()

    def response(self) -> Response:
        """Return the problem as a response."""
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)


def too_busy() -> Problem:
    """Return the refusal of a request for which there is no room now."""
    return Problem(
        429,
        f"Too many pictures are waiting to be read; try again in {RETRY_SECONDS} second.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def disk_full() -> Problem:
    """Return the refusal of a request that could not be stored, and was not."""
    return Problem(507, "The disk is full: nothing was stored; free some space and send it again.")


def problem_of(error: Exception) -> Problem:
    """Return how an error is told: ours as they are, a full disk as 507, others without details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, OSError) and is_disk_full(error):
        return disk_full()
    if isinstance(error, StorageFullError):
        return disk_full()
    if isinstance(error, QueueError):
        status = 409 if isinstance(error, LeaseError) else 503
        return Problem(status, as_sentence(str(error)))
    if isinstance(error, DataError | UsageError):
        return Problem(422, as_sentence(str(error)))
    if isinstance(error, TendigitsError):
        return Problem(500, as_sentence(str(error)))
    return Problem(500, "The service made a mistake; its log says which.")


def as_sentence(message: str) -> str:
    """Return a message as a sentence: with a capital letter and a full stop."""
    words = " ".join(message.split())
    return words[:1].upper() + words[1:].rstrip(".") + "."


def install(app: FastAPI) -> None:
    """Make an application answer every error with a problem."""

    async def tell(_: Request, error: Exception) -> Response:
        return problem_of(error).response()

    async def tell_and_log(_: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.status == 500:
            log.error("a request was not answered", exc_info=error)
        return problem.response()

    async def tell_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, Problem):  # what the gate said while JSON was received
            return error.__cause__.response()
        phrase = http.HTTPStatus(error.status_code).phrase
        detail = "" if error.detail == phrase else str(error.detail)
        return Problem(error.status_code, as_sentence(detail or phrase), error.headers).response()

    async def tell_invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return Problem(422, as_sentence(f"{name}: {first['msg']}")).response()

    app.add_exception_handler(Problem, tell)
    app.add_exception_handler(TendigitsError, tell_and_log)
    app.add_exception_handler(OSError, tell_and_log)
    app.add_exception_handler(Exception, tell)  # uvicorn logs it
    app.add_exception_handler(HTTPException, tell_http)
    app.add_exception_handler(RequestValidationError, tell_invalid)
