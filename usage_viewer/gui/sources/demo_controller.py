"""`DemoController`: the synthetic organization and its server, for as long as the window looks at it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from usage_viewer.app.profile.profile import Demo
from usage_viewer.gui.workspace.tasks import Tasks


class DemoController(QObject):
    """`action` begins it, and ends it while it lasts: its text says which."""

    opened = Signal(object)  # Profile
    failed = Signal(object)  # UsageViewerError

    def __init__(self, open_demo: Callable[[], Demo], tasks: Tasks, action: QAction, parent: QObject) -> None:
        super().__init__(parent)
        self._open_demo, self._tasks, self._action = open_demo, tasks, action
        self._demo: Demo | None = None

    @property
    def is_open(self) -> bool:
        return self._demo is not None

    def begin(self) -> None:
        """Starts the server, in a worker: it takes a moment."""
        self._tasks.start("demo", lambda task: self._open_demo(), self._on_open, self.failed.emit)

    def _on_open(self, demo: Demo) -> None:
        self._demo = demo
        self._action.setText("Leave the &demo")
        self.opened.emit(demo.profile)

    def end(self) -> None:
        """Ends the server; nothing of it is kept."""
        self._action.setText("Open the &demo")
        demo, self._demo = self._demo, None
        if demo is not None:
            demo.close()
