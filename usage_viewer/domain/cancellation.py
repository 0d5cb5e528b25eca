"""Defines `Cancellation`, which stops one piece of work from another thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from usage_viewer.domain.errors import Cancelled


class Cancellation:
    """Stops one piece of work: a query, a fetch, a file that is being written.

    The caller keeps the object and passes it to the work. Every method may be called in any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Cancel the work and run the registered callbacks. May be called more than once."""
        with self._lock:
            self._event.set()
            for callback in self._callbacks:
                callback()

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled if `cancel` was called."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Wait until `cancel` is called, at most `seconds`. Return whether it was called."""
        return self._event.wait(seconds)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Register a callback for the duration of the block, such as the interrupt of a database query.

        The lock is held while callbacks run, so none runs after its block has ended.
        Raises Cancelled before and after the block if `cancel` was called.
        """
        with self._lock:
            self.check()
            self._callbacks.append(callback)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
        self.check()
