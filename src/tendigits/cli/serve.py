"""`tendigits serve`: the page and the API."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tendigits.cli.options import require_queue
from tendigits.errors import SettingError

if TYPE_CHECKING:
    from tendigits.serving.settings import Settings
    from tendigits.serving.teaching import School


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for one that is free.")] = 8010,
    model: Annotated[
        str | None, typer.Option(help="A model's name, or an ONNX file.", show_default="small")
    ] = None,
    readers: Annotated[
        int | None, typer.Option(help="Processes that read.", show_default="one a core")
    ] = None,
    teach: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep corrections and taught models in; with it, the page can be "
            "corrected and taught."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="What requests that see or change people's work must carry.",
            show_default="none on 127.0.0.1, else a new one that is printed",
        ),
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(
            help="Let people review pieces at /review: an SQLite file or postgresql://...",
            show_default="no review",
        ),
    ] = None,
    opinions: Annotated[
        int,
        typer.Option(
            help="How many people must say the same of a piece in --queue, at least.", min=1
        ),
    ] = 1,
) -> None:
    """Serve the page, to try it, and the API.

    It ends with Ctrl-C or SIGTERM, once what it has accepted is answered.
    """
    from dataclasses import replace

    from tendigits.environment import available_cores
    from tendigits.reading.classifier import DEFAULT, find_model
    from tendigits.serving.settings import Settings
    from tendigits.serving.teaching import School

    require_queue(opinions, queue)
    settings = Settings(
        host=host,
        port=port,
        model=model or DEFAULT,
        readers=available_cores() if readers is None else readers,
        token=token,
    )
    if teach and settings.model != DEFAULT:
        raise SettingError(f"--teach is for --model {DEFAULT}, not for {model!r}: leave one out")
    school = School(teach, settings.model) if teach else None
    if school:
        settings = replace(settings, model=school.model())
    find_model(settings.model)
    _run(_with_token(settings), school, queue, opinions)


def _with_token(settings: "Settings") -> "Settings":
    """Return settings with a token, new and printed, where others can reach the service."""
    import secrets
    from dataclasses import replace

    if settings.token is not None or settings.on_loopback:
        return settings
    settings = replace(settings, token=secrets.token_urlsafe(24))
    typer.echo(f"token: {settings.token}")
    return settings


def _run(settings: "Settings", school: "School | None", queue: str | None, opinions: int) -> None:
    """Run the application, with the routes of what was asked for."""
    from tendigits.serving.app import create_app
    from tendigits.serving.review import open_review
    from tendigits.serving.server import run
    from tendigits.serving.teaching import teaching_router

    routers, features = [], []
    if school:
        routers.append(teaching_router(school))
        features.append("corrections")
    if queue is not None:
        routers.append(open_review(queue, opinions=opinions))
        features.append("review")
    app = create_app(
        settings,
        routers=routers,
        features=features,
        companions=[school.follow] if school else [],
    )
    run(app, settings, lambda address: print(address, flush=True))
