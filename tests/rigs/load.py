"""Measures how busy the computer is, so that an upper bound on time holds beside other programs too."""

import time

_WORK = 0.05
"""Seconds of processor time."""


def slowdown() -> float:
    """Return how many times longer work takes now than on an idle computer; 1 on an idle one.

    Multiply an upper bound of seconds by it. Takes 0.05 s of processor time.
    """
    wall, processor = time.perf_counter(), time.thread_time()
    while time.thread_time() - processor < _WORK:
        pass
    return max(1.0, (time.perf_counter() - wall) / _WORK)
