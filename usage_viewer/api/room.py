"""`Room`: lets large answers into memory one at a time, however many calls are under way."""

import threading
import time
from collections.abc import Callable

SMALL = 4 << 20
"""Bytes up to which an answer is read without asking for room."""

_SLICE = 0.1  # seconds between two looks at whether the one who waits is to go on waiting


class Room:
    def __init__(self) -> None:
        # Not a lock: an iterator that is dropped may be cleared away in another thread.
        self._free = threading.Semaphore(1)

    def stay(self) -> "Stay":
        return Stay(self._free)


class Stay:
    """One call's: `grown` with each size that its answer comes to, then `leave`. `waited`: seconds in all."""

    def __init__(self, free: threading.Semaphore) -> None:
        self._free, self._inside = free, False
        self.waited = 0.0

    def grown(self, size: int, check: Callable[[], None]) -> None:
        """Returns once `size` bytes have room. `check` is called first and while it waits; it may raise."""
        check()
        while size > SMALL and not self._inside:
            begun = time.monotonic()
            self._inside = self._free.acquire(timeout=_SLICE)
            self.waited += time.monotonic() - begun
            check()

    def leave(self) -> None:
        if self._inside:
            self._inside = False
            self._free.release()
