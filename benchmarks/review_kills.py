"""A service that is killed while people review loses no answer (`scripts/bench review_kills`).

Each round starts the service on the same SQLite queue, lets several clients review as fast as they
can, kills the service (SIGKILL) at a random instant, and looks into the database: every answer that
any client was ever told is stored must be there, and SQLite must find the file whole. Agreement is
out of reach, so that pieces never run out; each round has people of its own.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.command import COMMAND
from benchmarks.results import write_results
from tendigits.results import Page
from tendigits.sorting.queue import ReviewQueue

PIECES = 400
CLIENTS = 4
LONGEST = 1.5  # seconds that a round lasts, from the first answer on
OUT_OF_REACH = 1_000_000  # people who would have to agree

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


def make_queue(place: Path) -> None:
    """Make a queue of pieces on which people never agree."""
    queue = ReviewQueue(place, opinions=OUT_OF_REACH)
    for number in range(PIECES):
        queue.add(f"{number}.png", b"picture", Page(fields=(), width=1, height=1))
    queue.close()


def start_service(place: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the service on a queue, in a process group of its own, and return its address too."""
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0", "--readers", "0", "--queue", str(place)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise RuntimeError("the service did not start")
    return process, address


def look_into(place: Path) -> tuple[set[Answer], str]:
    """Return the answers in the database, and what SQLite says of the file."""
    connection = sqlite3.connect(place)
    try:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        rows = connection.execute(
            "SELECT piece, who, text FROM review_answers WHERE undone IS NULL"
        )
        return set(rows), str(verdict)
    finally:
        connection.close()


def measure_round(
    place: Path, number: int, told: list[Answer], chance: random.Random
) -> dict[str, Any]:
    """Kill the service once while people review; add what they were told to `told`."""
    process, address = start_service(place)
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
    process.communicate()
    for person in people:
        person.join()
        told += person.told
    kept, verdict = look_into(place)
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
    parser.add_argument("--seed", type=int, default=0, help="fixes the instants of the kills")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    told: list[Answer] = []
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "queue.sqlite"
        make_queue(place)
        for number in range(arguments.kills):
            runs.append(measure_round(place, number, told, chance))
            print(number + 1, runs[-1], flush=True)
    write_results("review_kills", f"scripts/bench review_kills --kills {arguments.kills}", runs)
    lost = max(run["lost"] for run in runs)
    whole = sum(run["integrity"] == "ok" for run in runs)
    print(f"{lost} of {len(told):,} answers lost, {whole} of {len(runs)} times the file was whole")


if __name__ == "__main__":
    main()
