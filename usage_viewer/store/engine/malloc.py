"""`keep_freed_memory`: memory that an answer took and gave back stays with the process, for the next one."""

import ctypes
import sys

MOST_KEPT = 128 * 2**20
"""Bytes."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt()."""

_LARGEST_MMAP_THRESHOLD = 32 * 2**20


def keep_freed_memory() -> bool:
    """Whether it could be said so: of Linux' usual C library only.

    Else it maps each array of megabytes anew, and the kernel clears its pages: a third of the time that ordering a
    million rows takes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_TRIM_THRESHOLD, MOST_KEPT))
