"""A real PostgreSQL for tests, which are skipped where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from benchmarks import postgres
from benchmarks.postgres import Server


@contextmanager
def postgresql() -> Iterator[Server]:
    """Start a server, give it, and end it."""
    if not postgres.PROGRAMS:
        pytest.skip(postgres.MISSING)
    with postgres.postgresql() as server:
        yield server
