"""How well and how fast mail is sorted, and that kills lose nothing (`scripts/bench sorting`).

Makes 2,000 pieces of mail (`examples/make_mail.py`), sorts them with the command, and counts
against the truth what was accepted and right, accepted and wrong, and rejected. A wrong code counts
as wrong even where it leads to the right bin. Then the same mail is sorted again by a command
that is killed (SIGKILL, with its processes) at 20 random instants, and is then left to end; every
piece must be in `ledger.csv`, in SQLite and in a bin exactly once.
"""

import argparse
import contextlib
import csv
import hashlib
import json
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
PIECES = 2_000
START_SECONDS = 1.5  # about what it takes until the first piece is read
KINDS = ("plain", "stamp", "window")


def arguments_of(mail: Path, out: Path) -> list[str]:
    """Return the words of the command that sorts mail."""
    plan = str(EXAMPLES / "plan.csv")
    return ["route", str(mail), "--plan", plan, "--format", "us-zip", "--out", str(out), "--json"]


def read_csv(path: Path, key: str) -> dict[str, dict[str, str]]:
    """Return the rows of a CSV file by one of their columns.

    Raises:
        RuntimeError: Two rows are the same there.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {row[key]: row for row in rows}
    if len(found) < len(rows):
        raise RuntimeError(f"{path}: {len(rows) - len(found)} rows come twice")
    return found


def judge(ledger: dict[str, dict[str, str]], truth: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return shares of the pieces in `truth`, in [0, 1].

    Args:
        ledger: Rows by picture, with ``code`` and ``bin``.
        truth: Rows by picture, with ``code``.
    """
    counts: Counter[str] = Counter()
    for picture, row in truth.items():
        found = ledger[picture]
        is_right = found["code"] == row["code"]
        is_accepted = found["bin"] not in ("review", "unreadable")
        counts["read_right"] += is_right
        counts["accepted_right"] += is_accepted and is_right
        counts["accepted_wrong"] += is_accepted and not is_right
        counts["rejected"] += not is_accepted
    names = ("read_right", "accepted_right", "accepted_wrong", "rejected")
    return {name: round(counts[name] / len(truth), 5) for name in names}


def check(mail: Path, out: Path) -> dict[str, int]:
    """Return how many pieces both ledgers and a bin have exactly once, and how many not."""
    ledger = read_csv(out / "ledger.csv", "picture")
    copies = Counter(
        (path.parent.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in out.glob("*/*")
        if path.is_file()
    )
    expected = Counter((row["bin"], row["sha256"]) for row in ledger.values())
    pictures = {path.name for path in mail.iterdir()}
    with contextlib.closing(sqlite3.connect(out / "ledger.sqlite3")) as database:
        query = "SELECT picture, bin, sha256 FROM pieces WHERE placed = 1"
        placed = Counter(database.execute(query).fetchall())
    once = sum(
        name in ledger
        and placed[(name, ledger[name]["bin"], ledger[name]["sha256"])] == 1
        and copies[(ledger[name]["bin"], ledger[name]["sha256"])] == 1
        for name in pictures
    )
    wrong = len(pictures) - once + (copies - expected).total() + len(ledger.keys() - pictures)
    wrong += abs(placed.total() - len(ledger))
    return {"pieces": len(pictures), "once": once, "not_once": wrong}


def count_decided(out: Path) -> int:
    """Return how many whole lines the ledger has for people, its head aside."""
    ledger = out / "ledger.csv"
    return max(0, ledger.read_bytes().count(b"\n") - 1) if ledger.exists() else 0


def measure_kills(mail: Path, out: Path, kills: int, seconds: float, seed: int) -> dict[str, Any]:
    """Sort mail with kills at random instants, then to the end, and look for every piece.

    Args:
        mail: Pieces.
        out: Where they go; new.
        kills: How many.
        seconds: That sorting takes undisturbed; the kills are spread over it.
        seed: Fixes the instants.
    """
    chance = random.Random(seed)
    killed = 0
    decided: list[int] = []  # by each command that was killed
    command = [str(COMMAND), *arguments_of(mail, out)]
    while killed < kills:
        before = count_decided(out)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        if killed % 2:  # amid the work
            while process.poll() is None and count_decided(out) == before:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, seconds / kills))
        else:  # or wherever its start is, and what it finishes of the run before
            time.sleep(chance.uniform(0, START_SECONDS))
        if process.poll() is not None:
            raise RuntimeError(f"all was sorted before kill {killed + 1}: more --pieces are needed")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        killed += 1
        decided.append(count_decided(out) - before)
        print(f"kill {killed}: {decided[-1]} pieces decided since the last", flush=True)
    run_command(*arguments_of(mail, out))
    return {
        "kills": killed,
        "kills_amid_work": sum(count > 0 for count in decided),
        "decided_before_the_last_run": sum(decided),
        **check(mail, out),
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=PIECES)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the mail and of the kills")
    parser.add_argument("--dry", action="store_true", help="write no results file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make = [sys.executable, str(EXAMPLES / "make_mail.py"), str(folder / "mail")]
        options = ["--count", str(arguments.pieces), "--seed", str(arguments.seed)]
        subprocess.run([*make, *options], check=True)
        mail = folder / "mail" / "pieces"
        begin = time.perf_counter()
        outcome = run_command(*arguments_of(mail, folder / "sorted"))
        said = outcome.json_lines()[-1]
        truth = read_csv(folder / "mail" / "truth.csv", "picture")
        ledger = read_csv(folder / "sorted" / "ledger.csv", "picture")
        run: dict[str, Any] = {
            "pieces_a_second": round(said["pieces"] / outcome.seconds, 2),  # its start included
            "peak_memory_mb": round(outcome.peak_memory_mb, 1),
            "unrouted": said["bins"].get("unrouted", 0),
            **judge(ledger, truth),
            "kinds": {
                kind: judge(ledger, {key: row for key, row in truth.items() if row["kind"] == kind})
                for kind in KINDS
                if any(row["kind"] == kind for row in truth.values())
            },
        }
        print(json.dumps(run), f"{time.perf_counter() - begin:.1f} s", flush=True)
        killed = folder / "killed"
        run["killed"] = measure_kills(
            mail, killed, arguments.kills, outcome.seconds, arguments.seed
        )
        print(json.dumps(run["killed"]))
    if not arguments.dry:
        options = ["--pieces", str(arguments.pieces), "--kills", str(arguments.kills)]
        write_results("sorting", f"scripts/bench sorting {' '.join(options)}", [run])


if __name__ == "__main__":
    main()
