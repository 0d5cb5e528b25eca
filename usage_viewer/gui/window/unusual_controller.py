"""Opens the list of unusual days of the shown view."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.period import Span
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.app.unusual import UnusualList

CHANNEL = "unusual"
LOOKING = "Looking for unusual days…"


class UnusualController(QObject):
    """Loads the weeks before the view's range in a worker and lists the days; a later request replaces it."""

    failed = Signal(object)  # UsageViewerError
    listed = Signal(object)  # RecordDialog

    def __init__(self, workspace: Workspace, tasks: Tasks, page: MainPage, actions: Actions) -> None:
        super().__init__(page)
        self._workspace, self._tasks, self._page = workspace, tasks, page
        workspace.closed.connect(lambda: tasks.cancel(CHANNEL))
        connect(actions.unusual, self.list_days)

    def list_days(self) -> None:
        """Look for unusual days of the shown view, then open the list."""
        session, last = self._workspace.session, self._workspace.last
        if session is None or last is None:
            return
        first_day, span = week_start(self._page.locale()), last.look.coverage.periods.span
        self._page.status.show_message(LOOKING)

        def work(task: Task) -> "UnusualList":
            from usage_viewer.app.unusual import load_unusual_days

            return load_unusual_days(session, last.view, task.cancellation, first_day)

        self._tasks.start(CHANNEL, work, lambda found: self._open(found, span), self._on_failed)

    def _open(self, found: "UnusualList", span: Span) -> None:
        from usage_viewer.gui.verification.unusual_list import unusual_dialog

        dialog = unusual_dialog(found, span, self._page)
        dialog.open()
        self.listed.emit(dialog)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
