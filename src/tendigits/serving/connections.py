"""Connections: slow clients are closed, a crowd is refused cheaply, and an end cuts nobody off."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

from tendigits.serving.problems import MEDIA_TYPE, Problem, too_busy

READING = (b"POST /v1/read", b"POST /v1/look")  # how a request begins that a reader works for
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
CLOSING = re.compile(rb"\r\n(connection|transfer-encoding|expect):", re.IGNORECASE)
LAST_WORDS = 0.3  # seconds: a request that was on its way when the service began to end arrives


@dataclass(kw_only=True)
class Room:
    """How many requests for reading are inside.

    Attributes:
        most: That may be.
        refuse: Called for each that is refused at the door.
        inside: That are.
    """

    most: int
    refuse: Callable[[], None] = lambda: None
    inside: int = 0


def whole_answer(problem: Problem) -> bytes:
    """Return a problem as the bytes of a whole answer."""
    body = problem.body()
    lines = [
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in problem.headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def is_whole_reading(data: bytes) -> bool:
    """Say whether bytes are one whole request for reading, with nothing unusual in its head."""
    if not data.startswith(READING):
        return False
    end = data.find(b"\r\n\r\n") + 4
    length = LENGTH.search(data, 0, end - 2)
    return (
        length is not None
        and CLOSING.search(data, 0, end) is None
        and len(data) == end + int(length[1])
    )


REFUSAL = whole_answer(too_busy())
NONSENSE = whole_answer(
    Problem(400, "This is not HTTP, or its head is too long.", {"Connection": "close"})
)


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1, with deadlines for requests and answers, and a soft end.

    A connection is closed where a request has not arrived whole in time, counted from the
    connection's beginning or the request's first byte, and where a client does not take its answer
    in time, counted from when no more of it can be sent: uvicorn itself waits for ever. When the
    service ends, a connection without a request stays open for a moment: what the client had sent
    by then is answered, with ``Connection: close``.

    When there is no room, requests are answered here, without a look at more than their first line
    and length: at ten times the load that can be served, refusing is most of the work.
    """

    receive_seconds = 9.0
    send_seconds = 30.0
    room = Room(most=1)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._send_deadline: asyncio.TimerHandle | None = None
        self._is_ending = False
        self._is_inside = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, and the time for its first request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # any byte that cannot be sent begins the time
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._disarm()
        self._disarm_sending()
        self._leave()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Send no more, as the client takes too little; begin the time for it to take the rest."""
        super().pause_writing()
        # Not `close`, which waits for the client, too.
        self._send_deadline = self.loop.call_later(self.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Send on: the client has taken most of what was sent."""
        self._disarm_sending()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a request begin its time, its last ones end it."""
        if self._is_between_requests() and is_whole_reading(data):
            if self.room.inside >= self.room.most:
                self._refuse()
                return
            self.room.inside += 1
            self._is_inside = True
        if self._deadline is None and self._waits_for_client():
            self._arm()
        super().data_received(data)
        if not self._waits_for_client():
            self._disarm()
        if self._is_ending and self.cycle is not None:
            self._close_after_this()

    def on_response_complete(self) -> None:
        """Wait for the next request, which may have begun to arrive already.

        Of a request that was refused early the rest is still taken, and dropped, within its time: a
        client that is cut off while it sends would not see the refusal.
        """
        self._leave()
        if self.conn.their_state is not h11.SEND_BODY:
            self._disarm()
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.trailing_data[0]:
            self._arm()

    def shutdown(self) -> None:
        """End after the request at hand, or after a moment where there is none."""
        self._is_ending = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_WORDS, self._end_if_idle)
        else:
            self._close_after_this()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, and close."""
        self.transport.write(NONSENSE)
        self.transport.close()

    def _close_after_this(self) -> None:
        """Close the connection after the request at hand, and say so in its answer."""
        self.cycle.keep_alive = False
        headers = self.cycle.scope["headers"]
        if CLOSE_HEADER not in headers:  # uvicorn's answer repeats it
            self.cycle.scope["headers"] = [*headers, CLOSE_HEADER]

    def _end_if_idle(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def _is_between_requests(self) -> bool:
        """Say whether nothing is being received or answered, nor about to end."""
        return (
            self.conn.states == {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}
            and not self.conn.trailing_data[0]
            and not self._is_ending
        )

    def _refuse(self) -> None:
        """Answer the whole request at hand: there is no room."""
        self._disarm()
        self.room.refuse()
        self.transport.write(REFUSAL)
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _leave(self) -> None:
        if self._is_inside:
            self._is_inside = False
            self.room.inside -= 1

    def _waits_for_client(self) -> bool:
        """Say whether the client has still to send something of its request."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.receive_seconds, self._give_up)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _disarm_sending(self) -> None:
        if self._send_deadline is not None:
            self._send_deadline.cancel()
            self._send_deadline = None

    def _give_up(self) -> None:
        """Close a connection whose client is too slow."""
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()


def patient_protocol(
    receive_seconds: float, send_seconds: float, room: Room
) -> type[PatientProtocol]:
    """Return the protocol with its deadlines and its room.

    Args:
        receive_seconds: For a request to arrive whole.
        send_seconds: For a client to take what was sent, where no more can be.
        room: For requests for reading; all connections share it.
    """
    named = {"receive_seconds": receive_seconds, "send_seconds": send_seconds, "room": room}
    return type("Protocol", (PatientProtocol,), named)
