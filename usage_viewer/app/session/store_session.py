"""Defines `StoreSession`, the session of one organization or of one snapshot."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer import RELEASED_AT
from usage_viewer.app.fetch.coverage_reader import CoverageReader, StoredView
from usage_viewer.app.fetch.ports import Source
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.app.session.capabilities import ORGANIZATION, SNAPSHOT, Capabilities
from usage_viewer.app.session.grain_notes import grain_notes
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.spend.computed_views import ComputedViews, of_service, with_default_cost
from usage_viewer.app.spend.line_mappings import LineMappings
from usage_viewer.app.spend.spend_source import SpendSource
from usage_viewer.app.verification.verification_log import StoredPart, VerificationLog
from usage_viewer.app.verification.verifier import (
    VerificationOutcome,
    VerificationRequest,
    Verifier,
    verification_windows,
)
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import API_DATASETS, COSTS, SPEND, dataset_named
from usage_viewer.domain.compared_view import ComparedView, sides
from usage_viewer.domain.cost_figures import has_costs
from usage_viewer.domain.coverage import FETCH_AGAIN_AFTER, Coverage, Refresh
from usage_viewer.domain.dataset import Extras
from usage_viewer.domain.errors import KeyMissing, SnapshotError, UsageViewerError
from usage_viewer.domain.grain import stored_dataset
from usage_viewer.domain.grants import Grants
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketRun, Span
from usage_viewer.domain.period_status import period_statuses
from usage_viewer.domain.verification import (
    BrokenIdentities,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Completeness,
)
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import requested_dimensions
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.answer import answer
from usage_viewer.query.plan import FactSource, FactSums, Part, plan_view
from usage_viewer.store import Store

if TYPE_CHECKING:
    from usage_viewer.app.fetch.fetcher import Fetcher
    from usage_viewer.store.spend.bill_reader import StoredBill

# Modules that a start with stored data does not need are imported in functions.

WORKERS = 12
"""Number of windows that are fetched at the same time."""


class StoreSession:
    """Implements `Session` over one store, with the operations that only one organization has.

    `clock` returns epoch seconds; so does `time_of_fetch`, which gives fetched buckets their time. `week_start`:
    first day of the week, Monday is 0. `unavailable_datasets`: the datasets that no source makes available, with
    the reason. `mappings`: what a person has decided that line items bill. The session owns the store.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        time_of_fetch: Callable[[], float] | None = None,
        workers: int = WORKERS,
        week_start: int = 0,
        capabilities: Capabilities = ORGANIZATION,
        unavailable_datasets: Mapping[str, UsageViewerError] | None = None,
        mappings: LineMappings | None = None,
    ) -> None:
        self.capabilities = capabilities
        self._store, self._workers = store, workers
        self._time_of_fetch = time_of_fetch or clock
        self._fetcher: Fetcher | None = None
        self._unavailable_datasets = dict(unavailable_datasets or {})
        self._coverage = CoverageReader(store, clock, week_start, time_of_fetch)
        self._spend = SpendSource(store, lambda: self.unavailable_datasets, lambda: self.connected, mappings)
        self._views = ComputedViews(self._coverage, self._spend, lambda: self.unavailable_datasets)
        self._verification_log = VerificationLog(store)
        self._verifier = Verifier(store, self._coverage, self._verification_log, clock=clock, workers=workers)

    @classmethod
    def of_snapshot(
        cls, store: Store, datasets: Collection[str], *, saved_at: float, week_start: int = 0
    ) -> "StoreSession":
        """Return the session of a snapshot with `datasets`. Its clock stands at `saved_at` (epoch seconds)."""
        error = SnapshotError(title="Not in this snapshot", hint="It was not stored when the snapshot was saved.")
        return cls(
            store,
            clock=lambda: saved_at,
            week_start=week_start,
            capabilities=SNAPSHOT,
            unavailable_datasets={name: error for name in API_DATASETS if name not in datasets},
        )

    @property
    def store_session(self) -> "StoreSession":
        """The session itself: it is of one organization."""
        return self

    def connect(self, source: Source | None) -> None:
        """Use `source` for fetches from now on, and close the source that was used before."""
        from usage_viewer.app.fetch.fetcher import Fetcher

        previous = self._fetcher
        self._fetcher = (
            None
            if source is None
            else Fetcher(self._store, source, self._coverage, self._time_of_fetch, self._workers)
        )
        if previous is not None:
            previous.source.close()

    def close(self) -> None:
        """Close the source and the store."""
        self.connect(None)
        self._store.close()

    # Look

    def check(self, dataset: str | None = None, cancellation: Cancellation | None = None) -> None:
        """Compare the stored usage of one dataset, or of all, with its digests. Raises StoreDamaged, Cancelled."""
        self._store.check(dataset, cancellation)

    @property
    def now(self) -> int:
        """The current time by the session's clock (epoch seconds)."""
        return self._coverage.now

    @property
    def empty(self) -> bool:
        """Whether no bucket of any dataset is stored."""
        return not any(
            len(buckets.starts) for name in API_DATASETS for buckets in self._store.stored_buckets(name).values()
        )

    @property
    def names(self) -> Names:
        """The stored names."""
        return self._store.names()

    def read(self, part: Part, cancellation: Cancellation) -> FactSums:
        """Read the sums of one part of a view. Raises Cancelled, StoreError."""
        sums = self._store.read(part, cancellation)
        return of_service(sums, part.dataset.service) if part.dataset.service else sums

    def extras(self, dataset: str) -> Extras:
        """Return the stored fields of a dataset that this version does not know."""
        return self._store.extras(dataset)

    def shows_cost(self, view: ViewState, now: int) -> bool:
        """Report whether `view` shows cost by default: it has no chosen columns, and costs are stored."""
        return self._views.shows_cost(view, now)

    def stored_view(
        self,
        view: ViewState,
        now: int,
        cancellation: Cancellation | None = None,
        *,
        cost_by_default: bool = False,
    ) -> StoredView:
        """Find the stored buckets that answer `view` at `now` (epoch seconds).

        A dimension that this organization does not grant at all is absent in all of them.
        """
        adjusted = self._coverage.adjust(view, now)
        stored = self._views.read(adjusted, now, cancellation, cost_by_default=cost_by_default)
        sources = [replace(item, absent=item.absent | frozenset(adjusted.removed)) for item in stored.sources]
        return replace(stored, sources=tuple(sources))

    def coverage(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, now: int | None = None) -> Coverage:
        """Compare what `view` needs with what is stored."""
        return self._views.coverage(view, refresh=refresh, now=now)

    def look(self, view: ViewState, cancellation: Cancellation | None = None, *, named: bool = True) -> ViewResult:
        """Answer `view` from what is stored, with names for ids if `named`."""
        now = self.now
        by_default = self.shows_cost(view, now)
        shown = with_default_cost(view) if by_default else view
        names, other = self._store.names() if named else Names(), ComparedView.of(shown)

        def look(side: ViewState) -> ViewResult:
            return self._look(side, now, names, cancellation, by_default)

        if other is None:
            return replace(look(shown), view=view)
        from usage_viewer.app.session.comparison import look_at_both

        return replace(look_at_both(shown, other, look, names, self._coverage.week_start), view=view)

    def _look(
        self, view: ViewState, now: int, names: Names, cancellation: Cancellation | None, cost_by_default: bool
    ) -> ViewResult:
        adjusted = self._coverage.adjust(view, now)
        stored = self._views.read(adjusted, now, cancellation, cost_by_default=cost_by_default)
        plan = plan_view(adjusted.view, stored.sources)
        table, notes = answer(adjusted.view, plan, self.read, names, cancellation)
        grants = self._coverage.grants(view.dataset_name, now)
        return ViewResult(
            view,
            table,
            stored.coverage,
            grants.never_granted(dataset_named(view.dataset_name).group_by),
            now,
            period_statuses(stored.coverage, stored.held, now),
            adjusted.view,
            (*adjusted.notes, *stored.notes, *grain_notes(adjusted.view, stored, grants), *notes),
            self._store.extras(view.dataset_name),
            (*adjusted.removed, *(name for name in requested_dimensions(adjusted.view) if name in stored.absent)),
            stored.ungranted,
            cost=stored.cost,
        )

    def bill(
        self, span: Span | None = None, cancellation: Cancellation | None = None, *, with_factors: bool = False
    ) -> tuple["StoredBill", frozenset[int]]:
        """Read what is stored of the bill in `span` (None: all), and the days that may still change.

        The days are day numbers since the epoch, UTC. `with_factors`: also read what prices need. Raises Cancelled,
        StoreError.
        """
        return self._spend.bill(span, cancellation, with_factors=with_factors)

    @property
    def mappings(self) -> LineMappings:
        """What a person has decided that line items bill; the next look at spend follows a change."""
        return self._spend.mappings

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        """Return every stored value of a dimension."""
        return self._store.values(dataset, dimension)

    # Fetch

    @property
    def connected(self) -> bool:
        """Whether the session has a source."""
        return self._fetcher is not None

    @property
    def unavailable_datasets(self) -> dict[str, UsageViewerError]:
        """The datasets that are not available from this source, with the reason."""
        fetcher = self._fetcher
        unavailable = {**self._unavailable_datasets, **({} if fetcher is None else fetcher.unavailable)}
        return unavailable | ({SPEND.name: unavailable[COSTS.name]} if COSTS.name in unavailable else {})

    def windows(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED) -> list[BucketRun]:
        """Return the windows that a fetch for `view` begins with, one request each."""
        parts = (part for side in sides(view) for part in self._views.fetched(side))
        return [run for part in parts for run in self._coverage.windows(part, refresh=refresh)]

    def fetch(
        self, view: ViewState, cancellation: Cancellation | None = None, *, refresh: Refresh = Refresh.NEEDED
    ) -> Iterator[Progress]:
        """Fetch what `view` lacks and what may have grown; yield each step."""
        if self.now >= RELEASED_AT:
            self._store.distrust_fetches_after(self.now + FETCH_AGAIN_AFTER)
        parts = (part for side in sides(view) for part in self._views.fetched(side))
        views = [part for part in parts if self.coverage(part, refresh=refresh).to_fetch]
        if not views:
            return
        from usage_viewer.app.fetch.view_fetch import fetch_views

        fetcher, cancellation = self._connected_fetcher(), cancellation or Cancellation()
        yield from fetch_views(fetcher, views, cancellation, refresh, view.dataset_name)

    def load_names(self, cancellation: Cancellation | None = None) -> Iterator[str]:
        """Fetch the lists of names; yield a line for the status bar before a long wait."""
        if self._fetcher is None:
            return
        from usage_viewer.app.fetch.name_lists import load_names

        yield from load_names(self._fetcher.source, self._store, lambda: self.now, cancellation or Cancellation())

    def fetch_names(self, cancellation: Cancellation | None = None) -> Names:
        """Fetch the lists of names; without a source, return the stored names."""
        for _ in self.load_names(cancellation):
            pass
        return self.names

    def forget_unavailable(self) -> None:
        """Forgets which datasets are not available from this source."""
        fetcher = self._fetcher
        if fetcher is not None:
            fetcher.unavailable.clear()

    def grants(self, dataset: str) -> Grants:
        """Return what the organization is known not to grant."""
        return self._coverage.grants(dataset)

    def ask_again(self, dataset: str) -> None:
        """Forget what the organization refused, so that the next fetch requests every dimension again."""
        for name in self._spend.inputs() if dataset_named(dataset).computed else (dataset,):
            self._store.forget_refusals(name)

    def _connected_fetcher(self) -> "Fetcher":
        fetcher = self._fetcher
        if fetcher is None:
            raise KeyMissing
        return fetcher

    # Verify

    def completeness(self, view: ViewState, coverage: Coverage | None = None) -> Completeness:
        """Return the result of earlier verifications of `view`."""
        verified = self._views.verified(view)
        view, coverage = verified, coverage if verified is view else None
        parts = self._parts(view, coverage)
        return self._verification_log.completeness(coverage or self.coverage(view), parts)

    def requests_to_verify(self, view: ViewState, coverage: Coverage, *, pending_only: bool = False) -> int:
        """Return how many requests `verify` sends if no bucket has to be fetched again."""
        verified = self._views.verified(view)
        view, whole = verified, coverage if verified is view else None
        return sum(
            len(
                verification_windows(
                    stored_dataset(part.stored_as), self._verifier.runs_to_compare(part, pending_only)
                )
            )
            for part in self._parts(view, whole)
        )

    def _parts(self, view: ViewState, coverage: Coverage | None) -> list[StoredPart]:
        if coverage is not None and len(self._store.grains(view.dataset_name)) == 1:
            return [StoredPart(view.dataset_name, coverage.read)]
        return self._verifier.parts(view)

    def verify(
        self,
        view: ViewState,
        cancellation: Cancellation | None = None,
        *,
        refetch: Sequence[Bucket] = (),
        pending_only: bool = False,
    ) -> VerificationOutcome:
        """Compare the stored sums with the server's sums without grouping."""
        source, view = self._connected_fetcher().source, self._views.verified(view)
        request = VerificationRequest(source, view, cancellation or Cancellation(), tuple(refetch), pending_only)
        return self._verifier.verify(request)

    def broken_identities(self, view: ViewState, cancellation: Cancellation | None = None) -> BrokenIdentities:
        """Find rows of `view` in which a whole is not the sum of its parts."""
        now = self.now
        view = self._views.verified(view) if has_costs(view.dataset) else view
        adjusted = self._coverage.adjust(view, now)
        sources = self._views.read(adjusted, now, cancellation).sources
        return self._store.verification.broken_identities(adjusted.view, sources, self._store.names(), cancellation)

    def changes(self, dataset: str, span: Span | None, cancellation: Cancellation | None = None) -> Changes:
        """Return values changed by a later fetch in the last 30 days, within `span` (None: all)."""
        fetched = COSTS.name if dataset_named(dataset).computed else dataset
        return self._store.verification.changes(fetched, span, self.now, cancellation)

    def contributions(
        self, result: ViewResult, cell: Cell, metrics: Sequence[str], cancellation: Cancellation | None = None
    ) -> list[BucketContribution]:
        """Return the buckets of a row of `result`, with their rows and the sums of `metrics`."""
        view, names = result.effective_view, self._store.names()
        view = self._views.verified(view) if has_costs(view.dataset) else view
        metrics = [name for name in metrics if view.dataset.has_column(name)]
        sources: Sequence[FactSource] = [FactSource("", view.dataset, result.coverage)]
        if len(self._store.grains(view.dataset_name)) > 1:
            sources = self.stored_view(view, result.now).sources
        return self._store.verification.contributions(view, sources, cell, metrics, names, cancellation)

    # Stored data

    def save_snapshot(
        self, view: ViewState, folder: Path, cancellation: Cancellation | None = None
    ) -> dict[str, int]:
        """Write the stored data of the view's range, of every dataset, into the empty `folder`.

        Returns the number of rows of each file. Raises Cancelled, StoreError.
        """
        from usage_viewer.store.snapshot.writer import save_snapshot

        spend = ViewState(SPEND.name, view.range, grouping=(), zone=view.zone)
        self.stored_view(spend, self.now, cancellation)  # computes the days that have changed
        return save_snapshot(self._store, folder, self.coverage(view).periods.span, cancellation)

    def erase(self) -> None:
        """Remove all stored usage, names and verification results; the source stays. Raises StoreError."""
        self._store.erase()
