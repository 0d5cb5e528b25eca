"""`BackgroundVerifier`: has what is shown proven, and finds what speaks for it or against it, in workers."""

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
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import SortedResult, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from usage_viewer.app.verification.verifier import VerificationOutcome

AUTOMATIC_CALLS = 60
"""A load that more calls prove is proven on request only: a year of hours takes 53."""

PROVE, BREACHES, LISTS = "prove", "breaches", "proof lists"

_NOT_ASKED = Completeness()


@dataclass(frozen=True, slots=True)
class VerificationState:
    """What is known of what is shown. `problem`: why the last check couldn't be made. `calls`: what one takes."""

    completeness: Completeness = _NOT_ASKED
    checking: bool = False
    can_ask: bool = False
    problem: str = ""
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Origins:
    """A cell of a table that was shown, and where it comes from."""

    shown: SortedResult
    cell: Cell
    column: str
    metrics: tuple[str, ...]
    listed: tuple[BucketContribution, ...]


class BackgroundVerifier(QObject):
    """Lives on the GUI thread, beside the workspace that it follows."""

    changed = Signal(object)  # Standing
    breaches_changed = Signal(object)  # Breaches
    changes_found = Signal(object)  # Changes
    origins_found = Signal(object)  # Origins
    failed = Signal(object)  # UsageViewerError: a list could not be made

    def __init__(self, workspace: Workspace, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._tasks = workspace, tasks
        self.standing = VerificationState()
        self.breaches = BrokenIdentities()
        self._asked_for: object = None
        self._has_loaded = False
        self._looked_through: object = None
        workspace.shown.connect(self._on_shown)
        workspace.fetching_changed.connect(self._on_fetching)
        workspace.failed.connect(lambda error: self._forget_load())

    @property
    def busy(self) -> bool:
        return self._tasks.busy(PROVE) or self._tasks.busy(BREACHES)

    # Complete

    def _on_fetching(self, fetching: bool) -> None:
        self._has_loaded = not fetching
        self._looked_through = None  # what a fetch brings may be told within the same second
        if fetching:
            self._stop()

    def _forget_load(self) -> None:
        self._has_loaded = False

    def _on_shown(self, shown: SortedResult) -> None:
        if self._workspace.session is None:
            return
        self._find_breaches(shown)
        key = (shown.view.dataset_name, shown.look.coverage.periods.span)
        if self.standing.checking and key != self._asked_for:
            self._stop()
        standing = self._known(shown, same=key == self._asked_for)
        loaded = self._has_loaded and not self._workspace.fetching
        self._has_loaded = self._has_loaded and not loaded
        unknown = standing.completeness.verdict is Verdict.NOT_ASKED
        if loaded and unknown and standing.can_ask and standing.calls <= AUTOMATIC_CALLS:
            self._ask(standing, ())
        else:
            self._say(standing)

    def _known(self, shown: SortedResult, *, same: bool) -> VerificationState:
        """Without asking. `same`: the last check was of the same buckets."""
        session, coverage = self._workspace.session, shown.look.coverage
        assert session is not None
        whole = coverage.complete and bool(coverage.read)
        return VerificationState(
            session.completeness(shown.view, coverage),
            self.standing.checking,
            whole and session.connected and not self._workspace.fetching,
            self.standing.problem if same else "",
            session.requests_to_verify(shown.view, coverage),
        )

    def check(self) -> None:
        """Asks the server for the sums of what is shown, and compares."""
        self.refetch(())

    def refetch(self, buckets: Sequence[Bucket]) -> None:
        """Fetches the buckets again, then checks."""
        if self.standing.can_ask:
            self._ask(self.standing, buckets)

    def _ask(self, standing: VerificationState, buckets: Sequence[Bucket]) -> None:
        session, last = self._workspace.session, self._workspace.last
        if session is None or last is None or standing.checking:
            return
        view = last.view
        self._asked_for = (view.dataset_name, last.look.coverage.periods.span)

        def work(task: Task) -> "VerificationOutcome":
            return session.verify(view, task.cancellation, refetch=buckets)

        self._tasks.start(PROVE, work, self._on_proved, self._on_unproven)
        self._say(replace(standing, checking=True, problem=""))

    def _on_proved(self, proved: "VerificationOutcome") -> None:
        if proved.fetched:
            self._looked_through = None
            self._workspace.look_again()
        self._say(replace(self.standing, completeness=proved.completeness, checking=False))

    def _on_unproven(self, error: UsageViewerError) -> None:
        problem = "" if isinstance(error, Cancelled) else error.title
        self._say(replace(self.standing, checking=False, problem=problem))

    def _stop(self) -> None:
        self._tasks.cancel(PROVE)
        self._say(replace(self.standing, checking=False, can_ask=False))

    def _say(self, standing: VerificationState) -> None:
        if standing != self.standing:
            self.standing = standing
            self.changed.emit(standing)

    # Consistent

    def _find_breaches(self, shown: SortedResult) -> None:
        """Not for each step of a fetch, nor for another order or grouping of the same usage."""
        session, view, coverage = self._workspace.session, shown.view, shown.look.coverage
        searched = (view.search, view.grouping) if view.search else ()  # a search looks at what is grouped by
        usage = (view.dataset_name, view.filters, searched, view.profiles, coverage.read)
        if session is None or self._workspace.fetching or self._looked_through == (id(session), usage):
            return
        self._looked_through = (id(session), usage)
        self._in_worker(BREACHES, lambda cancel: session.broken_identities(view, cancel), self._on_breaches)

    def _on_breaches(self, breaches: BrokenIdentities) -> None:
        self.breaches = breaches
        self.breaches_changed.emit(breaches)

    # Fresh

    def find_changes(self, span: Span | None) -> None:
        """What later fetches told otherwise, in buckets of `span` or in all; `changes_found` tells."""
        session, dataset = self._workspace.session, self._workspace.view.dataset_name
        if session is not None:
            self._in_worker(LISTS, lambda cancel: session.changes(dataset, span, cancel), self.changes_found.emit)

    # Origins

    def find_origins(self, cell: Cell, column: str, metrics: Sequence[str]) -> None:
        """The buckets of a row of what is shown; `column` is the cell's, `metrics` what it is made of."""
        session, shown = self._workspace.session, self._workspace.last
        if session is None or shown is None:
            return
        known, chosen = shown, tuple(metrics)
        self._in_worker(
            LISTS,
            lambda cancel: Origins(
                known, cell, column, chosen, tuple(session.contributions(known.look, cell, chosen, cancel))
            ),
            self.origins_found.emit,
        )

    def _in_worker(self, channel: str, find: "Callable[..., object]", done: "Callable[..., None]") -> None:
        self._tasks.start(channel, lambda task: find(task.cancellation), done, self._on_failed)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
