"""`tendigits export`: a model as an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[
        Path, typer.Argument(help="A .safetensors file, or a run folder.", readable=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="ONNX file to write.", show_default="model.onnx beside the model", readable=False
        ),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Compute in 8-bit integers.")] = False,
) -> None:
    """Write a model as an ONNX file; in float32, it is compared with the original."""
    from tendigits.environment import require_torch

    require_torch()
    from tendigits.export import export_model

    print(export_model(model, out=out, int8=int8))
