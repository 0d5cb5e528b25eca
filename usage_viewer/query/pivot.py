"""Builds the table of a view with a pivot: one figure in a column for each period or value, with totals."""

from dataclasses import replace
from decimal import localcontext

import numpy as np

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import EXACT, NumberColumn
from usage_viewer.domain.names import Names
from usage_viewer.domain.row_order import natural
from usage_viewer.domain.shown_amounts import RowIdentity
from usage_viewer.domain.table import FigureColumn, GroupColumn, HeadColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD
from usage_viewer.query.pivot_across import periods_across, values_across
from usage_viewer.query.pivot_cells import PivotCells, cells_by_period, cells_by_value
from usage_viewer.query.pivot_figures import PivotFigures
from usage_viewer.query.plan import FactSums
from usage_viewer.query.table_builder import group_columns, last_level_period, only_occurring, units_of, with_units


def build_pivot(view: ViewState, coverage: Coverage, sums: FactSums, names: Names) -> Table:
    """Build the table of a view with a pivot, in no particular order of rows.

    Each cell is the figure that the flat table has in a row, computed from the sums of its own facts, and so are
    the totals: a share is never the sum or the mean of shares. At most `MOST_COLUMNS` periods or values have a
    column; the rest is one more, with its exact figures. Units are treated as in the flat table. The column of the
    rows' totals has the plain key of the figure.
    """
    assert view.pivot is not None
    index, rows, periods = sums.index, sums.rows, len(coverage.periods)
    matches = index.matching(view, names)
    last = last_level_period(view.dataset, rows)
    everything, rows = rows, rows if matches.all() else rows.take(matches[rows.cell])
    units = units_of(view.dataset, rows, index)
    grouping = with_units(view, units)
    groups = index.groups(grouping, matches)
    heads = group_columns(view.dataset, grouping, groups, index, names)
    order = natural([head.sort_key() for head in heads])
    if order is not None:
        groups = groups.renumbered(order)
        heads = [replace(head, known=head.known[order]) for head in heads]
    with localcontext(EXACT):
        if view.pivot.by == PERIOD:
            across = periods_across(view, everything, coverage)
            cells = cells_by_period(view.dataset, rows, groups, across, last)
        else:
            across = values_across(view, rows, index, names)
            cells = cells_by_value(rows, groups, across, periods, last)
        head_columns = _head_columns(view, coverage, heads, cells)
        figures = PivotFigures(view, units, cells, across, sums.levels, groups.group_of, sums.unpriced)
        columns = figures.build(RowIdentity(head_columns))
    if not cells.rows and not head_columns and coverage.stored:
        return Table(tuple(_without_usage(column) for column in columns), 1)
    return Table((*head_columns, *columns), cells.rows, cells.group_of_row)


def _head_columns(
    view: ViewState, coverage: Coverage, heads: list[GroupColumn], cells: PivotCells
) -> list[HeadColumn]:
    columns: list[HeadColumn] = []
    if view.has_period_rows:
        columns.append(PeriodColumn(cells.period_of_row, coverage.periods))
    if heads:
        occurs = np.zeros(len(heads[0].known), np.bool_)
        occurs[cells.group_of_row] = True
        columns += [replace(only_occurring(head, occurs), group=cells.group_of_row) for head in heads]
    return columns


def _without_usage(column: FigureColumn) -> FigureColumn:
    """Return the column with one row, which has no figure."""
    return replace(column, figures=NumberColumn(np.zeros(1, column.figures.values.dtype), np.ones(1, np.bool_)))
