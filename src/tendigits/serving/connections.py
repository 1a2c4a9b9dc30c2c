"""Connections: slow clients are closed, and none is cut off when the service ends."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

LAST_WORDS = 0.3  # seconds: a request that was on its way when the service began to end arrives


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1, with a deadline for a whole request and a soft end.

    A connection is closed where a request has not arrived whole in time, counted from the
    connection's beginning or the request's first byte: uvicorn itself waits for ever. When the
    service ends, a connection without a request stays open for a moment: what the client had sent
    by then is answered, with ``Connection: close``.
    """

    receive_seconds = 9.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, and the time for its first request."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a request begin its time, its last ones end it."""
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

    def _close_after_this(self) -> None:
        """Close the connection after the request at hand, and say so in its answer."""
        self.cycle.keep_alive = False
        if CLOSE_HEADER not in self.cycle.scope["headers"]:  # uvicorn's answer repeats it
            self.cycle.scope["headers"].append(CLOSE_HEADER)

    def _end_if_idle(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

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

    def _give_up(self) -> None:
        """Close a connection whose client is too slow."""
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()


def patient_protocol(receive_seconds: float) -> type[PatientProtocol]:
    """Return the protocol with a time, in seconds, for a request to arrive whole."""
    return type("Protocol", (PatientProtocol,), {"receive_seconds": receive_seconds})
