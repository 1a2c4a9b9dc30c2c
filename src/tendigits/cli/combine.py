"""`tendigits combine`: trained networks joined into one that answers with the mean of them."""

from pathlib import Path
from typing import Annotated

import typer

from tendigits.environment import require_torch


def combine(
    models: Annotated[
        list[Path], typer.Argument(help="Two or more model files or run folders.", readable=False)
    ],
    out: Annotated[
        Path, typer.Option(help="The .safetensors file to write.", readable=False)
    ] = Path("ensemble.safetensors"),
) -> None:
    """Join trained networks into one model: often more accurate than each, as slow as all."""
    require_torch()
    from tendigits.combine import combine_models

    print(combine_models(models, out, lambda words: typer.echo(f"Note: {words}", err=True)))
