"""What every request passes on its way in: size, room, Host header; and how it is counted."""

import time
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tendigits.serving.access import check_host
from tendigits.serving.metrics import Metrics
from tendigits.serving.problems import Problem, too_busy
from tendigits.serving.settings import MIB, Settings

BROKEN_OFF = 499  # counted where an answer was not sent whole: whoever asked went away, mostly
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Gate:
    """Refuses what is too large, too much or from elsewhere, before the application sees it.

    Args:
        app: The application behind it.
        settings: Of the service.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app, self.settings, self.metrics = app, settings, metrics
        self.held = 0  # bytes of bodies that are being received or read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = Passage(self, scope, receive, send)
        begin = time.perf_counter()
        try:
            check_host(self.settings, dict(scope["headers"]))
            passage.check_length()
            await self.app(scope, passage.receive, passage.send)
        except Problem as problem:
            if not passage.status:
                await problem.response()(scope, receive, passage.send)
        except Exception:  # in the middle of an answer: what was begun as 200 is none
            if not passage.is_whole:
                passage.status, passage.is_whole = 500, True
            raise
        finally:
            self.held -= passage.taken
            status = passage.status if passage.is_whole else BROKEN_OFF
            self._count(scope, status, time.perf_counter() - begin)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # Routes, not paths as typed: a stranger could fill the memory with names.
        path = getattr(scope.get("route"), "path", "other")
        self.metrics.requests.labels(path, str(status)).inc()
        self.metrics.seconds.labels(path).observe(seconds)
        if status == 429:
            self.metrics.refused.inc()


@dataclass
class Passage:
    """One request on its way through the gate.

    Attributes:
        gate: That it passes.
        scope: Of the request, as ASGI has it.
        inner_receive: Gives the request's parts.
        inner_send: Takes the response's parts.
        taken: Bytes of the body so far.
        status: Of the response; 0 before there is one.
        is_whole: All of the response was sent.
    """

    gate: Gate
    scope: Scope
    inner_receive: Receive
    inner_send: Send
    taken: int = 0
    status: int = 0
    is_whole: bool = False

    def check_length(self) -> None:
        """Refuse a body that is said to be too long; raises `Problem`."""
        said = dict(self.scope["headers"]).get(b"content-length", b"0")
        if said.isdigit() and int(said) > self.gate.settings.body_bytes:
            raise self._too_long()

    async def receive(self) -> Message:
        """Return the next part of the request; raises `Problem` for one part too many."""
        message = await self.inner_receive()
        size = len(message.get("body", b""))
        self.taken += size
        self.gate.held += size
        if self.taken > self.gate.settings.body_bytes:
            raise self._too_long()
        if self.gate.held > self.gate.settings.held_bytes:
            raise too_busy()
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[Any] = list(message.get("headers", []))
            message = {**message, "headers": headers + SECURITY_HEADERS}
        await self.inner_send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.is_whole = True

    def _too_long(self) -> Problem:
        most = self.gate.settings.body_bytes / MIB
        return Problem(413, f"The body is too long: expected at most {most:g} MiB.")
