"""Freed memory stays with the process, where the C library is glibc."""

import platform
import subprocess
import sys

PROGRAM = """
import resource
import torch
from tendigits.training.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.zeros(2**20)  # 4 MiB: 1,024 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if keep_freed_memory():
    faults()
    print(faults())
"""


def test_pages_are_paid_for_once() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    ).stdout
    if platform.libc_ver()[0] == "glibc":
        assert int(shown) < 1_024  # of 20,480 where each tensor is new
    else:
        assert shown == ""
