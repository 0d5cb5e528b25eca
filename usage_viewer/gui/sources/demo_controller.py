"""Opens the sample organization and runs its server as long as it is open."""

from PySide6.QtCore import QObject, Signal

from usage_viewer.app.profile.profile import Demo, Profile
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.workspace.app_context import AppContext
from usage_viewer.gui.workspace.tasks import Tasks


class DemoController(QObject):
    """Ends the demo's server as soon as another source is open."""

    starting = Signal()
    open_changed = Signal(bool)
    failed = Signal(object)  # UsageViewerError

    def __init__(self, context: AppContext, source: SourceController, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._source, self._tasks = context, source, tasks
        self._demo: Demo | None = None
        self._profile: Profile | None = None
        source.changed.connect(self._on_source_changed)

    def toggle(self) -> None:
        """Open the demo, or go back to the user's own organization."""
        if self._demo is not None:
            self._source.open_own()
            return
        self.starting.emit()
        self._tasks.start("demo", lambda task: self._context.open_demo(), self._on_started, self.failed.emit)

    def close(self) -> None:
        """End the server; its data was in memory only."""
        demo, self._demo, self._profile = self._demo, None, None
        if demo is not None:
            demo.close()
            self.open_changed.emit(False)

    def _on_started(self, demo: Demo) -> None:
        self._demo, self._profile = demo, demo.profile
        self.open_changed.emit(True)
        self._source.open(self._profile)

    def _on_source_changed(self, profile: Profile) -> None:
        if profile is not self._profile:
            self.close()
