"""A day of mail, sorted: how fast, how well, and through kills (`scripts/bench sorting`).

The mail is `examples/make_mail.py`'s, from MNIST's test digits. It is sorted once undisturbed, and
once more by a run that is killed (SIGKILL) at random instants and started again: the ledger as CSV,
the ledger in SQLite and the bins must then hold each piece once, where the undisturbed run put it.
"""

import argparse
import csv
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.command import COMMAND, run_command
from benchmarks.results import write_results

EXAMPLES = Path(__file__).parent.parent / "examples"
LATE_SECONDS = 0.1  # most that a kill comes after the piece that it waited for
ORPHAN_SECONDS = 5.0  # most that the processes that read may outlive the one that was killed
REJECTED = ("review", "unreadable")

Rows = list[dict[str, str]]


def make_mail(folder: Path, count: int) -> dict[str, str]:
    """Make mail in a folder; returns the code of each picture."""
    script = EXAMPLES / "make_mail.py"
    subprocess.run([sys.executable, script, folder, "--count", str(count)], check=True)
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        return {row["picture"]: row["code"] for row in csv.DictReader(file)}


def route_arguments(mail: Path, out: Path) -> tuple[str, ...]:
    """Return what `tendigits` is told to sort the mail."""
    plan = str(EXAMPLES / "plan.csv")
    return ("route", str(mail), "--plan", plan, "--format", "us-zip", "--out", str(out), "--json")


def read_ledger(out: Path) -> Rows:
    """Return the rows of `ledger.csv`."""
    with (out / "ledger.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def judge(rows: Rows, truth: dict[str, str]) -> dict[str, Any]:
    """Return which shares of the pieces were accepted and right, accepted and wrong, rejected."""
    accepted = [row for row in rows if row["bin"] not in REJECTED]
    right = sum(row["code"] == truth[row["picture"]] for row in accepted)
    return {
        "accepted_right": right / len(rows),
        "accepted_wrong": (len(accepted) - right) / len(rows),
        "rejected": 1 - len(accepted) / len(rows),
        "unrouted": sum(row["bin"] == "unrouted" for row in rows) / len(rows),
    }


def kill_once(arguments: tuple[str, ...], out: Path, pieces: int, late: float) -> bool:
    """Start a run and kill it; False if it was through before.

    Args:
        arguments: Of `tendigits`.
        out: Where the mail goes.
        pieces: How many it has decided when it is killed, those of earlier runs counted.
        late: Seconds that the kill comes after that.

    Raises:
        RuntimeError: It failed, or the processes that it started live on.
    """
    process = subprocess.Popen(
        [COMMAND, *arguments], stdout=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None and count_lines(out / "ledger.csv") < pieces + 1:
        time.sleep(0.005)  # leave the cores to the run
    time.sleep(late)
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    if process.wait() not in (0, -signal.SIGKILL):
        raise RuntimeError(f"tendigits route ended with {process.returncode}")
    wait_for_group(process.pid)
    return process.returncode != 0


def count_lines(path: Path) -> int:
    """Return how many lines a file has, 0 where there is none."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_group(group: int) -> None:
    """Wait until no process of a group is left.

    Raises:
        RuntimeError: Some stay.
    """
    end = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise RuntimeError(f"processes of a run that was killed live on: group {group}")


def is_each_once(mail: Path, out: Path, expected: Rows) -> bool:
    """Say whether CSV file, SQLite and bins hold each piece once, where it was expected."""
    bins = {row["picture"]: row["bin"] for row in expected}
    rows = read_ledger(out)
    database = sqlite3.connect(out / "ledger.sqlite3")
    placed = database.execute("SELECT picture, bin FROM pieces WHERE placed = 1").fetchall()
    database.close()
    copies = Counter((path.parent.name, sha256(path)) for path in out.glob("*/*"))
    return sorted((row["picture"], row["bin"]) for row in rows) == sorted(placed) == sorted(
        bins.items()
    ) and copies == Counter((bin, sha256(mail / picture)) for picture, bin in bins.items())


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def measure_kills(mail: Path, out: Path, expected: Rows, kills: int, seed: int) -> dict[str, Any]:
    """Kill runs at random instants, let one end, and look at what is where."""
    chance = random.Random(seed)
    arguments = route_arguments(mail, out)
    killed, decided = 0, 0
    for number in range(kills):
        step = 2 * len(expected) / (kills + 1)
        wanted = decided + int(chance.uniform(0, step)) if number else 0
        killed += kill_once(arguments, out, wanted, chance.uniform(0, LATE_SECONDS))
        decided = max(0, count_lines(out / "ledger.csv") - 1)
        print(f"killed {killed} times, {decided:,} pieces decided", flush=True)
    run_command(*arguments)
    return {"kills": killed, "each_once": is_each_once(mail, out, expected)}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, help="pieces of mail")
    parser.add_argument("--kills", type=int, default=20, help="runs to kill")
    parser.add_argument("--seed", type=int, default=0, help="fixes the instants of the kills")
    parser.add_argument("--results", type=Path, help="folder for the results, if not the usual")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        day, first, second = (Path(name) / part for part in ("day", "first", "second"))
        truth = make_mail(day, arguments.count)
        outcome = run_command(*route_arguments(day / "pieces", first))
        (said,) = outcome.json_lines()
        rows = read_ledger(first)
        run = {
            "pieces": len(rows),
            "seconds": round(outcome.seconds, 3),
            "pieces_a_second": said["pieces_a_second"],
            "peak_memory_mb": round(outcome.peak_memory_mb, 1),
            **judge(rows, truth),
        }
        print(run, flush=True)
        run |= measure_kills(day / "pieces", second, rows, arguments.kills, arguments.seed)
    print(run)
    write_results("sorting", "scripts/bench sorting", [run], arguments.results)


if __name__ == "__main__":
    main()
