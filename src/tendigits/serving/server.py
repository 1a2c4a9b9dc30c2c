"""Runs the service under uvicorn until it is told to end."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from tendigits.serving.batching import MOST
from tendigits.serving.connections import Room, patient_protocol
from tendigits.serving.settings import Settings

END_SECONDS = 8  # for requests that are being answered, once the service is told to end
WAITING_CONNECTIONS = 1_024


def run(app: FastAPI, settings: Settings, on_address: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; every request that was accepted by then is answered.

    Args:
        app: What `create_app` returned.
        settings: The same.
        on_address: Called with the service's address once it listens.

    Raises:
        OSError: The address cannot be bound.
        TendigitsError: The model cannot be loaded.
    """
    listening = listen(settings.host, settings.port)
    try:
        app.state.readers.start()  # now, so that a bad model is told in a line
        _serve(app, settings, listening, on_address)
    finally:
        app.state.readers.close()
        listening.close()


def _serve(
    app: FastAPI, settings: Settings, listening: socket.socket, on_address: Callable[[str], None]
) -> None:
    """Serve on a socket until a signal."""
    server = make_server(app, settings)

    def end(number: int, frame: FrameType | None) -> None:
        # Before uvicorn listens to signals itself; and when it raises the one that ended it once
        # more, by when all is done, and the exit code 0.
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    on_address(address_of(listening, settings))
    server.run(sockets=[listening])


def make_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Return uvicorn with our limits; it logs troubles only."""
    # Those that wait, and those that are being read.
    most = settings.waiting + MOST * max(1, settings.readers)
    room = Room(most=most, refuse=app.state.metrics.count_refusal)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=patient_protocol(settings.receive_seconds, settings.send_seconds, room),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=END_SECONDS,
            h11_max_incomplete_event_size=16 * 1024,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; raises `OSError` where that fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio switches Nagle's delay off only for what it knows to be TCP,
    # and an answer would wait 40 ms for the acknowledgement of its head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    listening.listen(WAITING_CONNECTIONS)
    return listening


def address_of(listening: socket.socket, settings: Settings) -> str:
    """Return the address of the page, such as ``http://127.0.0.1:8010/``."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listening.getsockname()[1]}/"
