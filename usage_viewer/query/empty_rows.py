"""Adds the rows of a table that have no usage: idle periods, and listed keys, people and projects without any."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset, Figure, Kind
from usage_viewer.domain.column import HeadColumn
from usage_viewer.domain.cost_figures import has_costs
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.names import Names
from usage_viewer.domain.shown_amounts import RowIdentity
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import missing_mask

MOST_EMPTY_ROWS = 500_000
"""With more rows without usage than this, none is added: a year of hours of 1,000 keys would be 8.8 million."""

INCLUDED = "Rows without usage are included."
NOT_LOADED = "Rows without usage are included once this range is loaded."
TOO_MANY = "{:,} rows without usage are too many to include. Choose a shorter range or fewer groups."


@dataclass(frozen=True, slots=True)
class _Groups:
    """The groups of a table: `of_row` (n,) is each row's group, `example` (groups,) a row of each."""

    of_row: NDArray[np.int64]
    example: NDArray[np.int64]


def with_empty_rows(table: Table, view: ViewState, coverage: Coverage, names: Names) -> tuple[Table, str]:
    """Return the table with its rows without usage at the end, and a sentence about them.

    Each group gets a row for each loaded period. If the view is grouped by one dimension with names, the listed
    names that pass the view's filters are groups too; deleted ones are not. A period of which any bucket is not
    loaded gets no row, so that no row reads as "nothing was used" without being known. Sums are 0; a stored amount,
    a share or a mean is missing. Totals stay as they are.
    """
    loaded = _loaded_periods(view, coverage)
    unused = _unused_values(table, view, names)
    groups = _groups(table)
    known, added = len(groups.example), len(unused)
    if not len(loaded):
        return table, NOT_LOADED
    place = _place_of_period(table, loaded)
    inside = place >= 0
    pairs = len(loaded) * (known + added) - int(inside.sum())
    if pairs > MOST_EMPTY_ROWS:
        return table, TOO_MANY.format(pairs)
    empty = np.ones((len(loaded), known + added), np.bool_)
    empty[place[inside], groups.of_row[inside]] = False
    period, group = np.nonzero(empty)
    if not len(period):
        return table, INCLUDED
    heads = [_extended_head(head, loaded[period], group, groups, unused, names) for head in table.heads]
    figures = _extended_figures(table, view.dataset, len(period), RowIdentity(heads))
    return Table((*heads, *figures), table.rows + len(period)), INCLUDED


def _loaded_periods(view: ViewState, coverage: Coverage) -> NDArray[np.int64]:
    """Return the indices of the periods that have begun and of which every bucket that has begun is loaded."""
    if not view.has_period_rows:
        return np.arange(1 if coverage.complete and coverage.stored else 0)
    bounds = coverage.periods.bounds
    begun_until = bounds[-1] if coverage.begun_until is None else coverage.begun_until
    loaded = bounds[:-1] < begun_until
    for run in coverage.missing:
        loaded &= (bounds[1:] <= run.start) | (bounds[:-1] >= run.end)
    return np.flatnonzero(loaded)


def _unused_values(table: Table, view: ViewState, names: Names) -> list[str]:
    """Return the listed ids of the only grouped dimension that no row has, as far as they pass the filters."""
    if len(table.groups) != 1 or not table.groups[0].dimension.names:
        return []
    dimension, used = table.groups[0].dimension, set(table.groups[0].values)
    chosen = view.filter_on(dimension.name)
    return [
        name.id
        for name in names.by_id.values()
        if name.kind == dimension.names
        and not name.deleted
        and name.id not in used
        and (chosen is None or chosen.passes(name.id))
        and (not view.search or names.matches(dimension, name.id, view.search))
    ]


def _groups(table: Table) -> _Groups:
    """Return the groups of the table's rows; a table without grouping has one group, even without rows."""
    if not table.groups:
        return _Groups(np.zeros(table.rows, np.int64), np.zeros(1, np.int64))
    of_row = np.zeros(table.rows, np.int64)
    for head in table.groups:  # numbered again after each column, so that the numbers stay small
        _, of_row = np.unique(of_row * len(head.values) + head.codes, return_inverse=True)
    _, example = np.unique(of_row, return_index=True)
    return _Groups(of_row, example)


def _place_of_period(table: Table, loaded: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each row's period among the loaded ones (n,), -1 if it is not loaded."""
    if table.period is None:
        return np.zeros(table.rows, np.int64)
    place = np.full(len(table.period.periods), -1, np.int64)
    place[loaded] = np.arange(len(loaded))
    return place[table.period.index]


def _extended_head(
    head: HeadColumn,
    period: NDArray[np.int64],
    group: NDArray[np.int64],
    groups: _Groups,
    unused: list[str],
    names: Names,
) -> HeadColumn:
    """Return a head column with the new rows: `period` and `group` (m,) of each."""
    if isinstance(head, PeriodColumn):
        return replace(head, index=np.concatenate([head.index, period.astype(np.int32)]))
    assert isinstance(head, GroupColumn)
    first = len(head.values)
    of_group = np.concatenate([head.codes[groups.example], np.arange(first, first + len(unused))])
    return replace(
        head,
        known=np.concatenate([head.codes, of_group[group].astype(np.int32)]),
        values=(*head.values, *unused),
        labels=(*head.labels, *(names.label(head.dimension, value) for value in unused)),
        group=None,
    )


def _extended_figures(table: Table, dataset: Dataset, rows: int, identity: RowIdentity) -> Iterator[FigureColumn]:
    for column in table.figures:
        value = _of_nothing(dataset, dataset.column(column.name), column)
        figures = column.figures
        more = np.full(rows, 0 if value is None else value, figures.values.dtype)
        missing = np.concatenate([missing_mask(figures), np.full(rows, value is None)])
        extended = NumberColumn(np.concatenate([figures.values, more]), missing if missing.any() else None)
        origin = None if column.origin is None else column.origin.followed_by(len(column.figures), rows)
        yield replace(column, figures=extended, identity=identity, origin=origin)


def _of_nothing(dataset: Dataset, figure: Figure, column: FigureColumn) -> Number | None:
    """Return the figure of no usage: 0 for a sum; None for a level, a quotient, cost, and what no answer had."""
    if column.origin is not None and has_costs(dataset):
        return None
    if figure.statistic is not None or (len(column.figures) and missing_mask(column.figures).all()):
        return None
    sums: dict[str, Number | None] = {}
    for name in figure.needs():
        metric = dataset.metric(name)
        zero: Number = Decimal(0) if metric.kind is Kind.DECIMAL else 0
        sums[name] = None if metric.aggregation is Aggregation.LEVEL else zero
    return figure.compute_one(sums)
