"""The one bridge between worker threads and the GUI thread."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from usage_viewer.domain.admin_key import mask_keys
from usage_viewer.domain.errors import Cancelled, UsageViewerError

T = TypeVar("T")
log = logging.getLogger(__name__)

Done = Callable[[Any], None]
Failed = Callable[[UsageViewerError], None]


@dataclass
class Task:
    """One piece of work. `cancel()` may be called in the GUI thread at any time: nothing of it arrives afterwards.

    `cancelled` is for the work to look at; `on_cancel` interrupts what can't look.
    """

    work: Callable[["Task"], Any]
    done: Done
    failed: Failed
    step: Done | None = None
    on_cancel: Callable[[], None] | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: bool = False

    def cancel(self) -> None:
        if self.finished or self.cancelled.is_set():
            return
        self.cancelled.set()
        if self.on_cancel is not None:
            self.on_cancel()


@dataclass(frozen=True, slots=True)
class _Message:
    """From a worker: a step of the work, its result, or its error."""

    task: Task
    kind: str
    value: Any


class Tasks(QObject):
    """Runs work on a thread for each channel and calls back on the GUI thread.

    It lives as long as the window, and is the only object through which threads speak to the GUI. The threads are
    daemons: work that hangs can't keep the process from ending. Any error that isn't the program's own becomes one
    here, so that no work can fail unseen. `idle` is emitted when no task is unfinished any more, in
    the next turn of the event loop: a callback or the caller of `cancel` may start another task first.
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
        on_cancel: Callable[[], None] | None = None,
        latest_wins: bool = True,
    ) -> Task:
        """Runs `work(task)` in the channel's thread, after what is there before it; `latest_wins` cancels that."""
        return self._enqueue(channel, Task(work, done, failed, None, on_cancel), latest_wins)

    def start_steps(
        self,
        channel: str,
        work: Callable[[Task], Iterator[T]],
        step: Callable[[T], None],
        done: Callable[[], None],
        failed: Failed,
    ) -> Task:
        """Runs an iterator to its end; each of its items arrives at `step`."""

        def walk(task: Task) -> None:
            for item in work(task):
                if task.cancelled.is_set():
                    raise Cancelled
                self._send(_Message(task, "step", item))

        return self._enqueue(channel, Task(walk, lambda _: done(), failed, step), True)

    def cancel(self, channel: str) -> None:
        if self.busy(channel):
            self._channels[channel].cancel()
            self._idle_check.start()

    def busy(self, channel: str) -> bool:
        return channel in self._channels and self._channels[channel].unfinished > 0

    def close(self, seconds: float = 1.0) -> None:
        """Cancels everything and waits `seconds` at the most, in all."""
        self._closed.set()
        for channel in self._channels.values():
            channel.cancel()
            channel.end()
        for channel in self._channels.values():
            channel.thread.join(seconds / len(self._channels))
        self._channels = {}  # and with them the work, which holds on to what it works with

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
        if not self._closed.is_set() and not message.task.cancelled.is_set():
            self._arrived.emit(message)

    def _on_arrived(self, message: _Message) -> None:
        task = message.task
        if task.cancelled.is_set() or self._closed.is_set():
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


class _Channel:
    """A thread and the tasks that wait for it."""

    def __init__(self, name: str, send: Callable[[_Message], None]) -> None:
        self._send = send
        self._todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._tasks: list[Task] = []  # touched by the GUI thread alone
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    @property
    def unfinished(self) -> int:
        return sum(not task.finished and not task.cancelled.is_set() for task in self._tasks)

    def add(self, task: Task) -> None:
        self._tasks = [one for one in self._tasks if not one.finished and not one.cancelled.is_set()]
        self._tasks.append(task)
        self._todo.put(task)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def end(self) -> None:
        self._todo.put(None)

    def _run(self) -> None:
        while (task := self._todo.get()) is not None:
            if not task.cancelled.is_set():
                self._do(task)
            del task  # nothing of it stays while the thread waits

    def _do(self, task: Task) -> None:
        try:
            result = task.work(task)
        except UsageViewerError as error:
            self._send(_Message(task, "failed", error))
        except Exception as error:  # the bridge: nothing may fail unseen
            log.exception("unexpected error in %s", self.thread.name)
            self._send(_Message(task, "failed", UsageViewerError(mask_keys(f"{type(error).__name__}: {error}"))))
        else:
            self._send(_Message(task, "done", result))
