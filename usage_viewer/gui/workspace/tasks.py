"""Runs work in threads and calls back on the GUI thread."""

import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.key_masking import mask_keys

T = TypeVar("T")
log = logging.getLogger(__name__)

IMPORT_LIMIT = 10.0
"""Seconds for which closing waits at most, if a thread imports a module all the time."""

JOIN_STEP = 0.01
"""Seconds between two checks whether the threads have ended."""

Done = Callable[[Any], None]
Failed = Callable[[UsageViewerError], None]


@dataclass
class Task:
    """One piece of work. After `cancel` none of its steps or results reaches the GUI.

    The work checks `cancellation`, or passes it on. `cancel` is called on the GUI thread.
    """

    work: Callable[["Task"], Any]
    done: Done
    failed: Failed
    step: Done | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    finished: bool = False

    def cancel(self) -> None:
        """Cancel the work unless it has finished."""
        if not self.finished and not self.cancellation.is_cancelled:
            self.cancellation.cancel()


@dataclass(frozen=True, slots=True)
class _Message:
    """What a worker sends: a step of the work, its result, or its error."""

    task: Task
    kind: str
    value: Any


class Tasks(QObject):
    """Runs work on one thread per channel and calls back on the GUI thread.

    It lives as long as the window and is the only object that worker threads use to reach the GUI. The threads are
    daemons: blocked work cannot keep the process from ending. An unexpected exception becomes a UsageViewerError,
    so that no work fails without a message. `idle` is emitted when every task is finished or cancelled, in the next
    turn of the event loop: a callback or the caller of `cancel` may start another task first.
    """

    idle = Signal()
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)
        self._channels: dict[str, _Channel] = {}
        self._closed = threading.Event()
        self._idle_check = QTimer(self, singleShot=True, interval=0)
        self._idle_check.timeout.connect(self._emit_if_idle)

    @property
    def busy_count(self) -> int:
        """Returns the number of unfinished tasks in all channels."""
        return sum(channel.unfinished for channel in self._channels.values())

    def start(
        self,
        channel: str,
        work: Callable[[Task], T],
        done: Callable[[T], None],
        failed: Failed,
        *,
        latest_wins: bool = True,
    ) -> Task:
        """Run `work(task)` in the channel's thread, after its earlier tasks; `latest_wins` cancels those."""
        return self._enqueue(channel, Task(work, done, failed), latest_wins)

    def start_steps(
        self,
        channel: str,
        work: Callable[[Task], Iterator[T]],
        step: Callable[[T], None],
        done: Callable[[], None],
        failed: Failed,
    ) -> Task:
        """Run an iterator to its end, and pass each item to `step`."""

        def send_steps(task: Task) -> None:
            for item in work(task):
                task.cancellation.check()
                self._send(_Message(task, "step", item))

        return self._enqueue(channel, Task(send_steps, lambda _: done(), failed, step), True)

    def cancel(self, channel: str) -> None:
        """Cancel every task of the channel."""
        if self.busy(channel):
            self._channels[channel].cancel()
            self._idle_check.start()

    def busy(self, channel: str) -> bool:
        """Whether the channel has a task that is neither finished nor cancelled."""
        return channel in self._channels and self._channels[channel].unfinished > 0

    def close(self, seconds: float = 1.0) -> None:
        """Cancel every task and wait at most `seconds` for the threads, not counting imports (see `_join`)."""
        self._closed.set()
        for channel in self._channels.values():
            channel.cancel()
            channel.end()
        self._join(seconds)
        self._channels = {}  # releases the tasks and the objects that they use

    def _join(self, seconds: float) -> None:
        """Wait for the threads, at most `seconds` and the time that they spend importing modules.

        The process aborts if the interpreter exits while a thread imports a C++ extension module such as DuckDB's.
        """
        alive = [channel.thread for channel in self._channels.values()]
        limit = time.monotonic() + IMPORT_LIMIT
        while alive and seconds > 0 and time.monotonic() < limit:
            started, importing = time.monotonic(), any(map(_is_importing, alive))
            alive[0].join(JOIN_STEP)
            alive = [thread for thread in alive if thread.is_alive()]
            if not importing:
                seconds -= time.monotonic() - started

    def _enqueue(self, name: str, task: Task, latest_wins: bool) -> Task:
        if self._closed.is_set():
            task.cancel()
            return task
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = _Channel(name, self._send)
        if latest_wins:
            channel.cancel()
        channel.add(task)
        return task

    def _send(self, message: _Message) -> None:
        if not self._closed.is_set() and not message.task.cancellation.is_cancelled:
            self._arrived.emit(message)

    def _on_arrived(self, message: _Message) -> None:
        task = message.task
        if task.cancellation.is_cancelled or self._closed.is_set():
            return
        if message.kind == "step":
            if task.step is not None:
                task.step(message.value)
            return
        task.finished = True
        self._idle_check.start()
        (task.done if message.kind == "done" else task.failed)(message.value)

    def _emit_if_idle(self) -> None:
        if not self._closed.is_set() and not self.busy_count:
            self.idle.emit()


def _is_importing(thread: threading.Thread) -> bool:
    frames = sys._current_frames()  # noqa: SLF001 (documented, and the only way to see what another thread runs)
    frame = frames.get(thread.ident or 0)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


class _Channel:
    """A thread and the tasks that are queued for it."""

    def __init__(self, name: str, send: Callable[[_Message], None]) -> None:
        self._send = send
        self._todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._tasks: list[Task] = []  # used by the GUI thread only
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    @property
    def unfinished(self) -> int:
        return sum(not task.finished and not task.cancellation.is_cancelled for task in self._tasks)

    def add(self, task: Task) -> None:
        self._tasks = [
            queued for queued in self._tasks if not queued.finished and not queued.cancellation.is_cancelled
        ]
        self._tasks.append(task)
        self._todo.put(task)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def end(self) -> None:
        self._todo.put(None)

    def _run(self) -> None:
        while (task := self._todo.get()) is not None:
            if not task.cancellation.is_cancelled:
                self._run_task(task)
            del task  # releases the task while the thread waits for the next one

    def _run_task(self, task: Task) -> None:
        try:
            result = task.work(task)
        except UsageViewerError as error:
            self._send(_Message(task, "failed", error))
        except Exception as error:  # reported to the GUI: no work may fail without a message
            log.exception("unexpected error in %s", self.thread.name)
            self._send(_Message(task, "failed", UsageViewerError(mask_keys(f"{type(error).__name__}: {error}"))))
        else:
            self._send(_Message(task, "done", result))
