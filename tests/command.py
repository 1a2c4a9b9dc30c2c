"""The installed command, run from outside."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

COMMAND = Path(sys.executable).with_name("tendigits")


def run(
    *arguments: str | Path, cwd: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, preexec_fn=before
    )


def train(folder: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("train", "article-mlp", "--data", folder, "--threads", "1", *arguments, cwd=cwd)


def the_run(cwd: Path) -> Path:
    (path,) = (cwd / "runs").glob("[0-9]*")
    return path
