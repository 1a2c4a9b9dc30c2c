"""The service is corrected, taught, and takes it back, while it goes on reading."""

import asyncio
import base64
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from fastapi import FastAPI

from hands import mirrored_sevens
from server import serving
from tendigits.data import Digits, DigitSet, open_data
from tendigits.serving.app import create_app
from tendigits.serving.corrections import Correction, Corrections
from tendigits.serving.problems import Problem
from tendigits.serving.settings import Settings
from tendigits.serving.teaching import School, run_lesson, teaching_router

SEEN = base64.b64encode(bytes(784)).decode()


@pytest.fixture
def corrections(mnist: DigitSet) -> Digits:
    return mirrored_sevens(mnist, 50)


@pytest.fixture
def school(tmp_path: Path) -> School:
    return School(tmp_path, "small")


@pytest.fixture
def app(school: School) -> FastAPI:
    return create_app(
        Settings(readers=0), routers=[teaching_router(school)], companions=[school.follow]
    )


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serving(app) as client:
        yield client


def correct(client: httpx.Client, image: Any, label: int) -> httpx.Response:
    seen = base64.b64encode(image.tobytes()).decode()
    return client.post("/v1/corrections", json={"seen": seen, "label": str(label)})


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def test_what_people_say_is_learned_used_and_taken_back(
    client: httpx.Client, app: FastAPI, school: School, corrections: Digits
) -> None:
    untaught = app.state.readers.identity
    for image, label in zip(corrections.images, corrections.labels, strict=True):
        assert correct(client, image, label).status_code == 201
    assert client.get("/v1/teaching").json()["corrections"] == 50
    taught = client.post("/v1/teaching").json()
    assert taught["model"] == "001"
    assert taught["lesson"]["accepted"]
    wait_until(lambda: app.state.readers.identity != untaught)
    assert client.post("/v1/teaching/undo").json()["model"] is None
    wait_until(lambda: app.state.readers.identity == untaught)
    assert school.model() == "small"


def test_the_shelf_is_followed_on_after_a_mistake_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Mistaken(School):
        looks = 0

        def model(self) -> str | Path:
            self.looks += 1
            if self.looks == 1:
                raise KeyError("a mistake")
            return super().model()

    school = Mistaken(tmp_path, "small")
    with serving(create_app(Settings(readers=0), companions=[school.follow])):
        wait_until(lambda: school.looks > 2)
    assert "a mistake" in caplog.text


def test_a_lesson_ends_with_the_service(tmp_path: Path, corrections: Digits) -> None:
    kept = Corrections(tmp_path / "corrections")
    for image, label in zip(corrections.images, corrections.labels, strict=True):
        kept.store(Correction(seen=base64.b64encode(image.tobytes()).decode(), label=str(label)))

    def lessons() -> list[psutil.Process]:
        found = []
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):  # another test's, which has just ended
                found += [child] if str(kept.folder) in child.cmdline() else []
        return found

    async def begin_and_end() -> list[psutil.Process]:
        lesson = asyncio.create_task(run_lesson(kept.folder, tmp_path / "taught"))
        while not lessons():
            assert not lesson.done()
            await asyncio.sleep(0.01)
        lesson.cancel()
        await asyncio.wait([lesson])
        assert lesson.cancelled()
        return lessons()

    assert asyncio.run(begin_and_end()) == []


def test_a_lesson_of_too_few_is_refused_in_a_sentence(client: httpx.Client) -> None:
    for image in np.eye(2, 784, dtype=np.uint8):
        assert correct(client, image, 1).status_code == 201
    refused = client.post("/v1/teaching")
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("There are 2 corrections: expected at least 6")


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "x"},
        {"label": "12"},
        {"seen": "????"},
        {"seen": "ééé"},
        {"seen": SEEN[:40]},
        {"read": "ab"},
    ],
)
def test_what_is_no_correction_is_refused(client: httpx.Client, wrong: dict[str, str]) -> None:
    answer = client.post("/v1/corrections", json={"seen": SEEN, "label": "1"} | wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_corrections_are_a_set_that_can_be_trained_on(tmp_path: Path, mnist: DigitSet) -> None:
    kept = Corrections(tmp_path / "kept")
    digits = mnist.test.take(slice(100))
    for image, label in zip(digits.images, digits.labels, strict=True):
        seen = base64.b64encode(image.tobytes()).decode()
        kept.store(Correction(seen=seen, label=str(label)))
    found = open_data(tmp_path / "kept").all()
    assert len(kept) == len(found) == 100
    assert {bytes(image) for image in found.images} == {bytes(image) for image in digits.images}


def test_who_thinks_again_is_believed(tmp_path: Path) -> None:
    kept = Corrections(tmp_path)
    for label in ("1", "7", "7"):
        kept.store(Correction(seen=SEEN, label=label))
    assert [path.parent.name for path in tmp_path.glob("*/*.png")] == ["7"]


def test_a_stranger_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tendigits.serving.corrections.MOST", 0)
    with pytest.raises(Problem, match="all that is kept"):
        Corrections(tmp_path).store(Correction(seen=SEEN, label="1"))
