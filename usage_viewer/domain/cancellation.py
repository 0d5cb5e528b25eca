"""`Cancel`: stops a query that runs in another thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from usage_viewer.domain.errors import Cancelled


class Cancel:
    """Kept by the caller of a query; `cancel` may be called in any thread, at any time, more than once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._interrupt: Callable[[], None] | None = None

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._interrupt is not None:
                self._interrupt()

    def is_set(self) -> bool:
        return self._cancelled

    def check(self) -> None:
        """Raises Cancelled once `cancel` was called."""
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Within it, `cancel` calls `interrupt` too. Raises Cancelled before and after, where it was called."""
        with self._lock:
            self.check()
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None
        self.check()
