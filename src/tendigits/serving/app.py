"""The application: everything that the service answers, put together."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import anyio
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from tendigits.serving import health, packets, problems, routes
from tendigits.serving.limits import Gate
from tendigits.serving.metrics import Metrics
from tendigits.serving.readers import Readers
from tendigits.serving.settings import Settings
from tendigits.version import __version__

# Nothing from elsewhere, no script or style inside the page; blob: shows what was chosen or drawn.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Companion = Callable[[FastAPI], Coroutine[Any, Any, None]]

PAGE_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/page/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page/canvas.js": ("canvas.js", "text/javascript; charset=utf-8"),
    "/page/result.js": ("result.js", "text/javascript; charset=utf-8"),
    "/page/teach.js": ("teach.js", "text/javascript; charset=utf-8"),
    "/page/token.js": ("token.js", "text/javascript; charset=utf-8"),
    "/page/curve.js": ("curve.js", "text/javascript; charset=utf-8"),
    "/page/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
    "/page/curve.json": ("curve.json", "application/json"),
}


def create_app(
    settings: Settings | None = None,
    *,
    routers: Iterable[APIRouter] = (),
    features: Iterable[str] = (),
    companions: Iterable[Companion] = (),
) -> FastAPI:
    """Return the service as an ASGI application; its model is loaded when it starts.

    `app.state` holds `settings`, `readers` and `metrics`, for routes of other rooms; a router whose
    routes show or change what people wrote depends on `access.require_token`.

    Args:
        settings: How it runs; None for the usual.
        routers: Routes of other rooms, such as a review queue's.
        features: What these add that the page should offer, by name: ``corrections`` where
            ``POST /v1/corrections`` takes what a person says a digit is; ``review`` where there
            is a page at ``/review``.
        companions: What runs beside the service, from its start to its end.

    Returns:
        The application.
    """
    settings = settings or Settings()
    readers = Readers(settings, on_batch=lambda count: metrics.batch.observe(count))
    metrics = Metrics(waiting=lambda: len(readers.batcher))

    @asynccontextmanager
    async def run_readers(app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(readers.start)
        async with anyio.create_task_group() as group:
            for companion in companions:
                group.start_soon(companion, app)
            yield
            group.cancel_scope.cancel()
        await anyio.to_thread.run_sync(readers.close)

    app = FastAPI(
        title="tendigits",
        version=__version__,
        description="Reads handwritten digits.",
        lifespan=run_readers,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings, app.state.readers, app.state.metrics = settings, readers, metrics
    app.state.unpacking = asyncio.Semaphore(packets.UNPACKED)
    app.add_middleware(Gate, settings=settings, metrics=metrics)
    problems.install(app)
    app.include_router(health.router)
    app.include_router(routes.router)
    for router in routers:
        app.include_router(router)
    _add_page(app, sorted(features))
    return app


def _add_page(app: FastAPI, features: list[str]) -> None:
    """Add the page's files, each read once, and what it should offer."""
    folder = resources.files("tendigits.serving") / "page"
    for path, (name, media_type) in PAGE_FILES.items():
        add_file(app, path, (folder / name).read_bytes(), media_type)
    add_file(app, "/page/features.json", json.dumps(features).encode(), "application/json")


def add_file(app: FastAPI | APIRouter, path: str, content: bytes, media_type: str) -> None:
    """Answer `path` with a file of a page, under a strict content security policy.

    Args:
        app: The application, or a router of it.
        path: Of the address.
        content: Of the file.
        media_type: Such as ``text/html; charset=utf-8``.
    """

    async def send_file() -> Response:
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
        return Response(content, headers=headers, media_type=media_type)

    app.add_api_route(path, send_file, methods=["GET"], include_in_schema=False)
