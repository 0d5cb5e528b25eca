"""Sets the C library to keep freed memory in the process, for the next query."""

import ctypes
import sys

MAX_KEPT = 128 * 2**20
"""Bytes of freed memory that the process keeps."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameter numbers of glibc's mallopt()."""

_LARGEST_MMAP_THRESHOLD = 32 * 2**20


def keep_freed_memory() -> bool:
    """Make glibc keep freed memory; returns whether that is supported (on Linux with glibc only).

    By default, glibc maps each array of several megabytes again, and the kernel clears its pages: a third of the
    time that sorting a million rows takes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_TRIM_THRESHOLD, MAX_KEPT))
