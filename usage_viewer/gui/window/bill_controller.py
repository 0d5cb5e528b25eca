"""Opens the lists that are about the bill: its differences from the usage, the prices, and what line items mean."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.table import Column, is_money
from usage_viewer.domain.verification import Cell
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from usage_viewer.app.bill.line_items import LineItem, LineItems
    from usage_viewer.app.bill.prices import PriceList
    from usage_viewer.app.bill.reconciliation import Reconciliation
    from usage_viewer.app.spend.line_mappings import LineMappings
    from usage_viewer.domain.spend import Target

CHANNEL = "bill"
COMPARING = "Comparing the bill with the usage…"
LISTING = "Reading the line items…"
FINDING_PRICES = "Finding your prices…"


class BillController(QObject):
    """Does the work in a worker, then opens the list; a later request replaces it."""

    failed = Signal(object)  # UsageViewerError
    listed = Signal(object)  # RecordDialog

    def __init__(self, workspace: Workspace, tasks: Tasks, page: MainPage, actions: Actions) -> None:
        super().__init__(page)
        self._workspace, self._tasks, self._page = workspace, tasks, page
        workspace.closed.connect(lambda: tasks.cancel(CHANNEL))
        connect(actions.reconcile, self.reconcile)
        connect(actions.prices, self._list_current_prices)
        connect(actions.line_items, self.list_line_items)
        page.table.prices_requested.connect(self.list_prices)

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

    def _list_current_prices(self) -> None:
        """List the prices of the current cell if it has an amount, else all prices."""
        current = self._page.table.current_cell()
        if current is not None and is_money(current[1]):
            self.list_prices(*current)
        else:
            self.list_prices()

    def list_prices(self, cell: Cell | None = None, column: Column | None = None) -> None:
        """List the prices of all stored days: of the line items that a cell was billed in, or of all."""
        session, last = self._workspace.session, self._workspace.last
        if session is None or last is None:
            return
        first_day, view = week_start(self._page.locale()), last.view
        if cell is not None and column is not None:
            cell = cell.limited_by(column.key, last.look.coverage.periods)
        self._page.status.show_message(FINDING_PRICES)

        def work(task: Task) -> "tuple[PriceList, frozenset[str] | None]":
            from usage_viewer.app.bill.prices import lines_of_cell, list_prices
            from usage_viewer.app.bill.reconciliation import load_bill

            error = load_bill(session, view, task.cancellation, first_day)
            found = list_prices(session, None, task.cancellation)
            if error is not None and found.problem:
                raise error
            return found, None if cell is None else lines_of_cell(session, view, cell, task.cancellation)

        self._tasks.start(CHANNEL, work, self._open_prices, self._on_failed)

    def _open_prices(self, found: "tuple[PriceList, frozenset[str] | None]") -> None:
        from usage_viewer.gui.verification.price_list import PriceDialog

        dialog = PriceDialog(*found, self._page)
        dialog.view_requested.connect(self._workspace.show_view)
        self._open(dialog)

    def list_line_items(self) -> None:
        """List what the line items of all stored days mean."""
        last = self._workspace.last
        if last is not None:
            self._load_line_items(self._open_line_items, load=last.view)

    def _load_line_items(
        self,
        show: "Callable[[LineItems], None]",
        change: "Callable[[LineMappings], None] | None" = None,
        load: ViewState | None = None,
    ) -> None:
        """Change the mappings in a worker if asked to, load the bill of a view's range if given, and list."""
        session, first_day = self._workspace.session, week_start(self._page.locale())
        if session is None:
            return
        self._page.status.show_message(LISTING)

        def work(task: Task) -> "LineItems":
            from usage_viewer.app.bill.line_items import list_line_items
            from usage_viewer.app.bill.reconciliation import load_bill

            error = None if load is None else load_bill(session, load, task.cancellation, first_day)
            if change is not None and session.store_session is not None:
                change(session.store_session.mappings)
            found = list_line_items(session, None, task.cancellation)
            if error is not None and found.problem:
                raise error
            return found

        self._tasks.start(CHANNEL, work, show, self._on_failed)

    def _open_line_items(self, found: "LineItems") -> None:
        from usage_viewer.gui.verification.line_item_list import LineItemsDialog, MapDialog

        dialog = LineItemsDialog(found, self._page)

        def show(listed: "LineItems") -> None:
            if isValid(dialog):
                dialog.show_items(listed)
            self._workspace.reload()

        def map_by_hand(item: "LineItem") -> None:
            def save(target: "Target | None") -> None:
                self._load_line_items(show, lambda mappings: mappings.set(item.key, target))

            MapDialog(item, dialog.found, dialog, save).open()

        def undo(item: "LineItem") -> None:
            self._load_line_items(show, lambda mappings: mappings.remove(item.key))

        dialog.map_requested.connect(map_by_hand)
        dialog.undo_requested.connect(undo)
        self._open(dialog)

    def _open(self, dialog: RecordDialog) -> None:
        dialog.open()
        self.listed.emit(dialog)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
