"""The service under load and faults, on loopback (`scripts/bench serving`).

One process sends, beside the service's own on the same cores. A drawn digit is what the page sends
of a 7 on its sheet. Four parts, each bounded: what the service can do; ten times that, for a
minute; 200 clients that send a byte a second; and an end by SIGTERM under load, 20 times.
"""

import argparse
import asyncio
import io
import math
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import psutil
from PIL import Image

from benchmarks.command import COMMAND
from benchmarks.load import as_fast_as_answered, at_a_rate, dribble, make_request
from benchmarks.results import write_results

PATH = "/v1/read?fields=one"
CONNECTIONS = 8  # for what the service can do: enough to keep two readers busy
SLOW_CLIENTS = 200
OVERLOAD = 10
OVERLOAD_CONNECTIONS = 300
SHEET = (84, 109)  # pixels: width and height of what the page sends of a 7 on its sheet


def drawn_digit() -> bytes:
    """Return the PNG file that the page sends of a drawn 7."""
    sheet = np.full(SHEET[::-1], 255, np.uint8)
    corners = np.array([[25, 25], [59, 25], [36, 84]], np.int32)
    cv2.polylines(sheet, [corners], False, 0, 7, cv2.LINE_AA)
    content = io.BytesIO()
    Image.fromarray(sheet).convert("RGBA").save(content, "PNG")
    return content.getvalue()


@contextmanager
def service() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start the service, wait until it reads; yields its process and port."""
    process = subprocess.Popen([COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
    try:
        asyncio.run(as_fast_as_answered(port, request_to(port), connections=4, seconds=2))
        yield process, port
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def request_to(port: int) -> bytes:
    """Return the request that is sent, a drawn digit."""
    return make_request(port, PATH, drawn_digit())


def memory_mb(process: subprocess.Popen[str]) -> float:
    """Return the resident memory of the service with all its processes, in 10^6 bytes."""
    parent = psutil.Process(process.pid)
    family = [parent, *parent.children(recursive=True)]
    return float(sum(each.memory_info().rss for each in family)) / 1e6


def measure_capacity(port: int, seconds: float) -> dict[str, Any]:
    """Return how many drawn digits are read a second, and how fast each is answered."""
    tally = asyncio.run(
        as_fast_as_answered(port, request_to(port), connections=CONNECTIONS, seconds=seconds)
    )
    return {
        "part": "capacity",
        "requests_a_second": round(tally.count(200) / seconds, 1),
        "p50_ms": tally.milliseconds(200, 50),
        "p99_ms": tally.milliseconds(200, 99),
        "other_statuses": sum(map(len, tally.seconds.values())) - tally.count(200),
        "lost": tally.lost,
    }


def measure_overload(
    process: subprocess.Popen[str], port: int, capacity: float, seconds: float
) -> dict[str, Any]:
    """Return what is served and refused when ten times the capacity is asked for."""
    before = memory_mb(process)
    tally = asyncio.run(
        at_a_rate(
            port,
            request_to(port),
            rate=OVERLOAD * capacity,
            connections=OVERLOAD_CONNECTIONS,
            seconds=seconds,
        )
    )
    after = memory_mb(process)
    begin = time.perf_counter()
    calm = asyncio.run(as_fast_as_answered(port, request_to(port), connections=2, seconds=1.5))
    answered = sum(map(len, tally.seconds.values()))
    return {
        "part": "overload",
        "seconds": seconds,
        "offered_a_second": round((answered + tally.lost) / seconds, 1),
        "meant_a_second": round(OVERLOAD * capacity, 1),
        "served_share_of_capacity": round(tally.count(200) / seconds / capacity, 4),
        "served_p99_ms": tally.milliseconds(200, 99),
        "refused": tally.count(429),
        "refused_with_retry_after": tally.retry_after,
        "refused_p50_ms": tally.milliseconds(429, 50),
        "refused_p99_ms": tally.milliseconds(429, 99),
        "refused_most_ms": tally.milliseconds(429, 100),
        "server_errors": sum(
            len(times) for status, times in tally.seconds.items() if status >= 500
        ),
        "lost": tally.lost,
        "memory_before_mb": round(before, 1),
        "memory_after_mb": round(after, 1),
        "normal_again_p99_ms": calm.milliseconds(200, 99),
        "normal_again_within_s": round(time.perf_counter() - begin, 2),
        "normal_again_refused": calm.count(429),
    }


def measure_slow_clients(port: int, capacity: float, seconds: float) -> dict[str, Any]:
    """Return when slow clients are closed, and what others notice, at half of the capacity."""
    request = request_to(port)

    async def others() -> float:
        tally = await at_a_rate(port, request, rate=capacity / 2, connections=64, seconds=seconds)
        return tally.milliseconds(200, 99)

    async def both() -> tuple[float, list[float | None]]:
        slow = [dribble(port, request, seconds=seconds) for _ in range(SLOW_CLIENTS)]
        dribbling = asyncio.gather(*slow)
        return await others(), await dribbling

    alone = asyncio.run(others())
    beside, closed = asyncio.run(both())
    return {
        "part": "slow clients",
        "connections": SLOW_CLIENTS,
        "closed": sum(after is not None for after in closed),
        "closed_after_most_s": round(max((after or math.inf) for after in closed), 2),
        "others_p99_alone_ms": alone,
        "others_p99_beside_ms": beside,
        "ratio": round(beside / alone, 3) if alone else None,
    }


def measure_end(delay: float) -> dict[str, Any]:
    """End a service by SIGTERM under load; returns what was lost, and how it ended."""
    with service() as (process, port):

        async def load() -> tuple[float, Any]:
            asking = asyncio.create_task(
                as_fast_as_answered(port, request_to(port), connections=16, seconds=30)
            )
            await asyncio.sleep(delay)
            process.send_signal(signal.SIGTERM)
            begin = time.perf_counter()
            await asyncio.to_thread(process.wait, 30)
            return time.perf_counter() - begin, await asking

        seconds, tally = asyncio.run(load())
    return {
        "part": "end",
        "answered": tally.count(200),
        "other_statuses": sum(map(len, tally.seconds.values())) - tally.count(200),
        "lost": tally.lost,
        "exit_code": process.returncode,
        "seconds": round(seconds, 2),
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each load but the overload")
    parser.add_argument("--overload-seconds", type=float, default=60, help="of the overload")
    parser.add_argument("--ends", type=int, default=20, help="services to end under load")
    parser.add_argument("--dry", action="store_true", help="write no results file")
    arguments = parser.parse_args()
    runs = []
    with service() as (process, port):
        runs.append(measure_capacity(port, arguments.seconds))
        print(runs[-1], flush=True)
        capacity = runs[0]["requests_a_second"]
        runs.append(measure_slow_clients(port, capacity, arguments.seconds))
        print(runs[-1], flush=True)
        runs.append(measure_overload(process, port, capacity, arguments.overload_seconds))
        print(runs[-1], flush=True)
    for number in range(arguments.ends):
        runs.append(measure_end(delay=0.5 + number / arguments.ends))
        print(runs[-1], flush=True)
    if not arguments.dry:
        command = "scripts/bench serving"
        for name, value in (("seconds", 15), ("overload_seconds", 60), ("ends", 20)):
            given = getattr(arguments, name)
            if given != value:
                command += f" --{name.replace('_', '-')} {given:g}"
        write_results("serving", command, runs)


if __name__ == "__main__":
    main()
