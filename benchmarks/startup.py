"""How long `tendigits --help` and `--version` take, as whole processes."""

import argparse

from benchmarks.command import run_command
from benchmarks.results import summarise, write_results

OPTIONS = ("--help", "--version")


def main() -> None:
    """Measure in turn after one warm-up of each, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="runs of each, in turn")
    arguments = parser.parse_args()
    for option in OPTIONS:
        run_command(option)
    runs = [
        {option: round(run_command(option).seconds, 4) for option in OPTIONS}
        for _ in range(arguments.rounds)
    ]
    write_results("startup", f"scripts/bench startup --rounds {arguments.rounds}", runs)
    for option in OPTIONS:
        seconds = summarise(run[option] for run in runs)
        print(f"tendigits {option}: mean {seconds.mean:.3f} s, most {seconds.most:.3f} s")


if __name__ == "__main__":
    main()
