"""Holds the state that the window shows: the open session, the view, its result and the selected rows."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QTimer, Signal

from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.names import Names
from usage_viewer.domain.row_keys import RowKeys
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Value
from usage_viewer.gui.workspace.fetch_controller import FetchController
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.name_loader import NameLoader
from usage_viewer.gui.workspace.result_loader import ResultLoader, SortedResult
from usage_viewer.gui.workspace.table_place import TablePlace
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.view_history import Step, ViewHistory

if TYPE_CHECKING:
    from usage_viewer.app.fetch.window_fetcher import Progress
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.app.session.session import Session
    from usage_viewer.app.session.store_session import StoreSession
    from usage_viewer.domain.admin_key import AdminKey


RELOAD_SECONDS = 0.2
"""Least time between two loads while a fetch is storing more."""
OUTDATED_SECONDS = 300
"""Age of a result that is loaded again when the window comes to the front."""
NO_ROWS = RowKeys((), ())

CHECK = "check"
"""The channel of the task that compares the stored data with its digests."""

ASK_AGAIN = "ask again"
"""The channel of the task that forgets what was refused."""


class Workspace(QObject):
    """Changes the view, and is the only object that does; lives on the GUI thread.

    `results`, `fetch` and `name_loader` do the work in threads and have signals of their own. `table_place`
    returns the place in the table that shows `last`; `seconds` is a monotonic clock.
    """

    view_changed = Signal(object)  # ViewState that is asked for now
    shown = Signal(object)  # SortedResult with the stored part of the view
    place_returned = Signal(object)  # TablePlace of a view that the user went back to, after `shown`
    selection_changed = Signal(object)  # RowKeys
    failed = Signal(object)  # UsageViewerError that stopped the fetch or the load
    session_opened = Signal()
    closed = Signal()  # the data that was open; no result is shown any more
    session_failed = Signal(object)  # UsageViewerError

    def __init__(
        self,
        tasks: Tasks,
        view: ViewState,
        parent: QObject | None = None,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._seconds = tasks, seconds
        self._view = view
        self.table_place: Callable[[], TablePlace | None] = lambda: None
        self._returned: Step | None = None  # the step that the user went to, until it is shown
        self._is_return = False  # the view is one that the user went back to: nothing is fetched for it
        self._histories: dict[tuple[str, ...], ViewHistory] = {}  # by the organizations' ids
        self._selection = NO_ROWS
        self.session: Session | None = None
        self._is_checked = False
        self.profile: Profile | None = None
        self.results = ResultLoader(tasks, self)
        self.fetch = FetchController(tasks, self)
        self.name_loader = NameLoader(tasks, self)
        self._reload_timer = QTimer(self, singleShot=True)
        self._reload_timer.timeout.connect(self.reload)
        self.results.loaded.connect(self._on_loaded)
        self.results.failed.connect(self.failed)
        self.results.erased.connect(self.reload)
        self.fetch.progressed.connect(self._on_progress)
        self.fetch.ended.connect(self._on_fetch_ended)
        self.name_loader.loaded.connect(self.reload)

    # State

    @property
    def view(self) -> ViewState:
        """Returns the view that is asked for; `last` has the one that is shown."""
        return self._view

    @property
    def last(self) -> SortedResult | None:
        """Returns the result that is shown; None before the first one."""
        return self.results.last

    @property
    def fetching(self) -> bool:
        """Returns whether a fetch is running."""
        return self.fetch.running

    @property
    def now(self) -> int:
        """Returns the current time in epoch seconds, by the session's clock if one is open."""
        return self.session.now if self.session is not None else int(time.time())

    @property
    def store_session(self) -> "StoreSession | None":
        """The open session if it is of one organization or a snapshot."""
        return self.session.store_session if self.session is not None else None

    @property
    def names(self) -> Names:
        """Returns the known names of ids."""
        return self.session.names if self.session is not None else Names()

    def values(self, dimension: str) -> tuple[Value, ...]:
        """Return the stored values of a dimension of the view's dataset."""
        return self.session.values(self.view.dataset_name, dimension) if self.session is not None else ()

    def reason(self, dataset_name: str) -> UsageViewerError | None:
        """Return why a dataset is not available for this organization; None if it is, as far as is known."""
        return self.session.unavailable_datasets.get(dataset_name) if self.session is not None else None

    @property
    def selection(self) -> RowKeys:
        """Returns the keys of the selected rows; none if too many rows are selected to follow each of them."""
        return self._selection

    def select(self, selection: RowKeys) -> None:
        """Select rows by their keys."""
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit(selection)

    # The session

    def open(self, profile: "Profile", view: ViewState) -> None:
        """Open a profile's data in a worker, in place of the data open now, and show `view` of it."""
        self.close()
        self.profile = profile
        self._is_return, self._returned = False, None
        self._set_view(view)
        first_day = week_start(QLocale())
        self._tasks.start(
            "open", lambda task: profile.open_session(first_day), self._on_opened, self.session_failed.emit
        )

    def close(self) -> None:
        """Cancel all work on the session and close it."""
        self._reload_timer.stop()
        self.results.clear()
        self.name_loader.cancel()
        self.fetch.stop()
        self._tasks.cancel(CHECK)
        session, self.session = self.session, None
        if session is not None:
            session.close()
        self.closed.emit()

    def connect_key(self, key: "AdminKey") -> None:
        """Fetch with `key` from now on."""
        session = self.store_session
        if session is None or self.profile is None:
            return
        session.connect(self.profile.source(key))
        self.load_names()
        self.reload()

    def load_names(self) -> None:
        """Fetch the names for a session that has its keys."""
        self._is_return = False
        self.fetch.forget_failures()
        if self.session is not None:
            self.name_loader.load(self.session)

    def disconnect_key(self) -> None:
        """Fetch nothing from now on."""
        self.name_loader.cancel()
        self.fetch.stop()
        session = self.store_session
        if session is not None:
            session.connect(None)

    def erase(self) -> None:
        """Delete the downloaded data in a worker, then fetch what the view needs."""
        self.fetch.stop()
        session = self.store_session
        if session is not None:
            self.fetch.forget_failures()
            self.results.erase(session)

    def _on_opened(self, session: "Session") -> None:
        self.session = session
        self._is_checked = False
        self.session_opened.emit()
        self.show_view(self.view)

    # The view and its result

    def show_view(self, view: ViewState, *, is_whole: bool = False) -> None:
        """Show the stored part of `view` at once and fetch the missing part; the user can go back.

        `is_whole` says that a whole view was chosen, not the setting of a control.
        """
        self._history.record(self._step, view, is_whole=is_whole)
        self._is_return, self._returned = False, None
        self._show(view)

    def go_back(self) -> bool:
        """Show the view before the last change, as far as it is stored; return False if there is none."""
        return self._show_step(self._history.back(self._step))

    def go_forward(self) -> bool:
        """Show the view that was left last by going back, as far as it is stored; return False if there is none."""
        return self._show_step(self._history.forward(self._step))

    @property
    def _step(self) -> Step:
        """The current view with the place in its table."""
        if self._returned is not None:  # not shown yet: the place is the one that it will be shown at
            return self._returned
        is_shown = self.last is not None and self.last.view == self.view
        return Step(self.view, self.table_place() if is_shown else None)

    @property
    def _history(self) -> ViewHistory:
        profile = self.profile
        key = (profile.name, *profile.member_ids) if profile is not None else ()
        return self._histories.setdefault(key, ViewHistory(self._seconds))

    def _show_step(self, step: Step | None) -> bool:
        if step is not None:
            self._is_return, self._returned = True, step
            self._show(step.view)
        return step is not None

    def _show(self, view: ViewState) -> None:
        before, last = self.view, self.last
        self._set_view(view)
        if last is not None and replace(before, order=view.order) == view == replace(last.view, order=view.order):
            self.results.sort(last, view)
        else:
            self.reload()

    def reload(self) -> None:
        """Read the view again after something changed the stored data."""
        self._reload_timer.stop()
        if self.session is not None:
            self.results.load(self.session, self.view)

    def reload_if_outdated(self) -> None:
        """Read the view again if the result is old, which fetches buckets that may have grown."""
        if self.last is not None and self.now - self.results.loaded_at_now > OUTDATED_SECONDS:
            self._is_return = False
            self.reload()

    def _set_view(self, view: ViewState) -> None:
        self._view = view
        self.view_changed.emit(view)

    def _on_loaded(self, result: SortedResult) -> None:
        self.fetch.stop_if_outdated(result)
        is_due = not self._is_return and self.fetch.is_due(result)
        if is_due and self.reason(result.view.dataset_name) is None:
            self._start_fetch(refresh=Refresh.NEEDED)
        self.shown.emit(result)
        returned = self._returned
        if returned is not None and returned.view == result.view:
            self._returned = None
            if returned.place is not None:
                self.place_returned.emit(returned.place)
        self._check()

    def _check(self) -> None:
        """Check the stored data for damage, once, after the first table of a session is shown."""
        session = self.session
        if session is not None and not self._is_checked:
            self._is_checked = True
            self._tasks.start(
                CHECK, lambda task: session.check(cancellation=task.cancellation), lambda _: None, self._on_damage
            )

    def _on_damage(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.fetch.stop()
            self.results.clear()
            self.failed.emit(error)

    # The fetch

    def refresh(self) -> None:
        """Fetch what is missing or may have grown, and ask again for what was not available."""
        self.fetch.forget_failures()
        if self.session is not None:
            self.session.forget_unavailable()
        self._start_fetch(refresh=Refresh.GROWING)

    def refetch(self) -> None:
        """Fetch the whole range again, also days that are final."""
        self.fetch.forget_failures()
        self._start_fetch(refresh=Refresh.ALL)

    def ask_again(self) -> None:
        """Fetch again in the groupings of the dataset that were refused in the last days."""
        session, dataset = self.session, self.view.dataset_name
        if session is not None:
            self._tasks.start(
                ASK_AGAIN, lambda task: session.ask_again(dataset), lambda _: self.retry(), self.failed.emit
            )

    def retry(self) -> None:
        """Continues where the last fetch stopped."""
        self._is_return = False
        self.fetch.forget_failures()
        self.reload()

    def cancel(self) -> None:
        """Stop the fetch until the user asks for more; buckets that were fetched completely are kept."""
        if self.fetching:
            self.fetch.give_up()
            self.reload()
            self.fetch.stop()
            self.fetch.stopped.emit()

    def _start_fetch(self, *, refresh: Refresh) -> None:
        if self.session is not None and self.last is not None and self.session.connected:
            self.fetch.start(self.session, self.view, self.last, refresh=refresh)

    def _on_progress(self, progress: "Progress") -> None:
        if progress.stored and not self._reload_timer.isActive():
            wait = max(0.0, self.results.loaded_at + RELOAD_SECONDS - time.monotonic())
            self._reload_timer.start(int(wait * 1000))

    def _on_fetch_ended(self, error: UsageViewerError | None) -> None:
        self.reload()
        self.fetch.finish()
        if error is None or isinstance(error, Cancelled):
            return
        if self.reason(self.view.dataset_name) is None:
            self.failed.emit(error)
