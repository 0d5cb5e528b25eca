"""Joins the result of a view with that of the compared period, and says what the periods are."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.session.result import ViewResult
from usage_viewer.domain.catalog import COSTS
from usage_viewer.domain.compared_view import ComparedView
from usage_viewer.domain.comparison import counterparts
from usage_viewer.domain.display_text import day_text
from usage_viewer.domain.extent import count
from usage_viewer.domain.last_used_column import last_used_columns
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.verification import Cell
from usage_viewer.domain.view import ViewState
from usage_viewer.query.comparison import DIFFERENT_ROWS, compare_tables
from usage_viewer.query.spend.price_volume_columns import with_price_and_volume

Look = Callable[[ViewState], ViewResult]
"""Answers a view without its comparison, always at the same time."""


def look_at_both(view: ViewState, other: ComparedView, look: Look, names: Names, week_start: int) -> ViewResult:
    """Answer a view together with the view of its compared period.

    If the figures of only one period have several units, both are grouped by the unit: rows with different units
    are never joined.
    """
    result, compared = look(view), look(other)
    units = dict.fromkeys(name for name in _differing_units(result, compared) if name not in view.grouping)
    if units:
        grouping = (*view.grouping, *units)
        grouped = look(replace(view, grouping=grouping))
        result = replace(grouped, view=view, adjusted_view=result.adjusted_view)
        by_unit = look(replace(other, grouping=grouping))
        compared = replace(by_unit, view=other, adjusted_view=compared.adjusted_view)
    return _with_comparison(result, compared, names, week_start)


def _differing_units(result: ViewResult, compared: ViewResult) -> list[str]:
    """Return the dimensions with the units in which two tables differ: of their groups, or of all their rows."""
    units = _unit_dimensions(result.effective_view)
    heads = [{group.name for group in side.table.groups} for side in (result, compared)]
    by_group = [name for name in units.values() if (name in heads[0]) != (name in heads[1])]
    pairs = ((column, compared.table.find_figure(column.key)) for column in result.table.figures)
    measures = [
        units[column.name]
        for column, before in pairs
        if before is not None and column.measure and before.measure and column.measure != before.measure
    ]
    return [*by_group, *measures]


def _unit_dimensions(view: ViewState) -> dict[str, str]:
    """Return the dimension with the unit of each shown figure that has one."""
    data = view.dataset
    measured = {name: data.column(name).measured for name in view.shown_columns}
    return {
        name: data.metric(metric).unit_from
        for name, metric in measured.items()
        if metric and data.metric(metric).unit_from
    }


def _with_comparison(result: ViewResult, other: ViewResult, names: Names, week_start: int) -> ViewResult:
    """Return `result` with the figures of `other`, which is of its compared period, and sentences about both."""
    own, compared = result.coverage.periods, other.effective_view
    assert isinstance(compared, ComparedView)
    moved = compared.moved_bounds(result.now, week_start)
    if len(moved) != len(own) + 1 or compared.grouping != result.effective_view.grouping:
        return replace(result, compared=other, notes=(*result.notes, DIFFERENT_ROWS))
    joined = compare_tables(result.table, other.table, counterparts(moved), _unit_dimensions(result.effective_view))
    table = joined.table
    if result.view.dataset_name == COSTS.name:
        table, sentence = with_price_and_volume(table)
        joined = replace(joined, notes=(*joined.notes, *([sentence] if sentence else [])))
    if result.view.include_empty:
        heads = len(table.heads)
        added = last_used_columns(table.groups, names, result.effective_view.tzinfo)
        table = replace(table, columns=(*table.columns[:heads], *added, *table.columns[heads:]))
    notes = (
        *result.notes,
        *(note for note in other.notes if note not in result.notes),
        *_range_notes(result, other, moved, compared.elapsed_until(own, result.now)),
        *joined.notes,
    )
    return replace(result, table=table, notes=tuple(notes), compared=other)


def compared_cell(result: ViewResult, cell: Cell, week_start: int) -> Cell | None:
    """Return the cell of the compared period's table that a cell of `result` is compared with, None for none."""
    view = None if result.compared is None else result.compared.effective_view
    if not isinstance(view, ComparedView) or cell.period is None:
        return None if view is None else cell
    places = np.flatnonzero(counterparts(view.moved_bounds(result.now, week_start)) == cell.period)
    return replace(cell, period=int(places[0])) if len(places) else None


def _range_notes(
    result: ViewResult, other: ViewResult, moved: NDArray[np.int64], elapsed_until: int | None
) -> list[str]:
    """Return sentences about the compared range: its days, its length and whether it is loaded."""
    own, coverage = result.coverage.periods, other.coverage
    span = coverage.periods.span
    lengths = np.diff(np.minimum(own.bounds, own.span.end if elapsed_until is None else elapsed_until))
    moved_lengths = np.diff(moved)
    notes = [f"Compared with {_span_text(coverage.periods)}."]
    if elapsed_until is not None:
        until = datetime.fromtimestamp(elapsed_until, own.zone)
        if elapsed_until <= result.now:
            notes = [f"Compared up to {until:%H:%M} today with {_span_text(coverage.periods)}."]
        elif until.time() == time():
            notes.append("Today has not ended: the compared period has a whole day in its place.")
        else:
            notes.append("This hour has not ended: the compared period has a whole hour in its place.")
    days, other_days = round(int(lengths.sum()) / 86400), round((span.end - span.start) / 86400)
    if days != other_days:
        notes.append(f"The periods differ in length: {count(days, 'day')} and {count(other_days, 'day')}.")
    elif own.per is not Granularity.TOTAL and (np.abs(lengths - moved_lengths) > 2 * 3600).any():
        notes.append("The periods of some rows differ in length.")
    if coverage.complete and not other.table.rows:
        notes.append("There is no usage in the compared period.")
    if not coverage.complete:
        notes.append(f"Compared period incomplete: {coverage.summary}.")
    lacks_cost = [side.cost is not None and not side.cost.days.complete for side in (result, other)]
    if lacks_cost[1] and other.cost is not None:
        notes.append(f"Cost of the compared period: {other.cost.summary}.")
    if not (coverage.complete and result.coverage.complete) or any(lacks_cost):
        notes.append("What is not loaded counts as 0 in the changes.")
    return notes


def _span_text(periods: Periods) -> str:
    """Return the days of a range, or its times if they are not whole days."""
    start, end = (datetime.fromtimestamp(bound, periods.zone) for bound in (periods.span.start, periods.span.end))
    if start.time() == end.time() == time():
        first, last = _day(start), _day(end - timedelta(days=1))
        return first if first == last else f"{first} to {last}"
    return f"{_day(start)} {start:%H:%M} to {_day(end)} {end:%H:%M}"


def _day(moment: datetime) -> str:
    return day_text(int(datetime.fromisoformat(f"{moment.date()}T00:00+00:00").timestamp()))
