"""Bounded loads on a service of this machine: raw HTTP/1.1 from one thread, cheap to send."""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np

HOST = "127.0.0.1"


@dataclass(kw_only=True)
class Tally:
    """What came back.

    Attributes:
        seconds: By HTTP status, how long each answer took.
        lost: Requests that were sent whole on an open connection and were not answered.
        late: Requests that could not be sent in time, because every connection was busy.
        retry_after: Refusals that said when to try again.
    """

    seconds: dict[int, list[float]] = field(default_factory=dict)
    lost: int = 0
    late: int = 0
    retry_after: int = 0

    def count(self, status: int) -> int:
        """Return how many answers had a status."""
        return len(self.seconds.get(status, ()))

    def milliseconds(self, status: int, percentile: float) -> float:
        """Return a percentile of the answers' times; 0 where there are none."""
        times = self.seconds.get(status)
        return round(1e3 * float(np.percentile(times, percentile)), 2) if times else 0.0


class Connection(asyncio.Protocol):
    """A connection that is used again and again, for one request at a time."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.is_open = True
        self.answered: asyncio.Future[int] | None = None
        self._received = b""
        self._start = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes) -> "asyncio.Future[int]":
        """Send a request; returns where its status will be, 0 if it is lost."""
        self.answered = asyncio.get_running_loop().create_future()
        self._start = time.perf_counter()
        self.transport.write(request)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        (length,) = (int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(body) < length or self.answered is None:
            return
        status = int(head[9:12])
        self.tally.seconds.setdefault(status, []).append(time.perf_counter() - self._start)
        self.tally.retry_after += b"retry-after: 1" in lines
        self.is_open = b"connection: close" not in lines
        self._received = b""
        answered, self.answered = self.answered, None
        answered.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self.answered is not None:
            self.tally.lost += 1
            self.answered.set_result(0)
            self.answered = None


def make_request(port: int, path: str, body: bytes) -> bytes:
    """Return the bytes of a request that sends a PNG picture."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def connect(port: int, tally: Tally) -> Connection:
    """Open a connection."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(tally), HOST, port)
    return connection


async def as_fast_as_answered(
    port: int, request: bytes, *, connections: int, seconds: float
) -> Tally:
    """Send on each connection as soon as it was answered, until the time is over or it is closed.

    Returns:
        What came back.
    """
    tally = Tally()
    end = time.perf_counter() + seconds

    async def keep_asking() -> None:
        connection = await connect(port, tally)
        while connection.is_open and time.perf_counter() < end:
            await connection.send(request)
        connection.transport.close()

    await asyncio.gather(*(keep_asking() for _ in range(connections)))
    return tally


async def at_a_rate(
    port: int, request: bytes, *, rate: float, connections: int, seconds: float
) -> Tally:
    """Send so many requests a second, however fast they are answered.

    Returns:
        What came back; what no connection was free for is counted as late, and not sent.
    """
    tally = Tally()
    free = [await connect(port, tally) for _ in range(connections)]
    begin = time.perf_counter()
    due = 0
    pending: set[asyncio.Future[int]] = set()

    def give_back(connection: Connection, answered: "asyncio.Future[int]") -> None:
        pending.discard(answered)
        if connection.is_open:
            free.append(connection)

    while (now := time.perf_counter() - begin) < seconds:
        while due < now * rate:
            due += 1
            if not free:
                tally.late += 1
                continue
            connection = free.pop()
            if not connection.is_open:
                continue
            answered = connection.send(request)
            pending.add(answered)
            answered.add_done_callback(partial(give_back, connection))
        await asyncio.sleep(0.001)
    if pending:
        await asyncio.wait(pending, timeout=30)
    for connection in free:
        connection.transport.close()
    return tally


async def dribble(port: int, request: bytes, *, seconds: float) -> float | None:
    """Send a byte a second; returns after how many seconds it was closed, None if it was not."""
    reader, writer = await asyncio.open_connection(HOST, port)
    begin = time.perf_counter()
    closed = asyncio.create_task(reader.read(1))
    for byte in request[: int(seconds)]:
        try:
            writer.write(bytes([byte]))
            await asyncio.wait([closed], timeout=1)
        except OSError:
            break
        if closed.done():
            break
    writer.close()
    if not closed.done():
        closed.cancel()
        return None
    closed.exception()  # a reset is an end too
    return time.perf_counter() - begin
