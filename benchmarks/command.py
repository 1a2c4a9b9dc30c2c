"""The installed command, run as a user runs it, with its time and memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("tendigits")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A command that has ended.

    Attributes:
        output: What it printed.
        seconds: From start to end, the interpreter's start included.
        peak_memory_mb: The most memory that it held at once, in megabytes (10^6 bytes).
    """

    output: str
    seconds: float
    peak_memory_mb: float

    def json_lines(self) -> list[dict[str, Any]]:
        """Return the lines of JSON that it printed."""
        return [json.loads(line) for line in self.output.splitlines()]


def run_command(*arguments: str) -> Outcome:
    """Run `tendigits` with `arguments` and wait for its end.

    Raises:
        RuntimeError: It failed.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen([COMMAND, *arguments], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"tendigits {' '.join(arguments)} ended with {process.returncode}")
        output.seek(0)
        kibibytes = usage.ru_maxrss if sys.platform == "linux" else usage.ru_maxrss / 1024
        return Outcome(output=output.read(), seconds=seconds, peak_memory_mb=kibibytes * 1024 / 1e6)
