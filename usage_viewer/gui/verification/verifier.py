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
    Verdict,
)
from usage_viewer.gui.formatting.moments import common_noun
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
    that a verification takes. `bucket_noun` is the length of the view's buckets (day, hour or minute), or "period"
    if they differ in length.
    """

    completeness: Completeness = _NOT_VERIFIED
    verifying: bool = False
    can_verify: bool = False
    error_title: str = ""
    requests: int = 0
    bucket_noun: str = "day"


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


class BackgroundVerifier(QObject):
    """Follows the workspace on the GUI thread: verifies complete loads and finds broken identities by itself."""

    state_changed = Signal(object)  # VerificationState
    broken_identities_changed = Signal(object)  # BrokenIdentities
    changes_found = Signal(object)  # Changes
    sources_found = Signal(object)  # CellSources
    failed = Signal(object)  # UsageViewerError: records could not be read

    def __init__(self, workspace: Workspace, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._tasks = workspace, tasks
        self.state = VerificationState()
        self.broken_identities = BrokenIdentities()
        self._verified_range: object = None  # dataset and span of the last verification
        self._fetch_finished = False  # since the last result that was shown
        self._checked_usage: object = None  # the usage whose identities were last checked
        workspace.shown.connect(self._on_result_shown)
        workspace.fetch.running_changed.connect(self._on_fetching_changed)
        workspace.failed.connect(lambda error: self._on_workspace_failed())

    @property
    def busy(self) -> bool:
        """Return whether a verification or a check of identities is running."""
        return self._tasks.busy(VERIFY) or self._tasks.busy(IDENTITIES)

    # Verification against the server's totals

    def _on_fetching_changed(self, fetching: bool) -> None:
        self._fetch_finished = not fetching
        self._checked_usage = None  # after a fetch, the same buckets may hold other figures
        if fetching:
            self._stop()

    def _on_workspace_failed(self) -> None:
        self._fetch_finished = False

    def _on_result_shown(self, result: SortedResult) -> None:
        if self._workspace.session is None:
            return
        self._find_broken_identities(result)
        key = (result.view.dataset_name, result.look.coverage.periods.span)
        if self.state.verifying and key != self._verified_range:
            self._stop()
        state = self._stored_state(result, same_range=key == self._verified_range)
        loaded = self._fetch_finished and not self._workspace.fetching
        self._fetch_finished = self._fetch_finished and not loaded
        unverified = state.completeness.verdict is Verdict.NOT_VERIFIED
        if loaded and unverified and state.can_verify and state.requests <= MAX_AUTOMATIC_REQUESTS:
            self._start(state, ())
        else:
            self._set_state(state)

    def _stored_state(self, result: SortedResult, *, same_range: bool) -> VerificationState:
        """Return the state of a result's totals as far as it is stored, without a request to the server.

        `same_range` means that the last verification had the same dataset and span, so its error still applies.
        """
        session, coverage = self._workspace.session, result.look.coverage
        assert session is not None
        fully_downloaded = coverage.complete and bool(coverage.read)
        return VerificationState(
            session.completeness(result.view, coverage),
            self.state.verifying,
            fully_downloaded and session.connected and not self._workspace.fetching,
            self.state.error_title if same_range else "",
            session.requests_to_verify(result.view, coverage),
            common_noun(run.width for run in coverage.read),
        )

    def verify(self) -> None:
        """Request the server's totals of the current view and compare them with the downloaded totals."""
        self.refetch(())

    def refetch(self, buckets: Sequence[Bucket]) -> None:
        """Fetch these buckets again, then verify the current view."""
        if self.state.can_verify:
            self._start(self.state, buckets)

    def _start(self, state: VerificationState, buckets: Sequence[Bucket]) -> None:
        session, last = self._workspace.session, self._workspace.last
        if session is None or last is None or state.verifying:
            return
        view = last.view
        self._verified_range = (view.dataset_name, last.look.coverage.periods.span)

        def work(task: Task) -> "VerificationOutcome":
            return session.verify(view, task.cancellation, refetch=buckets)

        self._tasks.start(VERIFY, work, self._on_verified, self._on_verification_failed)
        self._set_state(replace(state, verifying=True, error_title=""))

    def _on_verified(self, outcome: "VerificationOutcome") -> None:
        if outcome.fetched:
            self._checked_usage = None
            self._workspace.reload()
        self._set_state(replace(self.state, completeness=outcome.completeness, verifying=False))

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
        search = (view.search, view.grouping) if view.search else ()
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

    def find_changes(self, span: Span | None) -> None:
        """Find figures that later fetches changed, in buckets of `span` or all buckets; emit `changes_found`."""
        session, dataset = self._workspace.session, self._workspace.view.dataset_name
        if session is not None:
            self._in_worker(RECORDS, lambda cancel: session.changes(dataset, span, cancel), self.changes_found.emit)

    # Sources of a cell

    def find_sources(self, cell: Cell, column: str, metrics: Sequence[str]) -> None:
        """Find the buckets that contribute to a cell of the current result; emit `sources_found`.

        `column` is the name of the cell's column, `metrics` names the stored metrics to sum up for each bucket.
        """
        session, current = self._workspace.session, self._workspace.last
        if session is None or current is None:
            return
        result, names = current, tuple(metrics)
        self._in_worker(
            RECORDS,
            lambda cancel: CellSources(
                result, cell, column, names, tuple(session.contributions(result.look, cell, names, cancel))
            ),
            self.sources_found.emit,
        )

    def _in_worker(self, channel: str, find: "Callable[..., object]", done: "Callable[..., None]") -> None:
        self._tasks.start(channel, lambda task: find(task.cancellation), done, self._on_failed)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
