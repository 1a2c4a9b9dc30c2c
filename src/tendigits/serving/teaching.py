"""`/v1/corrections` and `/v1/teaching`: what people correct is learned while they wait.

A lesson runs in a process of its own, which needs torch; the service does not. A model that was
taught, here or by `tendigits teach`, is put into use between two batches: no request is dropped.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter, Depends, FastAPI

from tendigits import shelf as shelves
from tendigits.errors import TendigitsError
from tendigits.serving.access import require_token
from tendigits.serving.corrections import Correction, Corrections
from tendigits.serving.problems import Problem, as_sentence
from tendigits.serving.readers import Readers

LOOK_SECONDS = 1.0  # between looks at which model is in use
LESSON_SECONDS = 120.0  # until a lesson that does not end is ended
ONNX_FILE = "small.onnx"  # the service goes on under this name

log = logging.getLogger("tendigits.serving")


class School:
    """Corrections, the models that were taught from them, and the lesson that is going on.

    Args:
        folder: Holds ``corrections`` and ``taught``, both made where they are missing.
        untaught: The model that is in use as long as nothing was taught.
    """

    def __init__(self, folder: Path, untaught: str | Path) -> None:
        self.corrections = Corrections(folder / "corrections")
        self.shelf = folder / "taught"
        self.untaught = untaught
        self.is_teaching = False
        self.last: dict[str, Any] | None = None

    def model(self) -> str | Path:
        """Return the model that should be in use: a name, or an ONNX file."""
        taught = shelves.current_model(self.shelf)
        return taught / ONNX_FILE if taught else self.untaught

    def state(self) -> dict[str, Any]:
        """Return what a page shows, as a JSON object."""
        taught = shelves.current_model(self.shelf)
        return {
            "corrections": len(self.corrections),
            "teaching": self.is_teaching,
            "model": taught.name if taught else None,
            "lesson": self.last,
        }

    async def teach(self) -> dict[str, Any]:
        """Hold a lesson and return what it did.

        Raises:
            Problem: 409, one is going on; 422, it was refused; 503, torch is not installed, or it
                did not end.
        """
        if self.is_teaching:
            raise Problem(409, "A lesson is going on: wait for its end.")
        self.is_teaching = True
        try:
            self.last = await run_lesson(self.corrections.folder, self.shelf)
        finally:
            self.is_teaching = False
        return self.last

    async def follow(self, app: FastAPI) -> None:
        """Put whatever model the shelf names into use, for as long as the service runs."""
        readers: Readers = app.state.readers
        loaded: str | Path = app.state.settings.model
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                wanted = self.model()
                if wanted != loaded and readers.are_ready:
                    # At the end nobody waits for it: a reader that hangs is ended after this.
                    await anyio.to_thread.run_sync(readers.load, wanted, abandon_on_cancel=True)
                    loaded = wanted
            except (TendigitsError, OSError) as error:
                log.error("the taught model is not used: %s", error)
            except Exception:  # a mistake of ours: the next model may be a better one
                log.exception("the taught model is not used")


async def run_lesson(corrections: Path, shelf: Path) -> dict[str, Any]:
    """Run `tendigits teach` and return the lesson; raises `Problem` as `School.teach`."""
    command = (sys.executable, "-m", "tendigits", "teach", str(corrections), "--shelf", str(shelf))
    process = await asyncio.create_subprocess_exec(
        *command, "--json", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), LESSON_SECONDS)
    except TimeoutError:
        raise Problem(503, f"The lesson did not end within {LESSON_SECONDS:g} s.") from None
    finally:
        if process.returncode is None:  # it lasts too long, or the service ends
            process.kill()
            await process.wait()
    if process.returncode:
        reason = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        status = 503 if "pip install" in reason else 422
        raise Problem(status, as_sentence(reason.removeprefix("tendigits: ")))
    lesson: dict[str, Any] = json.loads(output)
    return lesson


def teaching_router(school: School) -> APIRouter:
    """Return the routes of a school, for `create_app`."""
    router = APIRouter(prefix="/v1", tags=["teaching"], dependencies=[Depends(require_token)])

    @router.post("/corrections", status_code=201, summary="Say what a digit is.")
    def correct(correction: Correction) -> dict[str, Any]:
        """Keep a correction; it is on the disk when this answers."""
        school.corrections.store(correction)
        return school.state()

    @router.get("/teaching", summary="See what was taught.")
    def see() -> dict[str, Any]:
        """Return how many corrections there are, and what the last lesson did."""
        return school.state()

    @router.post("/teaching", summary="Teach the corrections.")
    async def teach() -> dict[str, Any]:
        """Learn from all corrections, and use what became of it where it is better."""
        await school.teach()
        return school.state()

    @router.post("/teaching/undo", summary="Use the model that was used before.")
    def undo() -> dict[str, Any]:
        """Take the last lesson back."""
        shelves.undo(school.shelf)
        return school.state()

    return router
