"""Who may ask: the Host header on loopback, other sites' pages, and a bearer token.

A page of another site, opened in a browser on this machine, can send requests to a service on
loopback. It cannot forge the Host header, which names that site, nor the Origin header.
"""

import hmac
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request

from tendigits.serving.problems import Problem
from tendigits.serving.settings import Settings

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}


def host_name(host: str) -> str:
    """Return the name in a Host header, without its port.

    >>> host_name("[::1]:8010"), host_name("LOCALHOST:8010"), host_name("127.0.0.1")
    ('::1', 'localhost', '127.0.0.1')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def check_host(settings: Settings, headers: dict[bytes, bytes]) -> None:
    """Refuse a request that a page of another site made.

    Args:
        settings: Of the service.
        headers: Of the request, the names in small letters.

    Raises:
        Problem: 421 for a Host header that is not of this machine, where the service is bound to
            loopback; 403 for an Origin header of another site.
    """
    host = headers.get(b"host", b"").decode("latin-1")
    if settings.on_loopback and host_name(host) not in LOOPBACK_NAMES | {settings.host}:
        raise Problem(
            421, "This service answers to localhost only, and the Host header names another."
        )
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and urlsplit_netloc(origin) != host:
        raise Problem(403, "This service does not answer to the pages of other sites.")


def urlsplit_netloc(origin: str) -> str:
    """Return the host and port of an Origin header; empty if it has none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def settings_of(request: Request) -> Settings:
    """Return the settings of the service that a request came to."""
    settings: Any = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


def require_token(request: Request) -> None:
    """Refuse a request without the service's token: a dependency of FastAPI's.

    Everything that changes or shows what people wrote depends on it::

        router = APIRouter(dependencies=[Depends(require_token)])

    Without a token there is nothing to check; `run` gives a service beyond loopback one. A page's
    own files need none, because they show nothing; its scripts send the token with each request.

    Raises:
        Problem: 401, the header is missing or wrong.
    """
    token = settings_of(request).token
    if token is None:
        return
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Problem(
            401,
            "This needs the service's token: send it as Authorization: Bearer TOKEN.",
            {"WWW-Authenticate": "Bearer"},
        )
