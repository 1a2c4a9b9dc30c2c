"""Tables of what was read right: recipes, ensembles, shipped models, steps, other learners."""

from benchmarks.results import read_results, read_runs, summarise
from benchmarks.steps import COMPARED, LATER, with_later
from benchmarks.tables.markdown import (
    column,
    deviation,
    markdown,
    of_name,
    round_off,
    source_line,
    source_list,
    unmeasured,
    with_spread,
)
from tendigits.registry import folder, shipped_models
from tendigits.training.recipes import RECIPES


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
                deviation(accuracy),
                f"{accuracy.least:.2%}",
                str(accuracy.count),
                with_spread(seconds),
                f"{memory.most:.0f} MB",
            ]
        )
    head = ["recipe", "test accuracy, mean", "sd", "worst seed", "seeds", "seconds", "peak memory"]
    return markdown(head, rows) + source_list(f"recipe-{recipe}" for recipe in measured)


def shipped_table() -> str:
    """Return the models inside the package: their recipes over seeds, and the files themselves."""
    rows = []
    measured = {name: results_of(name) for name in shipped_models()}
    for name, shipped in shipped_models().items():
        accuracy = column(measured[name], "test_accuracy")
        minutes = column(measured[name], "train_seconds").mean / 60
        size = (folder() / f"{name}.safetensors").stat().st_size
        rows.append(
            [
                f"`{name}`",
                f"{accuracy.mean:.2%}",
                deviation(accuracy),
                str(accuracy.count),
                f"{shipped.test_accuracy:.2%}",
                f"{minutes:.0f}",
                f"{shipped.parameters:,}",
                f"{shipped.multiply_adds / 1e6:.2f} M",
                f"{size / 1000:.0f} kB",
                f"`{shipped.sha256['safetensors'][:12]}`",
            ]
        )
    head = ["model", "test accuracy, mean", "sd", "seeds", "the shipped file", "minutes to train"]
    head += ["parameters", "multiply-adds", "size", "sha256 begins"]
    return markdown(head, rows) + source_list(measured.values())


def results_of(model: str) -> str:
    """Return the name of the results that say what trainings like a shipped model's reach."""
    return f"recipe-{model}" if model in RECIPES else model


def ensemble_table() -> str:
    """Return what groups of seeds read together."""
    runs = read_runs("ensemble")
    if not runs:
        return unmeasured("ensemble")
    accuracy = column("ensemble", "test_accuracy")
    row = [
        " + ".join(f"`{member['recipe']}`" for member in runs[0]["members"]),
        f"{accuracy.mean:.2%}",
        deviation(accuracy),
        f"{accuracy.least:.2%}",
        str(accuracy.count),
    ]
    head = ["ensemble", "test accuracy, mean", "sd", "worst group", "disjoint groups"]
    return markdown(head, [row]) + source_line("ensemble")


def steps_table() -> str:
    """Return the plot of the steps to the top, and what each of them bought."""
    runs = read_runs("steps")
    if not runs:
        return unmeasured("steps")
    rows: list[list[str]] = []
    errors: dict[str, float] = {}
    before = ""
    runs = with_later(runs)
    for number, step in enumerate(dict.fromkeys(run["step"] for run in runs), 1):
        here = [run for run in runs if run["step"] == step]
        accuracy = summarise(run["test_accuracy"] for run in here)
        seconds = summarise(run["train_seconds"] for run in here)
        errors[step] = 1 - accuracy.mean
        compared = COMPARED.get(step, before)
        rows.append(
            [
                str(number),
                step,
                f"{accuracy.mean:.2%}",
                deviation(accuracy),
                f"{10_000 * errors[step]:.0f}",
                f"{1 - errors[step] / errors[compared]:.0%}" if compared else "",
                round_off(seconds.mean),
                str(accuracy.count),
            ]
        )
        before = step
    head = ["", "step", "test accuracy, mean", "sd", "errors per 10,000"]
    head += ["errors that it took away", "seconds", "seeds"]
    plot = "![Errors in 10,000 test pictures at each step](steps.png)\n\n"
    return plot + markdown(head, rows) + source_list(["steps", *LATER.values()])


def compare_table() -> str:
    """Return what other learners reach, beside our networks."""
    runs = read_runs("compare")
    if not runs:
        return unmeasured("compare")
    rows = []
    for name in dict.fromkeys(run["name"] for run in runs):
        accuracy = of_name(runs, name, "test_accuracy")
        rows.append(
            [
                f"`{name}`" if name in RECIPES else name,
                f"{accuracy.mean:.2%}",
                f"{10_000 * (1 - accuracy.mean):.0f}",
                str(accuracy.count) if name in RECIPES else "nothing random",
                f"{of_name(runs, name, 'train_count').mean:,.0f}",
                round_off(of_name(runs, name, "train_seconds").mean),
                round_off(of_name(runs, name, "read_us").mean),
                f"{of_name(runs, name, 'bytes').mean / 1e6:.2f} MB",
            ]
        )
    head = ["learner", "test accuracy, mean", "errors per 10,000", "seeds", "training pictures"]
    head += ["seconds to train", "µs to read a digit", "size on disk"]
    return markdown(head, rows) + source_line("compare")
