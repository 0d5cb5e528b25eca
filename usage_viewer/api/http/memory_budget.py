"""Limits how much memory the response bodies of all running requests take together."""

import threading
import time
from collections.abc import Callable

STEP = 4 << 20
"""Bytes. A response up to this size is read without a reservation; a reservation grows in steps of this size."""

TOTAL = 64 << 20
"""Bytes that all reservations may have together. The oldest reservation may always grow, even beyond this total:
so one request can always finish.
"""

_CHECK_INTERVAL = 0.1  # seconds between two checks for cancellation while waiting


class MemoryBudget:
    """Shares `total` bytes among the responses of several threads."""

    def __init__(self, total: int = TOTAL) -> None:
        self._total = total
        self._changed = threading.Condition()
        self._active: list[Reservation] = []  # oldest first

    def reserve(self) -> "Reservation":
        """Return a new reservation of 0 bytes."""
        return Reservation(self)

    def resize(self, reservation: "Reservation", size: int, check: Callable[[], None]) -> None:
        """Set a reservation to `size` bytes; wait until they are free.

        `check` is called every 0.1 s while waiting. Raises what `check` raises.
        """
        with self._changed:
            if reservation not in self._active:
                self._active.append(reservation)
            while not self._fits(reservation, size):
                begun = time.monotonic()
                self._changed.wait(_CHECK_INTERVAL)
                reservation.waited += time.monotonic() - begun
                check()
            reservation.size = size

    def _fits(self, reservation: "Reservation", size: int) -> bool:
        others = sum(other.size for other in self._active if other is not reservation)
        return reservation is self._active[0] or others + size <= self._total

    def release(self, reservation: "Reservation") -> None:
        """Free the bytes of a reservation; it can be used again."""
        with self._changed:
            if reservation in self._active:
                self._active.remove(reservation)
                self._changed.notify_all()
            reservation.size = 0


class Reservation:
    """The memory reserved for one response: `size` in bytes; `waited` is the time spent waiting, in seconds."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.size = 0
        self.waited = 0.0

    def grow(self, size: int, check: Callable[[], None]) -> None:
        """Reserve memory for a response that now has `size` bytes; wait until it is free.

        `check` is called once before, and every 0.1 s while waiting. Raises what `check` raises.
        """
        check()
        if size > max(STEP, self.size):
            self._budget.resize(self, -(-size // STEP) * STEP, check)

    def release(self) -> None:
        """Free the reserved memory."""
        self._budget.release(self)
