"""A local HTTP server whose mirrors misbehave in the ways that real ones do."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Mirror:
    """One directory of the server, and how it behaves.

    Attributes:
        files: Content by name.
        break_off_after: Bytes of content in a response after which the connection ends, once for
            each number, in order.
        accepts_range: Answer a range with a part of the file; otherwise with all of it.
        refuses_range: Answer a range with this status.
        claims: What to add to the true Content-Length; None to leave the header out.
        length: What to send for a Content-Length instead.
        moved_to: Answer with a redirection to this address.
        shifts_range: Answer a range from this many bytes later than was asked.
        etag: The version of the files.
        requests: What came, as (name, range) pairs.
    """

    files: dict[str, bytes]
    break_off_after: list[int] = field(default_factory=list)
    accepts_range: bool = True
    refuses_range: int | None = None
    claims: int | None = 0
    length: str | None = None
    moved_to: str | None = None
    shifts_range: int = 0
    etag: str = '"one"'
    requests: list[tuple[str, str | None]] = field(default_factory=list)


class MirrorServer(ThreadingHTTPServer):
    """Serves each mirror under its name."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mirrors: dict[str, Mirror] = {}

    def add(self, name: str, mirror: Mirror) -> str:
        """Put up a mirror and return its address, to which a file's name is appended."""
        self.mirrors[name] = mirror
        return f"http://127.0.0.1:{self.server_port}/{name}/"


class _Handler(BaseHTTPRequestHandler):
    server: MirrorServer

    def do_GET(self) -> None:
        _, mirror_name, name = self.path.split("/", 2)
        mirror = self.server.mirrors[mirror_name]
        asked = self.headers.get("Range")
        mirror.requests.append((name, asked))
        if mirror.moved_to is not None:
            self.send_response(302)
            self.send_header("Location", mirror.moved_to)
            self.end_headers()
            return
        if name not in mirror.files:
            self.send_error(404)
            return
        if asked and mirror.refuses_range:
            self.send_error(mirror.refuses_range)
            return
        self._send(mirror, mirror.files[name], self._start_of(mirror, asked))

    def _start_of(self, mirror: Mirror, asked: str | None) -> int:
        """Return the byte to begin with; a changed If-Range means the first."""
        match = re.fullmatch(r"bytes=(\d+)-", asked or "")
        changed = self.headers.get("If-Range", mirror.etag) != mirror.etag
        return int(match[1]) if match and mirror.accepts_range and not changed else 0

    def _send(self, mirror: Mirror, content: bytes, start: int) -> None:
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        start += mirror.shifts_range if start else 0
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if mirror.claims is not None:
            length = str(len(content) - start + mirror.claims)
            self.send_header("Content-Length", mirror.length or length)
        self.send_header("ETag", mirror.etag)
        self.end_headers()
        stop = start + mirror.break_off_after.pop(0) if mirror.break_off_after else None
        with contextlib.suppress(ConnectionError):  # a client may have seen enough
            self.wfile.write(content[start:stop])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the screen."""


@contextlib.contextmanager
def serve() -> Iterator[MirrorServer]:
    """Run a server until the block ends."""
    with MirrorServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def md5(content: bytes) -> str:
    """Return a checksum in the form that `RemoteFile` has it."""
    return f"md5:{hashlib.md5(content).hexdigest()}"
