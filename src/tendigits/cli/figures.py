"""A model's figures as a person reads them in a terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tendigits.evaluation.measure import Accepted, Answers
from tendigits.evaluation.metrics import Evaluation
from tendigits.evaluation.wording import interval_per_10_000, name_class, per_10_000, percent

PICTURES = {"test": "test pictures", "train": "training pictures", "all": "pictures"}
WIDTH = 1_000  # characters: more than any line has


def print_figures(answers: Answers) -> None:
    """Print what was measured on, and every figure.

    Args:
        answers: A model's answers to at least one picture.
    """
    measured = answers.evaluate()
    # The terminal may fold a line, but rich would leave columns and digits out.
    console = Console(width=WIDTH, height=1, highlight=False, soft_wrap=True)
    console.print(Text(f"\n{_describe(answers)}\n"))
    console.print(_headline(measured, answers.accepted()))
    console.print(_class_table(measured, answers.classes))
    console.print(_confusion_table(measured))


def _describe(answers: Answers) -> str:
    """Return in words which model was measured, and on what."""
    known = ": it was trained on some of them, or may have been" if answers.trained_on else ""
    return (
        f"{answers.info.recipe}, seed {answers.info.seed}, measured on the "
        f"{len(answers.digits):,} {PICTURES[answers.part]} of {answers.data}{known}"
    )


def _headline(measured: Evaluation, accepted: Accepted | None) -> Table:
    """Return the figures of all classes together."""
    rate = per_10_000(measured.errors / measured.count)
    figures = {
        "accuracy": percent(measured.accuracy),
        "errors": f"{measured.errors:,} of {measured.count:,}",
        "per 10,000": f"{rate} (95 % interval {interval_per_10_000(measured)})",
        "loss": f"{measured.loss:.4f} nats",
    }
    if accepted is not None:
        rejected = measured.count - accepted.count
        figures["rejected"] = f"{rejected:,}: less sure than {percent(accepted.threshold)}"
        figures["errors left"] = f"{accepted.errors:,} of {accepted.count:,} accepted"
    table = Table.grid(padding=(0, 3))
    for name, value in figures.items():
        table.add_row(name, Text(value, style="bold"))
    return table


def _class_table(measured: Evaluation, classes: Sequence[str]) -> Table:
    """Return precision, recall and support of each class."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("class")
    for name in ("precision", "recall", "pictures"):
        table.add_column(name, justify="right")
    for figures in measured.per_class:
        shares = (
            "-" if share is None else percent(share)
            for share in (figures.precision, figures.recall)
        )
        title = Text(name_class(figures.label, classes))
        table.add_row(title, *shares, f"{figures.support:,}")
    return table


def _confusion_table(measured: Evaluation) -> Table:
    """Return the confusion matrix, drawn so that the mistakes are seen."""
    title = "confusions: a row for each label, a column for each answer"
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    table.add_column()
    for answer in range(len(measured.confusion)):
        table.add_column(str(answer), justify="right")
    for label, row in enumerate(measured.confusion.tolist()):
        cells = [_confusion_cell(times, answer == label) for answer, times in enumerate(row)]
        table.add_row(Text(str(label), style="bold"), *cells)
    return table


def _confusion_cell(times: int, right: bool) -> Text:
    """Return a number of the confusion matrix, drawn."""
    if right:
        return Text(str(times), style="green")
    return Text(str(times), style="bold red") if times else Text(".", style="dim")
