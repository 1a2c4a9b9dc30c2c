"""Options that several commands take, each said once."""

from pathlib import Path
from typing import Annotated

import typer

from tendigits.errors import SettingError

# readable=False, here and elsewhere: what may not be read is told by us, in one line, with code 1.
DataFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of IDX files, or of pictures with a sub-folder for each digit.",
        show_default="the MNIST inside the package",
        readable=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(help="cuda, mps, xpu or cpu.", show_default="the first of these that is here"),
]
ReaderModel = Annotated[
    str | None, typer.Option(help="A model's name, or an ONNX file.", show_default="small")
]
ValidCodes = Annotated[
    Path | None,
    typer.Option(help="File with the codes that exist, one a line.", readable=False),
]
RejectAbove = Annotated[
    float | None,
    typer.Option(
        help="Chance of being wrong above which a person should look.", show_default="0.05"
    ),
]


def require_queue(opinions: int, queue: str | None) -> None:
    """Refuse to ask several people without a queue; raises `SettingError`."""
    if opinions > 1 and queue is None:
        raise SettingError("--opinions are about the pieces of a queue: expected --queue too")
