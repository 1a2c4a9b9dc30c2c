"""The tables of README and docs, written from results files so that no figure is typed by hand.

A document names a table between two comments; `python -m benchmarks.tables` fills them all in, and
`--check` fails where a document differs from its results.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.results import Summary, read_results, read_runs, summarise
from tendigits.training.recipe import RECIPES

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "docs/*.md", "MODEL_CARD.md")
MARKED = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def source(name: str) -> str:
    """Return the line that says where the figures of `name` come from."""
    results = read_results(name)
    if results is None:
        raise FileNotFoundError(f"benchmarks/results/{name}.json: run scripts/bench first")
    environment: dict[str, Any] = results["environment"]
    return (
        f"`{results['command']}`, {results['date']}, {environment['processor']}, "
        f"{environment['cores']} cores, torch {environment['packages']['torch']}"
    )


def column(name: str, field: str) -> Summary:
    """Return the summary of a field over the runs of `name`."""
    return summarise(run[field] for run in read_runs(name))


def recipes_table() -> str:
    """Return what each recipe reaches over its seeds."""
    measured = [recipe for recipe in RECIPES if read_results(f"recipe-{recipe}")]
    rows = []
    for recipe in measured:
        accuracy = column(f"recipe-{recipe}", "test_accuracy")
        seconds = column(f"recipe-{recipe}", "train_seconds")
        memory = column(f"recipe-{recipe}", "peak_memory_mb")
        rows.append(
            [
                f"`{recipe}`",
                f"{accuracy.mean:.2%}",
                f"{accuracy.deviation:.2%}",
                f"{accuracy.least:.2%}",
                str(accuracy.count),
                f"{seconds.mean:.3g} ± {seconds.deviation:.2g}",
                f"{memory.most:.0f} MB",
            ]
        )
    head = ["recipe", "test accuracy, mean", "sd", "worst seed", "seeds", "seconds", "peak memory"]
    sources = "".join(f"- {source(f'recipe-{recipe}')}\n" for recipe in measured)
    return f"{markdown(head, rows)}\n{sources}"


def source_line(name: str) -> str:
    """Return `source` as a paragraph."""
    return f"\n{source(name)}\n"


def of_name(runs: list[dict[str, Any]], name: str, field: str) -> Summary:
    """Return the summary of a field over those of `runs` that have the `name`."""
    return summarise(run[field] for run in runs if run["name"] == name)


def speed_table() -> str:
    """Return the race to 99 %: seconds, ratios to the tutorial's loop, accuracy."""
    runs = read_runs("speed")
    races = sorted({run["race"] for run in runs})
    tutorial, *others = dict.fromkeys(run["name"] for run in runs)
    rows = []
    for name in (tutorial, *others):
        accuracy = of_name(runs, name, "test_accuracy")
        row = [name, str(accuracy.count)]
        for field in ("train_seconds", "whole_seconds"):
            ratios = []
            for race in races:
                here = [run for run in runs if run["race"] == race]
                ratios.append(of_name(here, tutorial, field).mean / of_name(here, name, field).mean)
            row.append(f"{of_name(runs, name, field).mean:.3g}")
            row.append(" · ".join(f"{ratio:.3g}" for ratio in ratios))
        below = sum(run["test_accuracy"] < 0.99 for run in runs if run["name"] == name)
        row += [f"{accuracy.mean:.2%}", f"{accuracy.deviation:.2%}", str(below)]
        rows.append(row)
    head = ["training", "n", "seconds", "times as fast", "whole process, s", "times as fast"]
    head += ["test accuracy, mean", "sd", "seeds under 99 %"]
    return markdown(head, rows) + source_line("speed")


def latency_table() -> str:
    """Return how fast digits are read, by which form of which network."""
    runs = read_runs("latency")
    first, *others = dict.fromkeys(run["name"] for run in runs)
    base = of_name(runs, first, "digits_a_second_4096").mean
    rows = []
    for name in (first, *others):
        large = of_name(runs, name, "digits_a_second_4096").mean
        rows.append(
            [
                name,
                f"{of_name(runs, name, 'multiply_adds').mean / 1e6:.2f} M",
                f"{of_name(runs, name, 'one_digit_median_us').mean:.0f}",
                f"{of_name(runs, name, 'one_digit_p99_us').mean:.0f}",
                f"{of_name(runs, name, 'digits_a_second_64').mean:,.0f}",
                f"{large:,.0f}",
                f"{large / base:.1f}",
                f"{of_name(runs, name, 'share_of_peak').mean:.0%}",
            ]
        )
    head = ["network and form", "multiply-adds a digit", "one digit, median µs", "p99 µs"]
    head += ["digits/s in 64s", "digits/s in 4,096s", "÷ first line", "share of peak"]
    return markdown(head, rows) + source_line("latency")


def growth_table() -> str:
    """Return time and memory against the number of pictures."""
    runs = read_runs("growth")
    rows = []
    for task, count in dict.fromkeys((run["task"], run["count"]) for run in runs):
        here = [run for run in runs if (run["task"], run["count"]) == (task, count)]
        seconds = summarise(run["seconds"] for run in here)
        memory = summarise(run["peak_memory_mb"] for run in here)
        micros = 1e6 * seconds.mean / count
        rows.append(
            [task, f"{count:,}", f"{seconds.mean:.3g}", f"{micros:.3g}", f"{memory.most:.0f} MB"]
        )
    head = ["task", "pictures", "seconds", "µs a picture", "peak memory"]
    return markdown(head, rows) + source_line("growth")


def ladder_table() -> str:
    """Return each rung of the ladder with what it bought."""
    runs = read_runs("ladder")
    rows: list[list[str]] = []
    before = None
    for number, rung in enumerate(dict.fromkeys(run["rung"] for run in runs), 1):
        here = [run for run in runs if run["rung"] == rung]
        seconds = summarise(run["train_seconds"] for run in here)
        accuracy = summarise(run["test_accuracy"] for run in here)
        faster = f"{before / seconds.mean:.2f}" if before else ""
        rows.append(
            [
                str(number),
                rung,
                f"{seconds.mean:.3g}",
                faster,
                f"{accuracy.mean:.2%}",
                f"{accuracy.deviation:.2%}",
            ]
        )
        before = seconds.mean
    head = ["", "rung", "seconds", "times as fast as the one before", "test accuracy, mean", "sd"]
    return markdown(head, rows) + source_line("ladder")


def costs_table() -> str:
    """Return the figures that are not accuracies."""
    ratio = column("epoch", "ratio")
    kills = read_runs("kills")
    same = sum(run["same_weights"] for run in kills)
    inside = sum(run["inside_a_save"] for run in kills)
    rows = [
        [
            "seconds of an `article-cnn` epoch, ÷ those of a plain torch `DataLoader` loop",
            f"{ratio.mean:.2f} (sd {ratio.deviation:.2f}, n = {ratio.count})",
            source("epoch"),
        ],
        [
            "trainings that ended with the same weights after a SIGKILL at a random instant, "
            f"{inside} of them inside a save",
            f"{same} of {len(kills)}",
            source("kills"),
        ],
    ]
    share = column("progress", "share")
    rows.append(
        [
            "share of `fast`'s training seconds that drawing its bar on a terminal takes",
            f"{share.mean:.2%} (most {share.most:.2%}, n = {share.count})",
            source("progress"),
        ]
    )
    for option in ("--help", "--version"):
        seconds = column("startup", option)
        rows.append(
            [
                f"seconds of `tendigits {option}`",
                f"{seconds.mean:.2f} (most {seconds.most:.2f}, n = {seconds.count})",
                source("startup"),
            ]
        )
    return markdown(["what", "measured", "how"], rows)


def reading_table() -> str:
    """Return how well real pictures are read, set by set."""
    rows = []
    for run in read_runs("reading"):
        sure = run["accepted_right"]
        rows.append(
            [
                f"`{run['set']}`",
                f"{run['count']:,}",
                f"{run['fields_right']:.1%}",
                f"{run['digits_right']:.1%}",
                f"{run['surest_half_right']:.1%}",
                f"{run['accepted']:.1%}",
                "" if sure is None else f"{sure:.1%}",
                f"{run['median_ms']:.1f}",
            ]
        )
    head = ["set", "pictures", "all digits right", "digits right", "right in the surest half"]
    head += ["accepted", "right among them", "milliseconds, median"]
    return markdown(head, rows) + source_line("reading")


TABLES: dict[str, Callable[[], str]] = {
    "recipes": recipes_table,
    "costs": costs_table,
    "speed": speed_table,
    "latency": latency_table,
    "growth": growth_table,
    "ladder": ladder_table,
    "reading": reading_table,
}


def filled(text: str) -> str:
    """Return a document with every table in it written anew."""
    return MARKED.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}", text)


def main() -> None:
    """Fill in, or check, all documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    arguments = parser.parse_args()
    stale = []
    for document in sorted(path for pattern in DOCUMENTS for path in ROOT.glob(pattern)):
        text = document.read_text("utf-8")
        if filled(text) == text:
            continue
        stale.append(document.relative_to(ROOT))
        if not arguments.check:
            document.write_text(filled(text), "utf-8")
    if stale and arguments.check:
        sys.exit(
            f"tables differ from their results: {', '.join(map(str, stale))}: "
            "python -m benchmarks.tables"
        )


if __name__ == "__main__":
    main()
