"""`MemoryBudget`: how much memory the answers of all calls under way may take together."""

import threading
import time
from collections.abc import Callable

SMALL = 4 << 20
"""Bytes up to which an answer is read without asking for room, and by which it then grows."""

TOGETHER = 64 << 20
"""Bytes that larger answers may have together; the one that came first goes on whatever the others have."""

_SLICE = 0.1  # seconds between two looks at whether the one who waits is to go on waiting


class MemoryBudget:
    def __init__(self, together: int = TOGETHER) -> None:
        self._together = together
        self._changed = threading.Condition()
        self._inside: list[Reservation] = []  # in the order in which they came

    def stay(self) -> "Reservation":
        return Reservation(self)

    def enter(self, stay: "Reservation", size: int, check: Callable[[], None]) -> None:
        """Returns once `stay` may have `size` bytes."""
        with self._changed:
            if stay not in self._inside:
                self._inside.append(stay)
            while not self._fits(stay, size):
                begun = time.monotonic()
                self._changed.wait(_SLICE)
                stay.waited += time.monotonic() - begun
                check()
            stay.size = size

    def _fits(self, stay: "Reservation", size: int) -> bool:
        others = sum(one.size for one in self._inside if one is not stay)
        return stay is self._inside[0] or others + size <= self._together

    def leave(self, stay: "Reservation") -> None:
        with self._changed:
            if stay in self._inside:
                self._inside.remove(stay)
                self._changed.notify_all()
            stay.size = 0


class Reservation:
    """One call's: `grown` with each size that its answer comes to, then `leave`. `waited`: seconds in all."""

    def __init__(self, room: MemoryBudget) -> None:
        self._room = room
        self.size = 0
        self.waited = 0.0

    def grown(self, size: int, check: Callable[[], None]) -> None:
        """Returns once `size` bytes have room. `check` is called first and while it waits; it may raise."""
        check()
        if size > max(SMALL, self.size):
            self._room.enter(self, -(-size // SMALL) * SMALL, check)

    def leave(self) -> None:
        self._room.leave(self)
