"""The C library's memory, kept between steps.

A step frees what it made, and the next one asks for as much again. By default glibc gives large
blocks back to the system in between, and then pays for every page anew: of `fast`'s training that
was more than a quarter (benchmarks/LOG.md, 2026-11-24).
"""

import ctypes
import platform

# From glibc's malloc.h, whose thresholds are in bytes.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = 2**29  # freed memory that is given back only above this
GROWTH_BYTES = 2**25  # the heap grows by so much at a time
LARGE_BYTES = 2**25  # blocks from here on come from the system one by one; glibc takes no more


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory for the next step, for the rest of the process.

    Returns:
        Whether it could be told so: only glibc can, which is that of most Linux systems.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = (
        (M_MMAP_THRESHOLD, LARGE_BYTES),
        (M_TRIM_THRESHOLD, KEPT_BYTES),
        (M_TOP_PAD, GROWTH_BYTES),
    )
    accepted = [mallopt(name, size) for name, size in settings]
    return all(accepted)  # 1 each
