"""Reads the stored usage of a view in a worker thread."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.workspace.tasks import Task, Tasks

if TYPE_CHECKING:
    from usage_viewer.app.session.result import ViewResult
    from usage_viewer.app.session.session import Session
    from usage_viewer.app.session.store_session import StoreSession

CHANNEL = "look"


@dataclass(frozen=True)
class SortedResult:
    """A result and the order of its rows in the view that it was read for."""

    look: "ViewResult"
    rows: RowOrder

    @property
    def view(self) -> ViewState:
        """Returns the view that the result was read for."""
        return self.look.view

    @property
    def table(self) -> Table:
        """Returns the table of the result."""
        return self.look.table


class ResultLoader(QObject):
    """Keeps the last result and replaces it when a view is loaded or sorted.

    `loaded_at` (seconds of a monotonic clock) and `loaded_at_now` (epoch seconds of the session's clock, which goes
    on while the computer sleeps) are the times of the last load.
    """

    loaded = Signal(object)  # SortedResult
    erased = Signal()
    failed = Signal(object)  # UsageViewerError

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.last: SortedResult | None = None
        self.loaded_at = 0.0
        self.loaded_at_now = 0

    def load(self, session: "Session", view: ViewState) -> None:
        """Read what is stored of `view`; a load that is still running is cancelled."""
        self.loaded_at, self.loaded_at_now = time.monotonic(), session.now

        def work(task: Task) -> SortedResult:
            look = session.look(view, task.cancellation)
            look.table.round_amounts()
            return SortedResult(look, look.table.ordered(view.order))

        self._tasks.start(CHANNEL, work, self._on_loaded, self._on_failed)

    def sort(self, last: SortedResult, view: ViewState) -> None:
        """Orders the rows of `last` as `view` says, which must differ from its view only in the order."""
        look = replace(last.look, view=view)
        self._tasks.start(
            CHANNEL,
            lambda task: SortedResult(look, look.table.ordered(view.order)),
            self._on_loaded,
            self._on_failed,
        )

    def erase(self, session: "StoreSession") -> None:
        """Delete everything that the session has stored; `erased` reports the end."""
        self._tasks.start(CHANNEL, lambda task: session.erase(), lambda _: self.erased.emit(), self._on_failed)

    def clear(self) -> None:
        """Cancel the load and forget the last result."""
        self._tasks.cancel(CHANNEL)
        self.last = None

    def _on_loaded(self, result: SortedResult) -> None:
        self.last = result
        self.loaded.emit(result)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
