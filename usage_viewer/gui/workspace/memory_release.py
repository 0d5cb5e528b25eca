"""Gives free memory back to the system after a fetch or a copy, when the window has nothing to do."""

from PySide6.QtCore import QObject, QTimer, Signal

from usage_viewer.app.process_memory import release_free_memory
from usage_viewer.gui.workspace.tasks import Task, Tasks

CHANNEL = "memory"
DELAY_MS = 2000
"""Milliseconds without work: another view often follows at once, and would use the same memory again."""
LARGE_WORK = ("fetch", "look", "copy")
"""The channels whose work takes much memory."""


class MemoryRelease(QObject):
    """Waits for the end of large work, then for a pause. Until then free memory makes views faster."""

    released = Signal()

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.pause = QTimer(self, singleShot=True, interval=DELAY_MS)
        self.pause.timeout.connect(self._on_pause)

    def request(self) -> None:
        """Release memory at the next pause, and at each further one until nothing else runs."""
        self.pause.start()

    def _on_pause(self) -> None:
        if any(map(self._tasks.busy, LARGE_WORK)):
            self.pause.start()
            return
        if self._tasks.busy_count:  # such as a verification, which leaves memory behind too
            self.pause.start()
        self._tasks.start(CHANNEL, _work, lambda _: self.released.emit(), lambda _: None)


def _work(task: Task) -> bool:
    return release_free_memory()
