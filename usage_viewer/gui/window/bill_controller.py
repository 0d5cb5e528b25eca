"""Opens the lists that are about the bill: its differences from the usage."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.app.bill.reconciliation import Reconciliation

CHANNEL = "bill"
COMPARING = "Comparing the bill with the usage…"


class BillController(QObject):
    """Compares in a worker, then opens the list; a later request replaces it."""

    failed = Signal(object)  # UsageViewerError
    listed = Signal(object)  # RecordDialog

    def __init__(self, workspace: Workspace, tasks: Tasks, page: MainPage, actions: Actions) -> None:
        super().__init__(page)
        self._workspace, self._tasks, self._page = workspace, tasks, page
        workspace.closed.connect(lambda: tasks.cancel(CHANNEL))
        connect(actions.reconcile, self.reconcile)

    def reconcile(self) -> None:
        """Compare the bill of the shown range with the usage, then open the list of differences."""
        session, last = self._workspace.session, self._workspace.last
        if session is None or last is None:
            return
        first_day, view = week_start(self._page.locale()), last.view
        self._page.status.show_message(COMPARING)

        def work(task: Task) -> "Reconciliation":
            from usage_viewer.app.bill.reconciliation import load_reconciliation

            return load_reconciliation(session, view, task.cancellation, first_day)

        self._tasks.start(CHANNEL, work, self._open_differences, self._on_failed)

    def _open_differences(self, found: "Reconciliation") -> None:
        from usage_viewer.gui.verification.reconcile_list import ReconcileDialog

        dialog = ReconcileDialog(found, self._page)
        dialog.view_requested.connect(self._workspace.show_view)
        self._open(dialog)

    def _open(self, dialog: RecordDialog) -> None:
        dialog.open()
        self.listed.emit(dialog)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
