"""Computes the view that drilling down into a row shows: the row's usage alone, in the next grouping."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from usage_viewer.domain.dataset import PROFILE
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity, Span
from usage_viewer.domain.row_keys import keys_of
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE, PERIOD
from usage_viewer.domain.zones import moment_of

LEVELS: Final = (PROFILE.name, "project_id", "user_id", "api_key_id", "model", "line_item")
"""The groupings in the order of drilling down, as far as a dataset has them; days and hours follow."""

_LONGEST_DAY: Final = 25 * 3600


def drilled_view(
    view: ViewState, table: Table, row: int, span: Span, not_granted: Collection[str] = ()
) -> ViewState | None:
    """Return the view filtered to a row of `table` and grouped by the next level that tells more.

    `table` is that of `view`, and `span` its range. A row by project leads to its people, then to keys, models,
    days and hours; a row of a period leads to shorter periods. All filters stay. A search of the grouped dimensions
    is left out: the row itself has matched it. `not_granted` are dimensions that can't be grouped by.

    Returns None if there is no further level, or if no filter can describe the row: for dimensions that are not
    available, and for a period that begins or ends while the clock is put back.
    """
    keys = keys_of(table, [row])
    values = dict(zip(keys.names, keys.parts[0], strict=True))
    values.pop(PERIOD, None)
    drilled = view
    for dimension, value in values.items():
        if value == NOT_AVAILABLE or isinstance(value, int):
            return None
        drilled = drilled.only(dimension, value)
    if view.grouping:
        drilled = drilled.with_search("")
    per = Granularity.TOTAL
    if table.period is not None:
        per, index = table.period.periods.per, int(table.period.index[row])
        span = Span(*table.period.periods.bounds[index : index + 2].tolist())
        limited = _limited_to(drilled, span)
        if limited is None:
            return None
        drilled = limited
    if per is Granularity.TOTAL and (level := _next_level(drilled, not_granted)):
        return drilled.with_grouping([level])
    finer = _finer(drilled, per, span)
    return None if finer is None else replace(drilled.with_pivot(None).with_grouping(()), order=()).with_per(finer)


def _next_level(view: ViewState, not_granted: Collection[str]) -> str:
    """Return the next dimension of `LEVELS`; "" if only periods are left."""
    if view.search:
        return ""  # without a grouping it searches all dimensions: with one it would find less
    reached = [LEVELS.index(name) for name in view.grouping if name in LEVELS]
    for name in LEVELS[max(reached) + 1 if reached else 0 :]:
        if view.dataset.has_dimension(name) and name not in not_granted and not _is_single(view, name):
            return name
    return ""


def _is_single(view: ViewState, dimension: str) -> bool:
    chosen = view.filter_on(dimension)
    return chosen is not None and not chosen.exclude and len(chosen.values) == 1


def _finer(view: ViewState, per: Granularity, span: Span) -> Granularity | None:
    """Return the next shorter period that divides the span and that the dataset has."""
    has_hours = view.dataset.finest is not BucketWidth.DAY
    if per in (Granularity.HOUR, Granularity.MINUTE):
        return None
    if per is not Granularity.DAY and span.end - span.start > _LONGEST_DAY:
        return Granularity.DAY
    return Granularity.HOUR if has_hours and span.end - span.start > BucketWidth.HOUR.seconds else None


def _limited_to(view: ViewState, span: Span) -> ViewState | None:
    """Return the view of a span; None if the clock was put back at an end: no date and time describes it."""
    zone = view.tzinfo
    start, end = (datetime.fromtimestamp(moment, zone).replace(tzinfo=None) for moment in (span.start, span.end))
    if (moment_of(start, zone), moment_of(end, zone)) != (span.start, span.end) or start >= end:
        return None
    return view.with_range(DateRange(None, start, end))
