"""What fifty corrections teach, and how long that takes, as whole commands.

    scripts/bench teaching

The corrections are sevens of MNIST's test part, mirrored, as somebody's hand that the shipped model
does not know; every seed takes fifty others.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.command import run_command
from benchmarks.results import summarise, write_results
from tendigits.data import load_mnist

CORRECTIONS = 50
DIGIT = 7


def write_corrections(folder: Path, seed: int) -> None:
    """Write fifty mirrored sevens as pictures, in the sub-folder that says what they are."""
    test = load_mnist().test
    places = np.random.default_rng(seed).permutation(np.flatnonzero(test.labels == DIGIT))
    (folder / str(DIGIT)).mkdir()
    for place in places[:CORRECTIONS]:
        path = folder / str(DIGIT) / f"{place}.png"
        Image.fromarray(255 - test.images[place][:, ::-1]).save(path)


def main() -> None:
    """Teach, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    runs = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "corrections"
            folder.mkdir()
            write_corrections(folder, seed)
            shelf = str(Path(place) / "taught")
            outcome = run_command("teach", str(folder), "--shelf", shelf, "--json")
        lesson = outcome.json_lines()[-1]
        used = lesson.pop("model") is not None
        runs.append({**lesson, "seed": seed, "used": used, "seconds": round(outcome.seconds, 3)})
        print(runs[-1])
    write_results("teaching", f"scripts/bench teaching --seeds {seeds}", runs)
    seconds = summarise(run["seconds"] for run in runs)
    print(f"mean {seconds.mean:.1f} s, most {seconds.most:.1f} s, n = {seconds.count}")


if __name__ == "__main__":
    main()
