"""The gate before the service: how requests are counted, and settings that would refuse all."""

import asyncio
import contextlib

import pytest
from starlette.types import Message, Receive, Scope, Send

from tendigits.errors import SettingError
from tendigits.serving.limits import Gate
from tendigits.serving.metrics import Metrics
from tendigits.serving.settings import Settings


@pytest.mark.parametrize(
    ("parts", "error", "status"),
    [([False], None, "200"), ([True, True], None, "499"), ([True], OSError("disk"), "500")],
)
def test_an_answer_that_breaks_off_is_not_counted_as_given(
    parts: list[bool], error: OSError | None, status: str
) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        for more in parts:
            await send({"type": "http.response.body", "body": b"part", "more_body": more})
        if error:
            raise error

    async def take(message: Message) -> None:
        pass

    async def give() -> Message:
        return {"type": "http.request"}

    metrics = Metrics(lambda: 0)
    scope = {"type": "http", "headers": [(b"host", b"localhost")]}
    with contextlib.nullcontext() if error is None else pytest.raises(OSError, match="disk"):
        asyncio.run(Gate(answer, Settings(), metrics)(scope, give, take))
    counted = next(iter(metrics.requests.collect())).samples
    assert {sample.labels["status"]: sample.value for sample in counted if sample.value == 1} == {
        status: 1
    }


def test_settings_that_would_refuse_everything_are_refused() -> None:
    with pytest.raises(SettingError, match="of all at once"):
        Settings(body_bytes=8 << 20, held_bytes=1 << 20)
    with pytest.raises(SettingError, match="more than 0"):
        Settings(read_seconds=float("nan"))
    with pytest.raises(SettingError, match="more than 0"):
        Settings(send_seconds=0)
