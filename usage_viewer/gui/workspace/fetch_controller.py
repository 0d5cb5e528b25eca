"""Fetches the missing usage of a view in a worker thread."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task, Tasks

if TYPE_CHECKING:
    from usage_viewer.app.fetch.window_fetcher import Progress
    from usage_viewer.app.session.session import Session

CHANNEL = "fetch"

Needs = tuple[str, tuple[BucketRun, ...]]
"""The dataset and the buckets that a fetch is for."""


class FetchController(QObject):
    """Runs one fetch at a time and remembers which one failed or was stopped, so that it is not repeated."""

    running_changed = Signal(bool)
    started = Signal()
    stopped = Signal()  # by the user
    progressed = Signal(object)  # Progress
    ended = Signal(object)  # UsageViewerError or None

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.running = False
        self._needs: Needs | None = None
        self._given_up: Needs | None = None
        self._begun_with: object = None  # what the last fetch began with
        self._changed_nothing: object = None  # what a fetch began with that ended without an error

    @staticmethod
    def needs(result: SortedResult) -> Needs:
        """Return what a fetch for `result` would be for: views with equal needs use the same buckets."""
        widths = result.view.dataset.widths
        segments = (run for side in result.look.sides for run in side.coverage.periods.segments(widths))
        return result.view.dataset_name, tuple(segments)

    def is_due(self, result: SortedResult) -> bool:
        """Return whether buckets are missing that are neither being fetched nor were given up.

        A fetch that ended well and changed nothing is not repeated by itself.
        """
        return (
            bool(result.look.to_fetch)
            and self.needs(result) not in (self._needs, self._given_up)
            and _state(result) != self._changed_nothing
        )

    def start(self, session: "Session", view: ViewState, result: SortedResult, *, refresh: Refresh) -> None:
        """Fetch what `view` lacks, and the stored buckets that `refresh` names."""
        self._needs, self._begun_with = self.needs(result), _state(result)
        self.running = True
        self.running_changed.emit(True)
        self.started.emit()

        def work(task: Task) -> "Iterator[Progress]":
            return session.fetch(view, task.cancellation, refresh=refresh)

        self._tasks.start_steps(CHANNEL, work, self.progressed.emit, self._on_done, self._on_failed)

    def give_up(self) -> None:
        """Mark the running fetch as one that only the user may start again."""
        self._given_up = self._needs

    def forget_failures(self) -> None:
        """Allow a fetch that failed or was stopped to start again."""
        self._given_up = self._changed_nothing = None

    def stop(self) -> None:
        """Cancel the fetch; buckets that were fetched completely are kept."""
        self._tasks.cancel(CHANNEL)
        self.finish()

    def stop_if_outdated(self, result: SortedResult) -> None:
        """Cancel a fetch that is for other buckets than `result` needs."""
        if self.running and self.needs(result) != self._needs:
            self.stop()

    def finish(self) -> None:
        """Note that no fetch is running any more."""
        if self.running:
            self._needs = None
            self.running = False
            self.running_changed.emit(False)

    def _on_done(self) -> None:
        self._changed_nothing = self._begun_with
        self.ended.emit(None)

    def _on_failed(self, error: UsageViewerError) -> None:
        self.give_up()
        self.ended.emit(error)


def _state(result: SortedResult) -> object:
    """Return what is stored and what is to be fetched of a result's view."""
    sides = [part.coverage for part in result.look.sides]
    sides += [part.cost.days for part in result.look.sides if part.cost is not None]
    stored = tuple((part.to_fetch, part.oldest_fetch, part.newest_fetch) for part in sides)
    return result.view.dataset_name, result.look.to_fetch, stored
