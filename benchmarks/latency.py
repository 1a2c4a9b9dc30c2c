"""How fast digits are read: one at a time and in batches, by torch and by ONNX Runtime.

    scripts/bench latency --runs 5

Trains nothing: networks have random weights, which take the same time as trained ones. All forms
are measured in turn, round after round, in one process; ratios are to the tutorial's CNN in eager
torch. The peak is that of a large float32 matrix product, measured in the same run.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.peers import tutorial
from benchmarks.results import summarise, write_results
from tendigits.data import load_mnist
from tendigits.export import as_input, export_int8, export_onnx, open_session
from tendigits.models import build_model, channels_last, count_multiply_adds
from tendigits.training.recipes import recipe_named

BATCHES = (64, 4_096)
ONE_DIGIT_CALLS = 2_000
BATCH_SECONDS = 1.0  # of calls for each batch size and round
PEAK_SIDE = 2_048  # rows and columns of the matrices whose product gives the peak

Reader = Callable[[NDArray[np.float32]], Any]


def torch_reader(model: nn.Module) -> Reader:
    """Return a function that reads with torch."""

    def read(images: NDArray[np.float32]) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = model(torch.from_numpy(images))
            return logits

    return read


def onnx_reader(path: Path) -> Reader:
    """Return a function that reads with ONNX Runtime."""
    session = open_session(path)
    return lambda images: session.run(["logits"], {"images": images})[0]


def make_readers(folder: Path) -> dict[str, tuple[Reader, int]]:
    """Return every form, with its multiply-adds a digit; the tutorial's in eager torch first."""
    pictures = load_mnist().train.images
    plain = tutorial.make_network().eval()
    fast = channels_last(build_model(recipe_named("fast").model)).eval()
    readers = {
        "tutorial, torch": (torch_reader(plain), count_multiply_adds(plain)),
        "fast, torch": (torch_reader(fast), count_multiply_adds(fast)),
    }
    for name, model in (("tutorial", plain), ("fast", fast)):
        exact, small = folder / f"{name}.onnx", folder / f"{name}-int8.onnx"
        export_onnx(model, exact, pictures)
        export_int8(exact, small, pictures)
        adds = count_multiply_adds(model)
        readers[f"{name}, ONNX Runtime"] = (onnx_reader(exact), adds)
        readers[f"{name}, ONNX Runtime int8"] = (onnx_reader(small), adds)
    return readers


def peak_multiply_adds() -> float:
    """Return multiply-adds a second of a large matrix product, the best of ten."""
    left = torch.rand(PEAK_SIDE, PEAK_SIDE)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        _ = left @ left
        seconds.append(time.perf_counter() - start)
    return PEAK_SIDE**3 / min(seconds)


def one_digit_seconds(read: Reader, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the seconds of each of 2,000 calls with one digit."""
    seconds = np.empty(ONE_DIGIT_CALLS)
    for call in range(ONE_DIGIT_CALLS):
        picture = images[call : call + 1]
        start = time.perf_counter()
        read(picture)
        seconds[call] = time.perf_counter() - start
    return seconds


def digits_a_second(read: Reader, batch: NDArray[np.float32]) -> float:
    """Return how many digits are read in a second in batches like this one."""
    read(batch)
    calls, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < BATCH_SECONDS:
        read(batch)
        calls += 1
    return calls * len(batch) / seconds


def measure_round(
    readers: dict[str, tuple[Reader, int]], images: NDArray[np.float32]
) -> list[dict[str, Any]]:
    """Measure every form once."""
    peak = peak_multiply_adds()
    rows = []
    for name, (read, adds) in readers.items():
        one_digit_seconds(read, images)  # warm-up
        micros = one_digit_seconds(read, images) * 1e6
        rates = {size: digits_a_second(read, images[:size]) for size in BATCHES}
        rows.append(
            {
                "name": name,
                "multiply_adds": adds,
                "one_digit_median_us": round(float(np.median(micros)), 2),
                "one_digit_p99_us": round(float(np.percentile(micros, 99)), 2),
                **{f"digits_a_second_{size}": round(rate) for size, rate in rates.items()},
                "share_of_peak": round(max(rates.values()) * adds / peak, 4),
                "peak_gflops": round(2 * peak / 1e9, 1),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure round after round, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds")
    arguments = parser.parse_args()
    images = as_input(load_mnist().test.images)
    with tempfile.TemporaryDirectory() as folder:
        readers = make_readers(Path(folder))
        rows = [row for _ in range(arguments.runs) for row in measure_round(readers, images)]
    write_results("latency", f"scripts/bench latency --runs {arguments.runs}", rows)
    for name in readers:
        of_name = [row for row in rows if row["name"] == name]
        means = {
            field: summarise(row[field] for row in of_name).mean
            for field in of_name[0]
            if field != "name"
        }
        print(name, {field: round(mean, 4) for field, mean in means.items()})


if __name__ == "__main__":
    main()
