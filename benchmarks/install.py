"""What the base install weighs, and how soon it reads: a new environment, without torch.

    scripts/bench install

It installs the package, without extras, in an environment of its own, from the package index.
"""

import argparse
import subprocess
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from benchmarks.results import summarise, write_results

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "examples" / "postcode.jpg"
READ = "import sys, tendigits; print(tendigits.read(sys.argv[1]).text)"


def install(folder: Path) -> Path:
    """Install the base package in a new environment in `folder` and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "--constraint", ROOT / "constraints.txt", ROOT], check=True)
    return python


def size_of(folder: Path) -> float:
    """Return what the packages of an environment take, without pip and setuptools, in MiB."""
    (packages,) = folder.glob("lib/python*/site-packages")
    files = [
        file
        for entry in packages.iterdir()
        if not entry.name.startswith(("pip", "setuptools", "_distutils_hack"))
        for file in (entry.rglob("*") if entry.is_dir() else [entry])
    ]
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def seconds_to_read(python: Path) -> float:
    """Return how long a new process takes to import tendigits and read a postcode."""
    start = time.perf_counter()
    subprocess.run([python, "-I", "-c", READ, PICTURE], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Install, weigh, read, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="cold starts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        python = install(Path(place))
        has_torch = subprocess.run([python, "-c", "import torch"], capture_output=True)
        if has_torch.returncode == 0:
            raise RuntimeError("the base install brought torch")
        size = round(size_of(Path(place)), 1)
        seconds_to_read(python)
        runs: list[dict[str, Any]] = [
            {"mebibytes": size, "read_seconds": round(seconds_to_read(python), 4)}
            for _ in range(rounds)
        ]
    write_results("install", f"scripts/bench install --rounds {rounds}", runs)
    seconds = summarise(run["read_seconds"] for run in runs)
    print(f"{size:.0f} MiB; cold read: mean {seconds.mean:.3f} s, most {seconds.most:.3f} s")


if __name__ == "__main__":
    main()
