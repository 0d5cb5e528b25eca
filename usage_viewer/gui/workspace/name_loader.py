"""Fetches the names of projects, users and keys in a worker thread."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from usage_viewer.gui.workspace.tasks import Tasks

if TYPE_CHECKING:
    from usage_viewer.app.session.session import Session

CHANNEL = "names"


class NameLoader(QObject):
    """Lets a session fetch its names."""

    loaded = Signal()
    waiting = Signal(str)  # why the names are late
    failed = Signal(object)  # UsageViewerError

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks

    def load(self, session: "Session") -> None:
        """Fetch all names; the session keeps them."""
        self._tasks.start_steps(
            CHANNEL,
            lambda task: session.load_names(task.cancellation),
            self.waiting.emit,
            self.loaded.emit,
            self.failed.emit,
        )

    def cancel(self) -> None:
        """Cancel the fetch of the names."""
        self._tasks.cancel(CHANNEL)
