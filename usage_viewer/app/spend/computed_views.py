"""Defines `ComputedViews`, which answers views of spend, and views of usage with the figures of cost."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

import numpy as np

from usage_viewer.app.fetch.coverage_reader import CoverageReader, StoredView
from usage_viewer.app.spend.spend_source import SpendSource
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.compared_view import ComparedView, sides
from usage_viewer.domain.cost_figures import (
    COST,
    COST_FIGURES,
    CostCoverage,
    costs_of,
    has_costs,
    with_costs,
    without_costs,
)
from usage_viewer.domain.coverage import Coverage, Refresh
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import AdjustedView, requested_dimensions
from usage_viewer.query.plan import FactSource, FactSums

ONLY_BY_DAY = "Cost is only available per UTC day; choose UTC days to see it."


class ComputedViews:
    """Finds what is stored of a view, after what it shows of spend was computed.

    Views of other datasets are passed on to the coverage reader. Raises Cancelled, StoreError, InputError.
    """

    def __init__(
        self, coverage: CoverageReader, spend: SpendSource, unavailable: Callable[[], Collection[str]]
    ) -> None:
        self._coverage, self._spend, self._unavailable = coverage, spend, unavailable
        coverage.computed_grains = spend.grains

    def shows_cost(self, view: ViewState, now: int) -> bool:
        """Report whether a view without chosen figures shows cost: that of some of its days is stored."""
        data = view.dataset
        if view.columns or view.pivot is not None or not has_costs(with_costs(data)):
            return False
        if any(not SPEND.has_dimension(name) for name in requested_dimensions(view)):
            return False  # none of its rows has a cost
        for side in sides(view):
            spend, own = (self._coverage.adjust(item, now) for item in (_spend_view(side), side))
            if not np.array_equal(spend.periods.bounds, own.periods.bounds):
                return False
        return bool(self._coverage.read(self._coverage.adjust(_spend_view(view), now), now).coverage.read)

    def read(
        self,
        adjusted: AdjustedView,
        now: int,
        cancellation: Cancellation | None,
        *,
        cost_by_default: bool = False,
    ) -> StoredView:
        """Find the stored buckets of an adjusted view as of `now` (epoch seconds).

        `cost_by_default`: the view shows cost because `shows_cost` says so.
        """
        stored = self._coverage.read(adjusted, now)
        if adjusted.view.dataset.computed:
            updated = self._spend.update(stored, cancellation or Cancellation())
            return replace(updated, notes=(*updated.notes, *self._spend.notes))
        if not has_costs(adjusted.view.dataset):
            return stored
        refused = SPEND.name in self._unavailable()
        shown = self._with_costs(adjusted.view, stored, now, cancellation or Cancellation())
        if shown.cost is None:
            return shown
        return replace(shown, cost=replace(shown.cost, by_default=cost_by_default, refused=refused))

    def coverage(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, now: int | None = None) -> Coverage:
        """Compare what a view needs with what is stored; costs that a view of usage lacks count as stale."""
        coverage = self._coverage.coverage(view, refresh=refresh, now=now)
        if not has_costs(view.dataset) or SPEND.name in self._unavailable():
            return coverage
        spend = self._coverage.coverage(_spend_view(view), refresh=refresh, now=now)
        return replace(coverage, stale=(*coverage.stale, *spend.to_fetch))

    def fetched(self, view: ViewState) -> list[ViewState]:
        """Return the views that are fetched for a view: those of its inputs if it is computed, or itself."""
        if not view.dataset.computed and not has_costs(view.dataset):
            return [view]
        adjusted = self._coverage.adjust(_spend_view(view), self._coverage.now)
        inputs = list(self._spend.input_views(_in_own_range(adjusted)))
        if view.dataset.computed:
            return inputs
        return [_usage_view(view), *(inputs if SPEND.name not in self._unavailable() else ())]

    def verified(self, view: ViewState) -> ViewState:
        """Return the view whose totals the server has: spend adds up to the costs of the same days."""
        if has_costs(view.dataset):
            return _usage_view(view)
        return self.fetched(view)[-1] if view.dataset.computed else view

    def _with_costs(self, view: ViewState, stored: StoredView, now: int, cancellation: Cancellation) -> StoredView:
        """Add the spend of a usage dataset to what is stored of it."""
        adjusted = self._coverage.adjust(_spend_view(view), now)
        spend = self._spend.update(self._coverage.read(adjusted, now), cancellation)
        periods, dataset = stored.coverage.periods, costs_of(view.dataset_name)
        usage = [replace(source, dataset=without_costs(source.dataset)) for source in stored.sources]
        absent = frozenset(name for name in requested_dimensions(view) if not dataset.has_dimension(name))
        notes: tuple[str, ...] = (*stored.notes, *spend.notes)
        if not np.array_equal(spend.coverage.periods.bounds, periods.bounds):
            none = FactSource("", dataset, replace(stored.coverage, read=()), absent)
            return replace(stored, sources=(*usage, none), notes=(*notes, ONLY_BY_DAY))
        costs = [FactSource("", dataset, source.coverage, absent) for source in spend.sources]
        return replace(stored, sources=(*usage, *costs), notes=notes, cost=CostCoverage(spend.coverage))


def with_default_cost(view: ViewState) -> ViewState:
    """Return a view without chosen columns with cost beside the dataset's default columns."""
    return view.with_columns((*view.shown_columns, COST))


def of_service(sums: FactSums, service: str) -> FactSums:
    """Return the rows of spend that belong to one usage dataset."""
    index = sums.index
    is_own = np.array([value == service for value in index.values("service")], np.bool_)
    own = is_own[index.column("service")] if len(is_own) else np.zeros(0, np.bool_)
    return replace(sums, rows=sums.rows.take(own[sums.rows.cell])) if len(sums.rows) else sums


def _spend_view(view: ViewState) -> ViewState:
    """Return the view of spend in the range, the zone and the periods of another view."""
    spend = ViewState(SPEND.name, view.range, view.per, (), columns=("amount",), zone=view.zone)
    if not isinstance(view, ComparedView):
        return spend
    return ComparedView.of(replace(spend, compare=view.moved_by)) or spend


def _in_own_range(adjusted: AdjustedView) -> ViewState:
    """Return a view of whole days, that of a compared period with the range of that period."""
    view, periods = adjusted.view, adjusted.periods
    if not isinstance(view, ComparedView):
        return view
    ends = (datetime.fromtimestamp(moment, periods.zone) for moment in (periods.span.start, periods.span.end))
    start, end = (moment.replace(tzinfo=None) for moment in ends)
    return ViewState(view.dataset_name, DateRange(None, start, end), view.per, (), zone=view.zone)


def _usage_view(view: ViewState) -> ViewState:
    """Return a view of usage without the figures of cost."""
    if view.pivot is not None:  # of whichever figure: its dimensions stay
        view = view.with_pivot(None)
    return view.with_columns(name for name in view.columns if name not in COST_FIGURES)
