"""Turns a view: chooses the figure and the periods of a pivot from what the view shows."""

from dataclasses import replace

from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, PIVOT_WITH_COMPARISON

_COMFORTABLE = 31
"""Periods as columns up to which the shorter granularity is chosen: the days of a month."""


def pivoted_by(view: ViewState, by: str, now: int, week_start: int = 0) -> ViewState:
    """Return the view with the periods (`PERIOD`) or a dimension across; "" for figures.

    The figure is that of the present pivot, or the one that the rows are sorted by. A whole range is divided into
    days, weeks or months. Raises InputError if the view has a comparison.
    """
    if not by:
        return view.with_pivot(None)
    before = view.pivot
    pivot = Pivot(by, figure_to_pivot(view)) if before is None else replace(before, by=by)
    if by == PERIOD and view.per is Granularity.TOTAL:
        view = view.with_per(_granularity(view, now, week_start))
    return view.with_pivot(pivot)


def figure_to_pivot(view: ViewState) -> str:
    """Return the figure that the rows are sorted by; else the usual one, or the first one shown."""
    sorted_by = [key.column.name for key in (*view.order, *view.default_order) if not key.column.is_of_comparison]
    return next(iter((*(name for name in sorted_by if name in view.shown_columns), *view.shown_columns)))


def why_not_pivoted(view: ViewState) -> str:
    """Return why a view can only have figures as columns; "" if it can be turned."""
    return f"{PIVOT_WITH_COMPARISON}. Choose No comparison first." if view.compare is not Comparison.NONE else ""


def why_not_compared(view: ViewState) -> str:
    """Return why a view can't be compared; "" if it can."""
    return f"{PIVOT_WITH_COMPARISON}. Choose Figures first." if view.pivot is not None else ""


def _granularity(view: ViewState, now: int, week_start: int) -> Granularity:
    for per in (Granularity.DAY, Granularity.WEEK):
        if len(view.with_per(per).periods(now, week_start)) <= _COMFORTABLE:
            return per
    return Granularity.MONTH
