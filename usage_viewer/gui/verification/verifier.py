"""Defines `BackgroundVerifier`, which verifies totals and finds records of the current view in worker threads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.period import Span
from usage_viewer.domain.verification import (
    BrokenIdentities,
    Bucket,
    BucketContribution,
    Cell,
    Completeness,
)
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from usage_viewer.app.verification.verifier import VerificationOutcome

MAX_AUTOMATIC_REQUESTS = 60
"""If verification needs more requests than this, it starts only when the user asks: a year of hours needs 53."""

VERIFY, IDENTITIES, RECORDS = "verify", "identities", "records"
"""Task channels. A new task of a channel cancels the former one."""

_NOT_VERIFIED = Completeness()


@dataclass(frozen=True, slots=True)
class VerificationState:
    """Describes what is known about the totals of the current view.

    `error_title` says why the last verification failed (empty: it did not). `requests` is the number of requests
    that a verification takes. `extent` is the length of the view's range ("30 days"; empty: no view is shown).
    `has_server` is false for a snapshot, which can't be verified again.
    """

    completeness: Completeness = _NOT_VERIFIED
    verifying: bool = False
    can_verify: bool = False
    error_title: str = ""
    requests: int = 0
    extent: str = ""
    has_server: bool = True


@dataclass(frozen=True, slots=True)
class CellSources:
    """Holds a cell of a result (its row and the name of its column) and the buckets that contribute to it.

    The figures of each contribution are the sums of `metrics`, in this order.
    """

    result: SortedResult
    cell: Cell
    column: str
    metrics: tuple[str, ...]
    contributions: tuple[BucketContribution, ...]


def _usage_of(result: SortedResult) -> object:
    """Return the dataset and the buckets of a result, which a verification compares."""
    return result.view.dataset_name, result.look.coverage.read


class BackgroundVerifier(QObject):
    """Follows the workspace on the GUI thread: verifies complete data and finds broken identities by itself.

    Buckets that were compared since their last fetch are not compared again by itself if that saves requests.
    """

    state_changed = Signal(object)  # VerificationState
    broken_identities_changed = Signal(object)  # BrokenIdentities
    changes_found = Signal(str, object)  # the dataset's name, Changes
    sources_found = Signal(object)  # CellSources
    failed = Signal(object)  # UsageViewerError: records could not be read

    def __init__(self, workspace: Workspace, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._tasks = workspace, tasks
        self.state = VerificationState()
        self.broken_identities = BrokenIdentities()
        self._verified_usage: object = None  # dataset and buckets of the last verification
        self._attempted: object = None  # the usage and fetch times of the last verification that began by itself
        self._fetch_failed = False  # or was stopped by the user, since the last one began
        self._checked_usage: object = None  # the usage whose identities were last checked
        workspace.shown.connect(self._on_result_shown)
        workspace.fetch.running_changed.connect(self._on_fetching_changed)
        workspace.fetch.stopped.connect(self._on_fetch_failed)
        workspace.failed.connect(lambda error: self._on_fetch_failed())
        workspace.closed.connect(self._on_closed)

    @property
    def busy(self) -> bool:
        """Return whether a verification or a check of identities is running."""
        return self._tasks.busy(VERIFY) or self._tasks.busy(IDENTITIES)

    # Verification against the server's totals

    def _on_fetching_changed(self, fetching: bool) -> None:
        self._checked_usage = None  # after a fetch, the same buckets may hold other figures
        if fetching:
            self._fetch_failed = False
            self._attempted = None
            self._stop()

    def _on_fetch_failed(self) -> None:
        self._fetch_failed = True

    def _on_closed(self) -> None:
        """Forget everything about the data that was open: nothing is known about the next."""
        for channel in (VERIFY, IDENTITIES, RECORDS):
            self._tasks.cancel(channel)
        self._verified_usage = self._attempted = self._checked_usage = None
        self._fetch_failed = False
        self._set_state(VerificationState())
        self._on_broken_identities_found(BrokenIdentities())

    def _on_result_shown(self, result: SortedResult) -> None:
        if self._workspace.session is None:
            return
        self._find_broken_identities(result)
        if self.state.verifying and _usage_of(result) != self._verified_usage:
            self._stop()
        state = self._stored_state(result)
        if state.can_verify and state.completeness.pending and not self.state.verifying and self._is_due(result):
            self._start(state, (), pending_only=True)
        else:
            self._set_state(state)

    def _is_due(self, result: SortedResult) -> bool:
        """Report whether the pending buckets of a result are compared by itself; note that they are."""
        session, coverage = self._workspace.session, result.look.coverage
        attempt = (_usage_of(result), coverage.oldest_fetch, coverage.newest_fetch)
        if session is None or self._fetch_failed or attempt == self._attempted:
            return False
        if session.requests_to_verify(result.view, coverage, pending_only=True) > MAX_AUTOMATIC_REQUESTS:
            return False
        self._attempted = attempt
        return True

    def _stored_state(self, result: SortedResult) -> VerificationState:
        """Return the state of a result's totals as far as it is stored, without a request to the server."""
        session, coverage = self._workspace.session, result.look.coverage
        assert session is not None
        fully_downloaded = coverage.complete and bool(coverage.read)
        # The error of the last verification still applies to the same dataset and buckets.
        same_usage = _usage_of(result) == self._verified_usage
        return VerificationState(
            session.completeness(result.view, coverage),
            self.state.verifying,
            fully_downloaded and session.connected and not self._workspace.fetching,
            self.state.error_title if same_usage else "",
            session.requests_to_verify(result.view, coverage),
            coverage.extent.text,
            session.capabilities.can_fetch,
        )

    def verify(self) -> None:
        """Request the server's totals of the current view and compare them with the downloaded totals."""
        self.refetch(())

    def refetch(self, buckets: Sequence[Bucket]) -> None:
        """Fetch these buckets again, then verify the current view."""
        if self.state.can_verify:
            self._start(self.state, buckets)

    def _start(self, state: VerificationState, buckets: Sequence[Bucket], *, pending_only: bool = False) -> None:
        session, last = self._workspace.session, self._workspace.last
        if session is None or last is None or state.verifying:
            return
        view = last.view
        self._verified_usage = _usage_of(last)

        def work(task: Task) -> "VerificationOutcome":
            return session.verify(view, task.cancellation, refetch=buckets, pending_only=pending_only)

        self._tasks.start(VERIFY, work, self._on_verified, self._on_verification_failed)
        self._set_state(replace(state, verifying=True, error_title=""))

    def _on_verified(self, outcome: "VerificationOutcome") -> None:
        if outcome.fetched:
            self._checked_usage = None
            self._workspace.reload()
        state = replace(self.state, verifying=False)
        last = self._workspace.last
        self._set_state(state if last is None else replace(self._stored_state(last), verifying=False))

    def _on_verification_failed(self, error: UsageViewerError) -> None:
        error_title = "" if isinstance(error, Cancelled) else error.title
        self._set_state(replace(self.state, verifying=False, error_title=error_title))

    def _stop(self) -> None:
        self._tasks.cancel(VERIFY)
        self._set_state(replace(self.state, verifying=False, can_verify=False))

    def _set_state(self, state: VerificationState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    # Broken identities

    def _find_broken_identities(self, result: SortedResult) -> None:
        """Check the identities of a result, unless a fetch is running or the same usage was checked last."""
        session, view, coverage = self._workspace.session, result.view, result.look.coverage
        # Only a search makes the grouping matter, as it matches the values of the grouped dimensions.
        search = (view.search, view.dimensions) if view.search else ()
        usage = (view.dataset_name, view.filters, search, view.profiles, coverage.read)
        if session is None or self._workspace.fetching or self._checked_usage == (id(session), usage):
            return
        self._checked_usage = (id(session), usage)
        self._in_worker(
            IDENTITIES, lambda cancel: session.broken_identities(view, cancel), self._on_broken_identities_found
        )

    def _on_broken_identities_found(self, broken: BrokenIdentities) -> None:
        self.broken_identities = broken
        self.broken_identities_changed.emit(broken)

    # Restated figures

    def find_changes(self, dataset: str, span: Span | None) -> None:
        """Find figures that later fetches changed, in buckets of `span` or all buckets; emit `changes_found`."""
        session = self._workspace.session
        if session is not None:
            self._in_worker(
                RECORDS,
                lambda cancel: session.changes(dataset, span, cancel),
                lambda changes: self.changes_found.emit(dataset, changes),
            )

    # Sources of a cell

    def find_sources(
        self, cell: Cell, column: str, metrics: Sequence[str], result: SortedResult | None = None
    ) -> None:
        """Find the buckets that contribute to a cell of a result (None: the current one); emit `sources_found`.

        `column` is the name of the cell's column, `metrics` names the stored metrics to sum up for each bucket.
        """
        session, current = self._workspace.session, result or self._workspace.last
        if session is None or current is None:
            return
        of, names = current, tuple(metrics)
        self._in_worker(
            RECORDS,
            lambda cancel: CellSources(
                of, cell, column, names, tuple(session.contributions(of.look, cell, names, cancel))
            ),
            self.sources_found.emit,
        )

    def _in_worker(self, channel: str, find: "Callable[..., object]", done: "Callable[..., None]") -> None:
        self._tasks.start(channel, lambda task: find(task.cancellation), done, self._on_failed)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
