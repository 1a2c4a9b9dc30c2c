"""Whether the service lives and is ready, by the usual names and by those of KServe's v2."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tendigits.serving.problems import Problem
from tendigits.serving.readers import Readers

router = APIRouter(tags=["health"])


def readers_of(request: Request) -> Readers:
    """Return the readers of the service that a request came to."""
    readers = request.app.state.readers
    assert isinstance(readers, Readers)
    return readers


@router.get("/healthz", summary="The process answers.")
@router.get("/v2/health/live", summary="The process answers.")
async def live() -> dict[str, bool]:
    """Say that the process answers; it needs no restart."""
    return {"live": True}


@router.get("/readyz", summary="Pictures are read.")
@router.get("/v2/health/ready", summary="Pictures are read.")
async def ready(request: Request) -> dict[str, bool]:
    """Say that pictures are read; 503 while the model is loading, or the service is ending."""
    if not readers_of(request).are_ready:
        raise Problem(503, "The model is still loading.", {"Retry-After": "1"})
    return {"ready": True}


@router.get("/v2/models/{name}/ready", summary="A model reads pictures.")
async def model_ready(name: str, request: Request) -> dict[str, object]:
    """Say that the model of this name reads pictures; 404 for any other name."""
    await ready(request)
    if name != readers_of(request).identity.name:
        raise Problem(404, "This service does not read with a model of this name.")
    return {"name": name, "ready": True}


@router.get("/metrics", summary="Figures, as Prometheus reads them.")
async def metrics(request: Request) -> Response:
    """Return all figures in Prometheus' text format."""
    return Response(
        request.app.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
