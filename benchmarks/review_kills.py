"""A service that is killed while people review loses no answer (`scripts/bench review_kills`).

Each round starts the service on the same queue, lets several clients review as fast as they can,
kills the service (SIGKILL) at a random instant, and looks into the database: every answer that any
client was ever told is stored must be there, and the database must be whole. SQLite is inside the
service; PostgreSQL (`--postgresql`, Debian's) is killed with it, all of its processes, and started
again. Agreement is out of reach, so that pieces never run out; each round has people of its own.
"""

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import psycopg

from benchmarks.command import COMMAND
from benchmarks.postgres import Server, postgresql
from benchmarks.results import write_results
from tendigits.results import Page
from tendigits.sorting.queue import ReviewQueue

PIECES = 400
CLIENTS = 4
LONGEST = 1.5  # seconds that a round lasts, from the first answer on
OUT_OF_REACH = 1_000_000  # people who would have to agree
ANSWERS = "SELECT piece, who, text FROM review_answers WHERE undone IS NULL"

Answer = tuple[int, str, str]  # piece, person, text


class Reviewer(threading.Thread):
    """Reviews until the service is gone, and notes what it was told is stored.

    Args:
        address: Of the service.
        who: The person's name.
        seed: Fixes what is typed.
    """

    def __init__(self, address: str, who: str, seed: int) -> None:
        super().__init__()
        self.client = httpx.Client(base_url=f"{address}v1/review/", timeout=30)
        self.who, self.chance = who, random.Random(seed)
        self.told: list[Answer] = []
        self.sent = 0

    def run(self) -> None:
        """Review."""
        with self.client:
            try:
                while self.review():
                    pass
            except httpx.TransportError:
                return

    def review(self) -> bool:
        """Review one piece; False if there is none."""
        leased = self.client.post("lease", json={"who": self.who})
        if leased.status_code == 204:
            return False
        piece = leased.raise_for_status().json()["piece"]
        text = f"{self.chance.randrange(100_000):05d}"
        self.sent += 1
        answer = self.client.post(f"pieces/{piece}/answer", json={"who": self.who, "text": text})
        if answer.raise_for_status().json()["stored"]:
            self.told.append((piece, self.who, text))
        return True


class Database(Protocol):
    """Where a queue is.

    Attributes:
        address: As `tendigits serve --queue` takes it.
    """

    address: str

    def kill(self) -> None:
        """Kill it after the service was."""

    def look_into(self) -> tuple[set[Answer], str]:
        """Return the answers in it, and ``ok`` or what is wrong with its files."""


class SqliteFile:
    """A queue in a file, which ends with the service."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)

    def kill(self) -> None:
        """Do nothing: it was a part of the service."""

    def look_into(self) -> tuple[set[Answer], str]:
        """Return the answers in it, and what SQLite says of the file."""
        with contextlib.closing(sqlite3.connect(self.address)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            return set(connection.execute(ANSWERS)), str(verdict)


class PostgresServer:
    """A queue in a server of its own."""

    def __init__(self, server: Server) -> None:
        self.server, self.address = server, server.address

    def kill(self) -> None:
        """Kill all of its processes."""
        self.server.kill()

    def look_into(self) -> tuple[set[Answer], str]:
        """Start it again; return the answers in it, and what `pg_amcheck` says of its files."""
        self.server.start()
        with psycopg.connect(self.address) as connection:
            return set(connection.execute(ANSWERS).fetchall()), self.server.check()


@contextlib.contextmanager
def open_database(*, is_postgresql: bool) -> Iterator[Database]:
    """Give a new database for the block."""
    if is_postgresql:
        with postgresql() as server:
            yield PostgresServer(server)
    else:
        with tempfile.TemporaryDirectory() as name:
            yield SqliteFile(Path(name) / "queue.sqlite")


def make_queue(place: str) -> None:
    """Make a queue of pieces on which people never agree."""
    queue = ReviewQueue(place, opinions=OUT_OF_REACH)
    for number in range(PIECES):
        queue.add(f"{number}.png", b"picture", Page(fields=(), width=1, height=1))
    queue.close()


def start_service(place: str) -> tuple[subprocess.Popen[str], str]:
    """Start the service on a queue, in a process group of its own, and return its address too."""
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0", "--readers", "0", "--queue", place],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise RuntimeError("the service did not start")
    return process, address


def measure_round(
    database: Database, number: int, told: list[Answer], chance: random.Random
) -> dict[str, Any]:
    """Kill the service once while people review; add what they were told to `told`."""
    process, address = start_service(database.address)
    people = [
        Reviewer(address, f"round {number} person {each}", chance.randrange(1 << 30))
        for each in range(CLIENTS)
    ]
    for person in people:
        person.start()
    while not any(person.told for person in people) and process.poll() is None:
        time.sleep(0.005)
    delay = chance.uniform(0, LONGEST)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    database.kill()
    process.communicate()
    for person in people:
        person.join()
        told += person.told
    kept, verdict = database.look_into()
    return {
        "after_seconds": round(delay, 3),
        "told_stored": sum(len(person.told) for person in people),
        "not_heard": sum(person.sent - len(person.told) for person in people),
        "lost": len(set(told) - kept),
        "integrity": verdict,
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="services to kill")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, killed as well")
    parser.add_argument("--seed", type=int, default=0, help="fixes the instants of the kills")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    told: list[Answer] = []
    runs: list[dict[str, Any]] = []
    with open_database(is_postgresql=arguments.postgresql) as database:
        make_queue(database.address)
        for number in range(arguments.kills):
            runs.append(measure_round(database, number, told, chance))
            print(number + 1, runs[-1], flush=True)
    name = "review_kills_postgresql" if arguments.postgresql else "review_kills"
    options = "--postgresql " if arguments.postgresql else ""
    write_results(name, f"scripts/bench review_kills {options}--kills {arguments.kills}", runs)
    lost = max(run["lost"] for run in runs)
    whole = sum(run["integrity"] == "ok" for run in runs)
    print(f"{lost} of {len(told):,} answers lost, {whole} of {len(runs)} times all was whole")


if __name__ == "__main__":
    main()
