"""Finds unusual days of a view: loads the weeks before its range and ranks the days."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.chart import charted_figure
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.session import Session
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Figure
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.query.chart_series import MIXED_UNITS, adds_over_time
from usage_viewer.query.unusual_days import WEEKS, UnusualDays, find_unusual_days

NOT_ADDED = "{} can't be added up over days. Sort by a count or an amount, or show one as a column."


@dataclass(frozen=True)
class UnusualList:
    """Holds the unusual days of a view's range.

    `result` is the result by day with the weeks before; `measure` is the unit of the figure. `problem` says why
    there is no list, `error` what stopped the loading of the weeks before.
    """

    result: ViewResult
    figure: Figure
    days: UnusualDays
    measure: str = ""
    problem: str = ""
    error: UsageViewerError | None = None


def view_by_day(view: ViewState, now: int, week_start: int = 0) -> ViewState:
    """Return the view of the days of a view's range and of the weeks before, with the figure to judge."""
    start, end = view.range.wall(now, view.tzinfo, week_start)
    extended = DateRange(None, start - timedelta(weeks=WEEKS), end)
    figure = _figure(view).name
    plain = replace(view, per=Granularity.DAY, order=(), columns=(figure,), include_empty=False)
    return replace(plain, range=extended, compare=Comparison.NONE)


def _figure(view: ViewState) -> Figure:
    """Return the sorted figure, or the first shown one that adds up over time."""
    data = view.dataset
    names = (charted_figure(view), *view.shown_columns)
    return next((data.column(name) for name in names if adds_over_time(data.column(name))), data.column(names[0]))


def load_unusual_days(
    session: Session, view: ViewState, cancellation: Cancellation | None = None, week_start: int = 0
) -> UnusualList:
    """Rank the days of a view's range, and load the weeks before if the session has a source.

    An error of the server is kept in the result: the list is made of what is stored. Raises Cancelled, StoreError.
    """
    now, figure = session.now, _figure(view)
    by_day = view_by_day(view, now, week_start)
    error = _load(session.fetch(by_day, cancellation)) if session.connected else None
    result = session.look(by_day, cancellation)
    column = result.table.find_figure(figure.name)
    if column is None or not adds_over_time(figure):
        return UnusualList(result, figure, UnusualDays(()), problem=NOT_ADDED.format(figure.label), error=error)
    if column.unit_from:
        return UnusualList(result, figure, UnusualDays(()), problem=MIXED_UNITS, error=error)
    loaded = _ended_and_loaded(result.coverage, now)
    zone = result.effective_view.zone
    first = len(loaded) - len(replace(by_day, range=view.range, zone=zone).periods(now, week_start))
    days = find_unusual_days(result.table, column, loaded, max(first, 0))
    return UnusualList(result, figure, days, column.measure, error=error)


def _load(steps: Iterator[object]) -> UsageViewerError | None:
    """Fetch all; return the error that stopped it, or None. Raises Cancelled."""
    try:
        for _ in steps:
            pass
    except Cancelled:
        raise
    except UsageViewerError as error:
        return error
    return None


def _ended_and_loaded(coverage: Coverage, now: int) -> NDArray[np.bool_]:
    """Return the days that have ended and of which nothing is missing (days,)."""
    bounds = coverage.periods.bounds
    loaded = bounds[1:] <= now
    for run in coverage.missing:
        loaded &= (bounds[1:] <= run.start) | (bounds[:-1] >= run.end)
    return loaded
