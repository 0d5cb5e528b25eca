"""A call that may hang for ever, run where it can't keep the program: in a daemon thread, for a time."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """The call did not end in time, or its thread ended without an answer."""


class BackendFailure(Exception):
    """The call raised `error`, which comes without the frames it passed: their variables hold the key."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class _Answer(Generic[T]):
    """Carries a value or an exception from the thread that makes the call to the one that waits."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: list[T] = []
        self.error: Exception | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        # Not swallowed but handed over: `bounded` raises it where somebody waits for it. Back ends raise
        # classes of their own (of D-Bus, GLib, Windows), which no list names in full.
        if isinstance(error, Exception):
            self.error = error
        self.done.set()
        return error is not None  # nothing else than an Exception means anything in a thread


def bounded(call: Callable[[], T], timeout: float) -> T:
    """What `call()` gives, if it does so within `timeout` seconds; raises `NoAnswer` or `BackendFailure`.

    A call that hangs is left behind in its daemon thread, which doesn't keep the process from ending; what it
    gives later is dropped.
    """
    answer: _Answer[T] = _Answer()

    def run() -> None:
        with answer:
            answer.value.append(call())

    threading.Thread(target=run, name="keyring", daemon=True).start()
    if not answer.done.wait(timeout):
        raise NoAnswer
    if answer.error is not None:
        raise BackendFailure(_without_frames(answer.error))
    if not answer.value:
        raise NoAnswer
    return answer.value[0]


def _without_frames(error: Exception) -> Exception:
    """`error` with the tracebacks of its whole chain, and with them the chain itself, taken off."""
    error.__cause__ = None
    error.__context__ = None
    return error.with_traceback(None)
