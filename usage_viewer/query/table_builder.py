"""Builds the table of a view from summed facts: filters, groups, computes figures, totals and units."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset, Figure, Metric
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import EXACT, Number, NumberColumn
from usage_viewer.domain.metrics import UnitPrice
from usage_viewer.domain.money_origin import is_money, origin_of
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_order import natural
from usage_viewer.domain.shown_amounts import RowIdentity
from usage_viewer.domain.table import FigureColumn, GroupColumn, HeadColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.aggregate import FactRows, aggregate, missing_mask, normalize_decimal
from usage_viewer.query.dimension_index import DimensionIndex, Groups
from usage_viewer.query.levels import LevelStatistics
from usage_viewer.query.plan import FactSums

Units = Mapping[str, Sequence[Value]]
"""Units of each metric that has a unit dimension, among the rows that pass the filters."""


def build_table(view: ViewState, coverage: Coverage, sums: FactSums, names: Names) -> Table:
    """Build the table of a view, in no particular order of rows.

    `sums` has each period and combination once. Where figures of different units would be added, the unit becomes
    one more column of the grouping; where they would be added to a total, the total is missing. A view without
    periods and grouping has one row as soon as any bucket is stored; otherwise, periods and groups without facts
    have no row.
    """
    index, rows = sums.index, sums.rows
    matches = index.matching(view, names)
    last_period = last_level_period(view.dataset, rows)
    if not matches.all():
        rows = rows.take(matches[rows.cell])
    units = units_of(view.dataset, rows, index)
    grouping = with_units(view, units)
    groups = index.groups(grouping, matches)
    heads = group_columns(view.dataset, grouping, groups, index, names)
    order = natural([head.sort_key() for head in heads])
    if order is not None:
        groups = groups.renumbered(order)
        heads = [replace(head, known=head.known[order]) for head in heads]
    rows = _sum_groups(rows, groups, int(matches.sum()), len(coverage.periods))
    if not len(rows) and not grouping and view.per is Granularity.TOTAL and coverage.stored:
        rows = _empty_row(rows)
    head_columns: list[HeadColumn] = []
    if view.per is not Granularity.TOTAL:
        head_columns.append(PeriodColumn(rows.period, coverage.periods))
    if heads:
        occurs = np.zeros(len(groups), np.bool_)
        occurs[rows.cell] = True
        head_columns += [replace(only_occurring(head, occurs), group=rows.cell) for head in heads]
    levels = None if sums.levels is None else LevelStatistics(sums.levels, groups.group_of)
    with localcontext(EXACT):
        builder = _FigureColumns(view, rows, units, last_period, levels, sums.unpriced)
        figures = builder.build(RowIdentity(head_columns))
    return Table((*head_columns, *figures), len(rows), rows.cell)


def last_level_period(dataset: Dataset, rows: FactRows) -> int:
    """Return the last period in which any level has a figure, before filters apply; -1 for none.

    The total of a level is its sum in that period.
    """
    last = -1
    for name, column in rows.metrics.items():
        if dataset.metric(name).aggregation is Aggregation.LEVEL:
            period = rows.period if column.missing is None else rows.period[~column.missing]
            last = max(last, int(period.max(initial=-1)))
    return last


def with_units(view: ViewState, units: Units) -> tuple[str, ...]:
    """Return the grouping, extended by each unit dimension whose different units would be added."""
    mixed = {view.dataset.metric(name).unit_from for name in units if len(units[name]) > 1}
    added = mixed - set(view.dimensions)
    return (*view.grouping, *(item.name for item in view.dataset.dimensions if item.name in added))


def _sum_groups(rows: FactRows, groups: Groups, matching: int, periods: int) -> FactRows:
    """Return one row for each period and group; `matching` is how many combinations the groups have."""
    rows = rows.with_cells(groups.group_of[rows.cell])
    if len(groups) == matching:
        return rows  # each combination is a group of its own, so that nothing needs to be added
    return aggregate(rows, periods, max(1, len(groups)))


def _empty_row(rows: FactRows) -> FactRows:
    """Return one row in which every figure is missing."""
    zero = np.zeros(1, np.int32)
    return FactRows(
        zero,
        zero,
        {
            name: NumberColumn(np.zeros(1, column.values.dtype), np.ones(1, np.bool_))
            for name, column in rows.metrics.items()
        },
    )


def units_of(dataset: Dataset, rows: FactRows, index: DimensionIndex) -> Units:
    """Return the units of each metric that has a unit dimension."""
    units: dict[str, Sequence[Value]] = {}
    for name, column in rows.metrics.items():
        metric = dataset.metric(name)
        if metric.unit_from:
            cells = rows.cell if column.missing is None else rows.cell[~column.missing]
            values = index.values(metric.unit_from)
            codes = np.unique(index.column(metric.unit_from)[cells])
            units[name] = [values[code] for code in codes.tolist()]
    return units


def group_columns(
    dataset: Dataset, grouping: Sequence[str], groups: Groups, index: DimensionIndex, names: Names
) -> list[GroupColumn]:
    """Return a column for each dimension of the grouping, with one code for each group."""
    columns = []
    for name in grouping:
        dimension = dataset.dimension(name)
        used, codes = np.unique(index.column(name)[groups.example], return_inverse=True)
        all_values = index.values(name)
        values = tuple(all_values[code] for code in used.tolist())
        labels = tuple(names.label(dimension, value) for value in values)
        columns.append(GroupColumn(dimension, codes.astype(np.int32), values, labels))
    return columns


def only_occurring(head: GroupColumn, occurs: NDArray[np.bool_]) -> GroupColumn:
    """Return the column with only the values of groups that occur; `occurs` is (groups,)."""
    used, codes = np.unique(head.known[occurs], return_inverse=True)
    if len(used) == len(head.values):
        return head
    known = np.zeros(len(occurs), np.int32)
    known[occurs] = codes
    chosen = used.tolist()
    values, labels = ([items[code] for code in chosen] for items in (head.values, head.labels))
    return replace(head, known=known, values=tuple(values), labels=tuple(labels))


class _FigureColumns:
    """Builds the columns of the view's figures over `rows`, and their totals."""

    def __init__(
        self,
        view: ViewState,
        rows: FactRows,
        units: Units,
        last: int,
        levels: LevelStatistics | None,
        unpriced: NDArray[np.bool_] | None,
    ) -> None:
        """`last`: the last period with facts, in which the total of a level is read; `unpriced`: see `FactSums`."""
        self._unpriced = unpriced
        self._dataset, self._rows, self._units = view.dataset, rows, units
        self._figures = [view.dataset.column(name) for name in view.shown_columns]
        self._sums = {name: tidy(figures) for name, figures in rows.metrics.items()}
        self._totals = {name: self._total(view.dataset.metric(name), last) for name in self._sums}
        if levels is not None:
            self._add_figures_over_time(levels)

    def build(self, identity: RowIdentity) -> list[FigureColumn]:
        return [self._column(figure, identity) for figure in self._figures]

    def _total(self, metric: Metric, last: int) -> Number | None:
        if self._has_many_units(metric.name):
            return None
        figures = self._sums[metric.name]
        if metric.aggregation is Aggregation.LEVEL:
            figures = figures.take(np.flatnonzero(self._rows.period == last))
        total = figures.total()
        return normalize_decimal(total) if isinstance(total, Decimal) else total

    def _add_figures_over_time(self, levels: LevelStatistics) -> None:
        shown = {figure.name for figure in self._figures}
        for item in self._dataset.over_time:
            if item.name in shown:
                self._sums[item.name] = tidy(levels.column(item, self._rows))
                self._totals[item.name] = None if self._has_many_units(item.level) else levels.total(item)

    def _has_many_units(self, metric: str) -> bool:
        return len(self._units.get(metric, ())) > 1

    def _column(self, figure: Figure, identity: RowIdentity) -> FigureColumn:
        measure, unit_from = measure_of(self._dataset, figure.measured, self._units)
        figures, total = figure.compute(self._sums), figure.compute_one(self._totals)
        if self._unpriced is not None and self._unpriced.any() and isinstance(figure, UnitPrice):
            figures = replace(figures, missing=missing_mask(figures) | self._unpriced[self._rows.period])
            total = None
        column = FigureColumn.build(figure, figures, total, measure=measure, unit_from=unit_from, identity=identity)
        if not is_money(self._dataset, figure):
            return column
        return replace(column, origin=origin_of(self._dataset, figure, figures, self._sums))


def measure_of(dataset: Dataset, metric: str, units: Units) -> tuple[str, str]:
    """Return the unit that all rows share, or the dimension with the unit of each row; "" if unknown."""
    if not metric or not dataset.metric(metric).unit_from:
        return "", ""
    item, own = dataset.metric(metric), units.get(metric, ())
    if len(own) > 1:
        return "", item.unit_from
    return item.measure_text(own[0] if own else None), ""


def tidy(figures: NumberColumn) -> NumberColumn:
    """Return the figures with decimals that have no trailing zeros. Call within the context EXACT."""
    if figures.values.dtype != np.object_:
        return figures
    missing = missing_mask(figures)
    values = [
        value if gone or isinstance(value, int) else normalize_decimal(value)
        for value, gone in zip(figures.values.tolist(), missing.tolist(), strict=True)
    ]
    tidied = np.empty(len(values), np.object_)
    tidied[:] = values
    return NumberColumn(tidied, figures.missing)
