"""One exact answer over the stores of several organizations; which of them is a dimension more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Coverage, combine_coverage
from usage_viewer.domain.names import Names
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.query.aggregate import FactSums, joined
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.levels import by_bucket
from usage_viewer.query.table_builder import tabulate
from usage_viewer.store.store import Store


@dataclass(frozen=True, slots=True)
class Part:
    """One organization: its profile's id, its store, and what is held there of the view."""

    profile: str
    store: Store
    coverage: Coverage


def answer_across(
    parts: Sequence[Part], view: ViewState, names: Names, cancel: Cancellation | None = None
) -> Table:
    """As `Store.answer`, over all `parts`. `view.profiles` are theirs. Raises Cancelled, StoreError."""
    cancel = cancel or Cancellation()
    coverage = combine_coverage([part.coverage for part in parts])
    every = DimensionIndex(view.dataset)
    facts: list[FactSums] = []
    by_buckets: list[FactSums] = []
    for part in parts:
        gathered = part.store.gathered(of_one(view), part.coverage, cancel)
        ids = every.add((part.profile, *values) for _, *values in gathered.combinations.since(0))
        facts.append(_relabelled(gathered.facts, ids))
        if gathered.by_buckets is not None:
            levels = _relabelled(gathered.by_buckets, ids)
            by_buckets.append(_split(levels, by_bucket(part.coverage), by_bucket(coverage)))
        cancel.check()
    table = tabulate(
        view, coverage, joined(facts).in_period_order(), every, names, joined(by_buckets) if by_buckets else None
    )
    cancel.check()
    return table


def of_one(view: ViewState) -> ViewState:
    """What a single organization is asked for: the same without what tells organizations apart."""
    return replace(view.across(()), order=())


def values_across(stores: Mapping[str, Store], dataset: str, dimension: str) -> tuple[Value, ...]:
    """Every value of a dimension that any of them has."""
    return tuple(dict.fromkeys(value for store in stores.values() for value in store.values(dataset, dimension)))


def _relabelled(rows: FactSums, ids: NDArray[np.int32]) -> FactSums:
    return rows.relabelled(ids[rows.cell] if len(rows) else rows.cell)


def _split(levels: FactSums, own: Coverage, common: Coverage) -> FactSums:
    """A level is the same in each of the finer buckets that stand for its own."""
    edges, bounds = own.periods.bounds, common.periods.bounds
    first = np.searchsorted(bounds, edges[:-1])[levels.period]
    counts = np.searchsorted(bounds, edges[1:])[levels.period] - first
    rows = np.repeat(np.arange(len(levels)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return FactSums(
        (first[rows] + within).astype(np.int32),
        levels.cell[rows],
        {name: figures.take(rows) for name, figures in levels.metrics.items()},
    )
