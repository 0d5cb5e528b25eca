"""`Workspace`: what the window is about: a session, a view, and the work that brings the one to the other."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QTimer, Signal

from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.gui.workspace.tasks import Task, Tasks

if TYPE_CHECKING:
    from usage_viewer.app.fetch.window_fetcher import Progress
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.app.session.result import ViewResult
    from usage_viewer.app.session.session import Session
    from usage_viewer.app.session.store_session import StoreSession
    from usage_viewer.domain.admin_key import AdminKey

REPAINT_AFTER = 0.2
"""Seconds between two looks at the store while a fetch is bringing more."""

LOOK_AGAIN_AFTER = 300
"""Seconds after which a window that comes back to the front looks again."""


@dataclass(frozen=True)
class SortedResult:
    """A look, and the order of its rows in the view that it was asked for."""

    look: "ViewResult"
    rows: RowOrder

    @property
    def view(self) -> ViewState:
        return self.look.view

    @property
    def table(self) -> Table:
        return self.look.table


class Workspace(QObject):
    """Lives on the GUI thread. Its signals are facts; its methods are what a user can ask for."""

    view_changed = Signal(object)  # ViewState: what is asked for now
    shown = Signal(object)  # Shown: what is held of it
    progressed = Signal(object)  # Progress of the fetch
    fetching_changed = Signal(bool)
    failed = Signal(object)  # UsageViewerError that stopped the fetch or the look
    stopped = Signal()  # the user stopped the fetch
    recovered = Signal()  # a fetch began: what failed before is no longer true
    names_failed = Signal(object)  # UsageViewerError
    session_opened = Signal()
    session_failed = Signal(object)  # StoreError

    def __init__(self, tasks: Tasks, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.view = view
        self.session: Session | None = None
        self.profile: Profile | None = None
        self.last: SortedResult | None = None
        self.fetching = False
        self._fetch_key: object = None
        self._given_up: object = None
        self._looked_at = 0.0  # on a clock that only measures
        self._looked_at_now = 0  # by the session's clock, which goes on while the computer sleeps
        self._more = QTimer(self, singleShot=True)
        self._more.timeout.connect(self._look)

    # Opening

    def open(self, profile: "Profile") -> None:
        """Opens the profile's data in a worker, in place of what is open now."""
        self.close()
        self.profile = profile
        week_start = QLocale().firstDayOfWeek().value - 1
        self._tasks.start(
            "open", lambda task: profile.open_session(week_start), self._on_opened, self.session_failed.emit
        )

    def _on_opened(self, session: "Session") -> None:
        self.session = session
        self.session_opened.emit()
        self.show_view(self.view)

    def connect_key(self, key: "AdminKey") -> None:
        """Fetches with `key` from now on."""
        session = self.store_session
        if session is None or self.profile is None:
            return
        session.connect(self.profile.source(key))
        self._given_up = None
        self._fetch_names()
        self._look()

    def begin_connected(self) -> None:
        """For what has its keys already."""
        self._given_up = None
        self._fetch_names()

    def disconnect_key(self) -> None:
        self._tasks.cancel("names")
        self._stop_fetch()
        session = self.store_session
        if session is not None:
            session.connect(None)

    def close(self) -> None:
        self._tasks.cancel("look")
        self._tasks.cancel("names")
        self._stop_fetch()
        session, self.session, self.last = self.session, None, None
        if session is not None:
            session.close()

    # Looking

    def show_view(self, view: ViewState) -> None:
        """Shows what is held of `view` at once, and fetches what is missing."""
        before, self.view = self.view, view
        self.view_changed.emit(view)
        if self.last is not None and replace(before, order=view.order) == view == replace(
            self.last.view, order=view.order
        ):
            self._sort(self.last)
        else:
            self._look()

    def look_again(self) -> None:
        """For when something else has changed what is held."""
        self._look()

    def look_if_old(self) -> None:
        """For a window that comes back to the front: what has grown stale meanwhile is fetched."""
        if self.last is not None and self.now - self._looked_at_now > LOOK_AGAIN_AFTER:
            self._look()

    def _sort(self, last: SortedResult) -> None:
        look = replace(last.look, view=self.view)
        self._tasks.start(
            "look",
            lambda task: SortedResult(look, look.table.ordered(look.view.order)),
            self._on_shown,
            self._on_failed,
        )

    def _look(self) -> None:
        if self.session is None:
            return
        session, view = self.session, self.view
        self._more.stop()
        self._looked_at, self._looked_at_now = time.monotonic(), self.now

        def work(task: Task) -> SortedResult:
            look = session.look(view, task.cancellation)
            return SortedResult(look, look.table.ordered(view.order))

        self._tasks.start("look", work, self._on_shown, self._on_failed)

    def _on_shown(self, shown: SortedResult) -> None:
        self.last = shown
        if self.fetching and self._key_of(shown) != self._fetch_key:
            self._stop_fetch()
        asked = self._key_of(shown) in (self._fetch_key, self._given_up)
        if shown.look.coverage.to_fetch and not asked and self.reason(shown.view.dataset_name) is None:
            self._fetch(refresh=False)
        self.shown.emit(shown)

    # Fetching

    @staticmethod
    def _key_of(shown: SortedResult) -> tuple[str, tuple[BucketRun, ...]]:
        """What a fetch is for: two views with the same one need the same buckets."""
        return shown.view.dataset_name, tuple(shown.look.coverage.periods.segments(shown.view.dataset.widths))

    def refresh(self) -> None:
        """Fetches again whatever may have grown, and what is missing; asks for what could not be had, too."""
        self._given_up = None
        if self.session is not None:
            self.session.forget_unavailable()
        self._fetch(refresh=True)

    def retry(self) -> None:
        """Goes on from where the last fetch stopped."""
        self._given_up = None
        self._look()

    def cancel(self) -> None:
        """Stops the fetch; what has arrived whole is kept, and nothing is asked for until *Retry*."""
        if self.fetching:
            self._given_up = self._fetch_key
            self._look()
            self._stop_fetch()
            self.stopped.emit()

    def _stop_fetch(self) -> None:
        self._tasks.cancel("fetch")
        if self.fetching:
            self._end_fetch()

    def _fetch(self, *, refresh: bool) -> None:
        if self.session is None or self.last is None or not self.session.connected:
            return
        session, view = self.session, self.view
        self._fetch_key = self._key_of(self.last)
        self.fetching = True
        self.fetching_changed.emit(True)
        self.recovered.emit()

        def work(task: Task) -> "Iterator[Progress]":
            return session.fetch(view, task.cancellation, refresh=refresh)

        self._tasks.start_steps("fetch", work, self._on_progress, self._on_fetched, self._on_fetch_failed)

    def _on_progress(self, progress: "Progress") -> None:
        self.progressed.emit(progress)
        if progress.stored and not self._more.isActive():
            wait = max(0.0, self._looked_at + REPAINT_AFTER - time.monotonic())
            self._more.start(int(wait * 1000))

    def _on_fetched(self) -> None:
        self._look()
        self._end_fetch()

    def _on_fetch_failed(self, error: UsageViewerError) -> None:
        self._given_up = self._fetch_key
        self._look()
        self._end_fetch()
        if self.reason(self.view.dataset_name) is None:
            self._on_failed(error)

    def reason(self, dataset: str) -> UsageViewerError | None:
        """Why a dataset can't be had of this organization; None where it can, as far as is known."""
        return self.session.unavailable_datasets.get(dataset) if self.session is not None else None

    def _end_fetch(self) -> None:
        self._fetch_key = None
        self.fetching = False
        self.fetching_changed.emit(False)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def erase(self) -> None:
        """Forgets all that is held, in a worker; then fetches anew what the view needs."""
        self._stop_fetch()
        session = self.store_session
        if session is not None:
            self._given_up = None
            self._tasks.start("look", lambda task: session.erase(), lambda _: self._look(), self._on_failed)

    # Names and values

    def _fetch_names(self) -> None:
        if self.session is None:
            return
        session = self.session
        self._tasks.start(
            "names",
            lambda task: session.fetch_names(task.cancellation),
            lambda names: self._look(),
            self.names_failed.emit,
        )

    @property
    def store_session(self) -> "StoreSession | None":
        """The open session if it is of one organization or snapshot."""
        return self.session.store_session if self.session is not None else None

    @property
    def now(self) -> int:
        return self.session.now if self.session is not None else int(time.time())

    @property
    def names(self) -> Names:
        return self.session.names if self.session is not None else Names()

    def values(self, dimension: str) -> tuple[Value, ...]:
        return self.session.values(self.view.dataset_name, dimension) if self.session is not None else ()
