"""Run folders: what a run was asked to do, where it happened, and what it measured.

``runs/NNN-recipe/`` holds recipe.json, environment.json, metrics.jsonl, checkpoint/,
model.safetensors, predictions.png and report.html. It appears with the first two files whole.
"""

import contextlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tendigits.atomic import write_json
from tendigits.environment import describe_environment
from tendigits.errors import RunFolderError, SettingError, UsageError
from tendigits.locks import take_lock
from tendigits.training.advice import how_to_go_on, reason
from tendigits.training.recipe import Recipe, check_types

FORMAT = 1
MOST_SECONDS = 1_000_000_000  # thirty years
MOST_SEED = 2**64 - 1  # torch's generators hold no more
MOST_THREADS = 1024  # beyond any machine of today; a million would end the process


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What a run was asked to do; on the same machine type and torch it repeats itself.

    Attributes:
        recipe: How to train.
        seed: Fixes everything drawn at random; 0 to 2^64 - 1, which is what torch takes.
        data: Folder of the set; None for the MNIST inside the package.
        hold_out: Training pictures to hold out, to evaluate epochs on; 0 trains on all of them.
        device: Such as ``"cpu"``.
        threads: Threads that torch uses on the processor; 1 to 1024.
        checkpoint_seconds: Time between checkpoints, in seconds; 0 to 10^9.
        train_fingerprint: sha256 of the training part of the set, with what is held out of it.
        teacher_sha256: Of the file of the recipe's teacher; empty for none.
    """

    recipe: Recipe
    seed: int
    data: Path | None
    hold_out: int
    device: str
    threads: int
    checkpoint_seconds: float
    train_fingerprint: str = ""
    teacher_sha256: str = ""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("seed", self.seed, 0, MOST_SEED),
            ("hold-out", self.hold_out, 0, math.inf),
            ("threads", self.threads, 1, MOST_THREADS),
            ("seconds between checkpoints", self.checkpoint_seconds, 0, MOST_SECONDS),
        ):
            if not value >= low:
                raise SettingError(f"{name} is {value}: expected at least {low}")
            if value > high:
                raise SettingError(f"{name} is {value}: expected at most {high}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a JSON object."""
        return {
            "format": FORMAT,
            **asdict(self),
            "recipe": self.recipe.to_dict(),
            "data": None if self.data is None else str(self.data),
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "RunSettings":
        """Return the settings that `to_dict` wrote, without its format.

        Raises:
            TypeError: A setting is missing, unknown or of another type.
            KeyError: A setting is missing.
            UsageError: A setting has no meaning.
        """
        data = None if saved["data"] is None else Path(saved["data"])
        settings = cls(**{**saved, "recipe": Recipe.from_dict(saved["recipe"]), "data": data})
        check_types(settings)
        return settings


class RunFolder:
    """The files of a run, by name.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe = path / "recipe.json"
        self.environment = path / "environment.json"
        self.metrics = path / "metrics.jsonl"
        self.checkpoint = path / "checkpoint"
        self.model = path / "model.safetensors"
        self.figure = path / "predictions.png"
        self.report = path / "report.html"

    def read_settings(self) -> RunSettings:
        """Return what the run was asked to do.

        Raises:
            RunFolderError: This is no run folder, or one of another version.
        """
        try:
            saved = json.loads(self.recipe.read_bytes())
        except FileNotFoundError:
            raise RunFolderError(
                f"{self.path} is no run folder: expected it to hold {self.recipe.name}"
            ) from None
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{self.recipe} cannot be read: {error}") from error
        found = saved.pop("format", None) if isinstance(saved, dict) else None
        if found != FORMAT:
            raise RunFolderError(
                f"{self.path} has run format {found}: this version of tendigits reads format "
                f"{FORMAT}; continue it with the version that began it, or train again"
            )
        try:
            return RunSettings.from_dict(saved)
        except (KeyError, TypeError, UsageError) as error:
            raise RunFolderError(f"{self.recipe} is not whole: {error}") from error

    def read_environment(self) -> dict[str, Any]:
        """Return the facts of the machine that the run began on.

        Raises:
            RunFolderError: They cannot be read.
        """
        try:
            facts = json.loads(self.environment.read_bytes())
            return dict(facts.items())
        except (OSError, ValueError, AttributeError) as error:
            raise RunFolderError(
                f"{self.environment} cannot be read ({error}): put it back, for example from "
                "another run on the same machine"
            ) from error

    def append_metrics(self, event: str, fields: dict[str, Any]) -> int:
        """Add a line to the metrics, flushed to the disk; return the file's length in bytes.

        Raises:
            RunFolderError: The file system refused.
        """
        with self.writing(self.metrics), open(self.metrics, "a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **fields}, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def read_metrics(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the metrics that tell of `event`, such as ``"epoch"``.

        A line that is damaged is left out: it shall not keep a report from being written.
        """
        lines = self.metrics.read_bytes().splitlines() if self.metrics.exists() else []
        whole = [line for line in map(_read_line, lines) if line is not None]
        return [line for line in whole if line.get("event") == event]

    def truncate_metrics(self, length: int) -> None:
        """Drop from the metrics what was written after they had `length` bytes."""
        with self.writing(self.metrics):
            if self.metrics.exists():
                os.truncate(self.metrics, min(length, self.metrics.stat().st_size))

    @contextlib.contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Say which file it was, and how the run goes on, where the system refuses a write.

        Args:
            path: The file of this folder that the block writes.

        Raises:
            RunFolderError: The block raised an `OSError`.
        """
        try:
            yield
        except OSError as error:
            raise RunFolderError(
                f"could not write {path} ({reason(error)}): {how_to_go_on(error, self.path)}"
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training this run during the block.

        The lock is on recipe.json, and the system releases it when the process dies. Where there
        are no such locks (Windows, some network file systems), nothing is kept from anything.

        Raises:
            RunFolderError: Another process is training the run, or the folder cannot be written.
        """
        with self.writing(self.recipe):
            file = open(self.recipe, "r+b")  # noqa: SIM115  (a network's lock wants a file to write)
        with file:
            if not take_lock(file):
                raise RunFolderError(
                    f"{self.path} is being trained by another process: wait for it, or stop it "
                    "before you go on with the run"
                )
            yield


def create_run_folder(runs: Path, settings: RunSettings) -> RunFolder:
    """Make the next ``NNN-recipe`` folder in `runs`, with its settings and environment in it.

    Args:
        runs: The folder of all runs; it is made if need be.
        settings: What the run is asked to do.

    Raises:
        RunFolderError: The file system refused.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=runs))
    except OSError as error:
        raise RunFolderError(
            f"cannot make a run folder in {runs} ({reason(error)}): choose another with --runs"
        ) from error
    try:
        temporary.chmod(0o755)
        write_json(temporary / "recipe.json", settings.to_dict())
        write_json(temporary / "environment.json", describe_environment())
        return RunFolder(_take_next_number(runs, temporary, settings.recipe.name))
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise RunFolderError(
                f"cannot write a run folder in {runs} ({reason(error)}): see to that, or choose "
                "another folder with --runs"
            ) from error
        raise


def _read_line(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a line, or None where it holds none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _take_next_number(runs: Path, temporary: Path, name: str) -> Path:
    """Rename `temporary` to the first free number; another process may be doing the same."""
    numbers = [
        int(match[1]) for path in runs.iterdir() if (match := re.match(r"(\d+)-", path.name))
    ]
    number = max(numbers, default=0)
    while True:
        number += 1
        # Another recipe's run may have just taken the number: claim it for all names at once.
        claim = runs / f".claim-{number:03d}"
        try:
            claim.mkdir()
        except FileExistsError:
            continue
        try:
            if any(runs.glob(f"{number:03d}-*")):
                continue
            path = runs / f"{number:03d}-{name}"
            temporary.rename(path)
            return path
        finally:
            claim.rmdir()
