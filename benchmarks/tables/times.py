"""Tables of time and memory: the race, its ladder, latency, growth and other costs."""

from benchmarks.results import read_runs, summarise
from benchmarks.tables.markdown import markdown, of_name, source_line


def speed_table() -> str:
    """Return the race to 99 %: seconds, ratios to the tutorial's loop, accuracy."""
    runs = read_runs("speed")
    races = sorted({run["race"] for run in runs})
    tutorial, *others = dict.fromkeys(run["name"] for run in runs)
    rows = []
    for name in (tutorial, *others):
        by_seed = {run["seed"]: run["test_accuracy"] for run in runs if run["name"] == name}
        accuracy = summarise(by_seed.values())  # every race trains the same seeds
        row = [name, str(of_name(runs, name, "test_accuracy").count)]
        for field in ("train_seconds", "whole_seconds"):
            ratios = []
            for race in races:
                here = [run for run in runs if run["race"] == race]
                ratios.append(of_name(here, tutorial, field).mean / of_name(here, name, field).mean)
            row.append(f"{of_name(runs, name, field).mean:.3g}")
            row.append(" · ".join(f"{ratio:.3g}" for ratio in ratios))
        below = sum(reached < 0.99 for reached in by_seed.values())
        row += [f"{accuracy.mean:.2%}", f"{accuracy.deviation:.2%}", str(accuracy.count)]
        row.append(str(below))
        rows.append(row)
    head = ["network", "trainings", "seconds", "times as fast", "whole process, s"]
    head += ["times as fast", "test accuracy, mean", "sd", "seeds", "of them under 99 %"]
    return markdown(head, rows) + source_line("speed")


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
