"""A real PostgreSQL to test and to measure with: Debian's, on a folder and a port of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
START_SECONDS = 60
MISSING = "there is no PostgreSQL: the Debian package `postgresql` brings it"


class Server:
    """A server on a data folder of its own.

    Args:
        folder: Of PostgreSQL's user; `data` in it holds the database.
        port: To listen on.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.process: subprocess.Popen[bytes] | None = None
        self.address = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = ("-h", "127.0.0.1", "-p", str(self.port), "-k", "")
        self.process = run("postgres", self.folder, *options)
        wait_for(self.process, self.port)

    def end(self) -> None:
        """Let it end as it should."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()

    def kill(self) -> None:
        """Kill it and all of its processes (SIGKILL), each of which is a group of its own."""
        assert self.process is not None
        first = psutil.Process(self.process.pid)
        processes = [first, *first.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        psutil.wait_procs(processes)

    def check(self) -> str:
        """Return what `pg_amcheck` finds wrong with its tables and indexes; ``ok`` for nothing."""
        options = ["--username=postgres", "-h", "127.0.0.1", "-p", str(self.port)]
        words = [*options, "--install-missing", "--heapallindexed", "postgres"]
        checked = subprocess.run(
            [str(PROGRAMS[-1] / "pg_amcheck"), *words], capture_output=True, text=True
        )
        return "ok" if checked.returncode == 0 else checked.stdout + checked.stderr


@contextmanager
def postgresql() -> Iterator[Server]:
    """Start a server, give it, and end it; raises `FileNotFoundError` where there is none."""
    if not PROGRAMS:
        raise FileNotFoundError(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="tendigits-postgres-"))
    try:
        if os.getuid() == 0:  # as whom it refuses to run
            shutil.chown(folder, "postgres", "postgres")
        made = run("initdb", folder, "--auth=trust", "--username=postgres", "--no-sync").wait()
        assert made == 0, "initdb failed"
        server = Server(folder, free_port())  # now, so that nothing else has time to take it
        try:
            server.start()
            yield server
        finally:
            server.end()
    finally:
        shutil.rmtree(folder)


def run(program: str, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start one of PostgreSQL's programs on a data folder, as its own user."""
    is_root = os.getuid() == 0
    return subprocess.Popen(
        [str(PROGRAMS[-1] / program), "-D", str(folder / "data"), *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user="postgres" if is_root else None,
        group="postgres" if is_root else None,
        extra_groups=[] if is_root else None,
    )


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a server takes connections."""
    asking = [str(PROGRAMS[-1] / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    end = time.monotonic() + START_SECONDS
    while subprocess.run(asking).returncode:
        assert server.poll() is None, "PostgreSQL did not start"
        assert time.monotonic() < end, "PostgreSQL takes no connections"
        time.sleep(0.05)
