"""Defines `SpendSource`, which knows what the dataset `spend` is computed from and keeps it up to date."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.fetch.coverage_reader import StoredView
from usage_viewer.app.spend.line_mappings import LineMappings
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import API_DATASETS, COSTS, SPEND
from usage_viewer.domain.coverage import SETTLED_AFTER, HeldBuckets, bucket_runs
from usage_viewer.domain.grain import GrainBuckets, choose_grains
from usage_viewer.domain.period import BucketWidth, Granularity, Span
from usage_viewer.domain.spend import MEASURES
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

if TYPE_CHECKING:
    from usage_viewer.store.spend.bill_reader import BillReader, StoredBill
    from usage_viewer.store.spend.spend_store import SpendStore

_DAY = BucketWidth.DAY
_BILLED_METRICS = frozenset(name for measure in MEASURES.values() for name in measure.metrics)


class SpendSource:
    """Computes spend from the costs and the usage in one store.

    `unavailable` returns the names of the datasets that the organization does not make available; `connected`
    whether more can be fetched. A dataset without any stored usage is left out if nothing can be fetched.
    `mappings` are what a person has decided that line items bill.
    """

    def __init__(
        self,
        store: Store,
        unavailable: Callable[[], Collection[str]],
        connected: Callable[[], bool],
        mappings: LineMappings | None = None,
    ) -> None:
        self._store, self._unavailable, self._connected = store, unavailable, connected
        self.mappings = mappings or LineMappings()

    # A view of usage needs neither of these.

    @cached_property
    def _spend(self) -> "SpendStore":
        from usage_viewer.store.spend.spend_store import SpendStore

        return SpendStore(self._store, lambda: self.mappings.by_line)

    @cached_property
    def _bill(self) -> "BillReader":
        from usage_viewer.store.spend.bill_reader import BillReader

        return BillReader(self._store, self._spend.meanings, lambda: self.mappings.by_line)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence on the line items that a person has mapped, if there are any."""
        count = len(self.mappings.by_line)
        return (f"{count} line item{' is' if count == 1 else 's are'} mapped by hand.",) if count else ()

    def inputs(self) -> tuple[str, ...]:
        """Return the names of the datasets that a day of spend needs.

        The costs come last: then a failure of costs alone shows that the key may read usage, but not costs.
        """
        unavailable, connected = self._unavailable(), self._connected()
        usage = (name for name in _billed_services() if name not in unavailable)
        return (*(name for name in usage if connected or self._is_stored(name)), COSTS.name)

    def grains(self) -> tuple[GrainBuckets, ...]:
        """Return the days whose costs and usage are all stored, as the buckets of the dataset `spend`."""
        held = [self._held(name) for name in self.inputs()]
        starts = held[0].starts
        oldest = np.minimum.reduce([item.find(starts) for item in held])
        days = HeldBuckets(starts[oldest >= 0], oldest[oldest >= 0])
        return (GrainBuckets(SPEND.name, frozenset(SPEND.group_by), {_DAY: days}),)

    def update(self, stored: StoredView, cancellation: Cancellation) -> StoredView:
        """Attribute the days of a view that have changed; return the view without those that do not add up.

        Raises Cancelled, StoreError.
        """
        starts = _starts(stored)
        held = stored.held.get(_DAY, HeldBuckets.nothing())
        wrong = self._spend.update(starts, _closed(held), self._services(), cancellation)
        if not wrong:
            return stored
        right = starts[~np.isin(starts, [*wrong])]
        read = tuple(bucket_runs(right, _DAY, _DAY))
        sources = (replace(source, coverage=replace(source.coverage, read=read)) for source in stored.sources)
        days = "1 day is" if len(wrong) == 1 else f"{len(wrong):,} days are"
        note = f"{days} not shown: the parts do not add up to the bill."
        return replace(stored, sources=tuple(sources), notes=(note,))

    def bill(
        self, span: Span | None, cancellation: Cancellation | None = None, *, with_factors: bool = False
    ) -> tuple["StoredBill", frozenset[int]]:
        """Read the bill and the usage of the stored days in `span` (None: all).

        Returns also the days (day numbers since the epoch, UTC) that were fetched before they were final.
        `with_factors`: also read what prices need. Raises Cancelled, StoreError.
        """
        costs, complete = self._held(COSTS.name), self.grains()[0].held[_DAY]
        starts = costs.starts
        if span is not None:
            starts = starts[(starts >= span.start) & (starts < span.end)]
        whole = complete.find(starts)
        fetched = np.where(whole < 0, costs.find(starts), whole)
        is_open = starts + _DAY.seconds + SETTLED_AFTER > fetched
        services, closed = self._services(), _closed(complete)
        bill = self._bill.read(starts, closed, services, cancellation, with_factors=with_factors)
        return bill, frozenset((starts[is_open] // _DAY.seconds).tolist())

    def input_views(self, view: ViewState) -> Iterator[ViewState]:
        """Yield a view of each dataset that a view of spend is computed from, in the finest grain by day."""
        for name in self.inputs():
            yield ViewState(dataset_name=name, range=view.range, per=Granularity.DAY, grouping=(), zone=view.zone)

    def _services(self) -> list[str]:
        """Return the names of the datasets with stored usage that line items can bill."""
        return [name for name in _billed_services() if self._is_stored(name)]

    def _is_stored(self, name: str) -> bool:
        return any(_DAY in grain.held and len(grain.held[_DAY].starts) for grain in self._store.grains(name))

    def _held(self, name: str) -> HeldBuckets:
        """Return the stored days of a dataset in any grain."""
        held = choose_grains(self._store.grains(name), API_DATASETS[name].group_by).held
        return held.get(_DAY, HeldBuckets.nothing())


def _closed(held: HeldBuckets) -> NDArray[np.int64]:
    """Return the starts of the days that were fetched after they were final."""
    return held.starts[held.starts + _DAY.seconds + SETTLED_AFTER <= held.fetched]


def _billed_services() -> Iterator[str]:
    """Yield the names of the datasets that have a metric which line items bill."""
    for name, dataset in API_DATASETS.items():
        if name != COSTS.name and any(metric.name in _BILLED_METRICS for metric in dataset.metrics):
            yield name


def _starts(stored: StoredView) -> NDArray[np.int64]:
    """Return the start of each day that a view reads."""
    runs = [run for source in stored.sources for run in source.coverage.read]
    parts = [np.arange(run.start, run.end, _DAY.seconds, dtype=np.int64) for run in runs]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)
