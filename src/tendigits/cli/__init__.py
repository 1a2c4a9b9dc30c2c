"""The command line: one thin command for each verb, each calling one function."""

import io
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from tendigits.cli.combine import combine
from tendigits.cli.data import data
from tendigits.cli.doctor import doctor
from tendigits.cli.evaluate import evaluate
from tendigits.cli.export import export
from tendigits.cli.read import read
from tendigits.cli.route import route
from tendigits.cli.serve import serve
from tendigits.cli.show import show
from tendigits.cli.teach import teach
from tendigits.cli.train import train
from tendigits.errors import TendigitsError, explain_missing
from tendigits.version import __version__

__all__ = ["main"]

# rich is loaded by the commands that draw with it: --help stays quick without.
app = typer.Typer(
    name="tendigits",
    help="Train, prove and run readers of handwritten digits.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (read, route, serve, train, evaluate, show, data, combine, teach, export, doctor):
    app.command()(command)


@dataclass
class CommonOptions:
    """What is said before the verb.

    Attributes:
        debug: Show the traceback of an error.
    """

    debug: bool = False


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tendigits {__version__}")
        raise typer.Exit


@app.callback()
def take_common_options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Train, prove and run readers of handwritten digits."""
    context.obj.debug = debug


def main() -> None:
    """Run the command; an error that a user can act on is one line and an exit code."""
    options = CommonOptions()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # a "?" is better than no figures
    try:
        run(options)
    except (TendigitsError, OSError) as error:
        if options.debug:
            raise
        print(f"tendigits: {one_line(error)}", file=sys.stderr)
        sys.exit(error.exit_code if isinstance(error, TendigitsError) else 1)


def run(options: CommonOptions) -> None:
    """Run the command; a package that the base install lacks is named with the extra it is in."""
    try:
        app(obj=options)
    except ModuleNotFoundError as error:
        raise explain_missing(error) from error


def one_line(error: Exception) -> str:
    """Return the message of `error` in a line."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
