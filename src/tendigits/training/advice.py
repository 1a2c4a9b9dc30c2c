"""What a person can do about a run that stopped, in words for the end of an error's line."""

import os
import shlex
from pathlib import Path

from tendigits.errors import is_disk_full


def resume_command(run: Path) -> str:
    """Return the command that goes on with the run in the folder `run`, as a shell takes it."""
    return f"tendigits train --resume {shlex.quote(str(run))}"


def reason(error: OSError) -> str:
    """Return the system's words for `error`, whatever was made of them on the way here."""
    return os.strerror(error.errno) if error.errno else str(error)


def how_to_go_on(error: OSError, run: Path) -> str:
    """Return what to do about `error`, and how the run in the folder `run` then goes on."""
    is_full = is_disk_full(error)
    first = "make room" if is_full else "see to that"
    return f"{first}, then continue with: {resume_command(run)}"
