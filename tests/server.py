"""A real server for tests, on a free port of this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from tendigits.serving.server import listen, make_server


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve from a thread, until the block is left; the model is loaded before, as by `run`."""
    app.state.readers.start()
    listening = listen("127.0.0.1", 0)
    server = make_server(app, app.state.settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    host, port = listening.getsockname()
    try:
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=120) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
