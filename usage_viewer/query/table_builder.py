"""From summed facts to the table that a view shows: filtered, grouped, derived, with totals and units apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset, Figure, Metric
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_order import natural
from usage_viewer.domain.table import Column, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.query.aggregate import EXACT, FactSums, gather, missing_of, plain
from usage_viewer.query.dimension_index import DimensionIndex, Groups
from usage_viewer.query.levels import Stocks

MONEY = "money"
"""The unit of metrics whose own unit is a currency."""

Units = Mapping[str, Sequence[Value]]
"""For each metric whose answers say their unit: the units that its figures are in, as far as they pass."""


def metrics_needed(view: ViewState) -> tuple[str, ...]:
    """The metrics of shown columns and the parts of shown derived ones, in the dataset's order."""
    wanted = {metric for name in view.shown_columns for metric in view.dataset.column(name).needs()}
    return tuple(metric.name for metric in view.dataset.metrics if metric.name in wanted)


def tabulate(
    view: ViewState,
    coverage: Coverage,
    facts: FactSums,
    combinations: DimensionIndex,
    names: Names,
    levels: FactSums | None = None,
) -> Table:
    """`facts`: each period and combination once, `cell` being the combination; `levels`: the same for each bucket,
    where means and peaks are shown.
    """
    passing = combinations.passing(view, names)
    last = int(facts.period.max(initial=-1))
    if not passing.all():
        facts = facts.take(passing[facts.cell])
    units = _units(view, facts, combinations)
    grouping = _with_units(view, units)
    groups = combinations.groups(grouping, passing)
    heads = _group_columns(view.dataset, grouping, groups, combinations, names)
    order = natural([head.sort_key() for head in heads])
    if order is not None:
        groups = groups.in_order(order)
        heads = [replace(head, known=head.known[order]) for head in heads]
    rows = _grouped(facts, groups, int(passing.sum()), len(coverage.periods))
    if not len(rows) and not grouping and view.per is Granularity.TOTAL and coverage.held:
        rows = _one_row_of_nothing(rows)
    columns: list[Column] = []
    if view.per is not Granularity.TOTAL:
        columns.append(PeriodColumn(rows.period, coverage.periods))
    if heads:
        seen = np.zeros(len(groups), np.bool_)
        seen[rows.cell] = True
        columns += [replace(_occurring(head, seen), group=rows.cell) for head in heads]
    stocks = None if levels is None else Stocks(coverage, levels, groups.of)
    with localcontext(EXACT):
        columns += _FigureColumns(view, rows, units, last, stocks).build()
    return Table(tuple(columns), len(rows), rows.cell)


def _with_units(view: ViewState, units: Units) -> tuple[str, ...]:
    """The grouping, and the unit wherever different ones would be added."""
    mixed = {view.dataset.metric(name).unit_from for name in units if len(units[name]) > 1}
    added = mixed - set(view.grouping)
    return (*view.grouping, *(item.name for item in view.dataset.dimensions if item.name in added))


def _grouped(facts: FactSums, groups: Groups, passing: int, periods: int) -> FactSums:
    """One row for each period and group."""
    rows = facts.relabelled(groups.of[facts.cell])
    if len(groups) == passing:
        return rows  # each combination is a group of its own: nothing is to be added
    return gather(rows, periods, max(1, len(groups)))


def _one_row_of_nothing(rows: FactSums) -> FactSums:
    one = np.zeros(1, np.int32)
    return FactSums(
        one,
        one,
        {
            name: NumberColumn(np.zeros(1, figures.values.dtype), np.ones(1, np.bool_))
            for name, figures in rows.metrics.items()
        },
    )


def _units(view: ViewState, facts: FactSums, combinations: DimensionIndex) -> Units:
    units: dict[str, Sequence[Value]] = {}
    for name, figures in facts.metrics.items():
        metric = view.dataset.metric(name)
        if metric.unit_from:
            cells = facts.cell if figures.missing is None else facts.cell[~figures.missing]
            known = combinations.values(metric.unit_from)
            codes = np.unique(combinations.column(metric.unit_from)[cells])
            units[name] = [known[code] for code in codes.tolist()]
    return units


def _group_columns(
    dataset: Dataset, grouping: Sequence[str], groups: Groups, combinations: DimensionIndex, names: Names
) -> list[GroupColumn]:
    """Of each group the code of its value."""
    columns = []
    for name in grouping:
        dimension = dataset.dimension(name)
        used, place = np.unique(combinations.column(name)[groups.example], return_inverse=True)
        known = combinations.values(name)
        values = tuple(known[index] for index in used.tolist())
        labels = tuple(names.label(dimension, value) for value in values)
        columns.append(GroupColumn(dimension, place.astype(np.int32), values, labels))
    return columns


def _occurring(head: GroupColumn, seen: NDArray[np.bool_]) -> GroupColumn:
    """Only with the values of groups that are seen."""
    used, place = np.unique(head.known[seen], return_inverse=True)
    if len(used) == len(head.values):
        return head
    known = np.zeros(len(seen), np.int32)
    known[seen] = place
    chosen = used.tolist()
    values, labels = ([every[code] for code in chosen] for every in (head.values, head.labels))
    return replace(head, known=known, values=tuple(values), labels=tuple(labels))


class _FigureColumns:
    """Builds the columns of the view's figures over `rows`, and their totals."""

    def __init__(self, view: ViewState, rows: FactSums, units: Units, last: int, stocks: Stocks | None) -> None:
        """`last`: the last period with facts, in which the total of a level is read."""
        self._dataset, self._rows, self._units = view.dataset, rows, units
        self._figures = [view.dataset.column(name) for name in view.shown_columns]
        self._sums = {name: _tidy(figures) for name, figures in rows.metrics.items()}
        self._totals = {name: self._total(view.dataset.metric(name), last) for name in self._sums}
        if stocks is not None:
            self._add_figures_over_time(stocks)

    def build(self) -> list[FigureColumn]:
        return [self._column(figure) for figure in self._figures]

    def _total(self, metric: Metric, last: int) -> Number | None:
        if self._has_many_units(metric.name):
            return None
        figures = self._sums[metric.name]
        if metric.aggregation is Aggregation.LEVEL:
            figures = figures.take(np.flatnonzero(self._rows.period == last))
        total = figures.total()
        return plain(total) if isinstance(total, Decimal) else total

    def _add_figures_over_time(self, stocks: Stocks) -> None:
        shown = {figure.name for figure in self._figures}
        for item in self._dataset.over_time:
            if item.name in shown:
                self._sums[item.name] = _tidy(stocks.column(item, self._rows))
                self._totals[item.name] = None if self._has_many_units(item.level) else stocks.total(item)

    def _has_many_units(self, metric: str) -> bool:
        return len(self._units.get(metric, ())) > 1

    def _column(self, figure: Figure) -> FigureColumn:
        measure, unit_from = self._measure(figure.measured)
        figures, total = figure.compute(self._sums), figure.compute_one(self._totals)
        return FigureColumn.build(figure, figures, total, measure=measure, unit_from=unit_from)

    def _measure(self, metric: str) -> tuple[str, str]:
        """Return the unit that all rows share, or the dimension with the unit of each row; "" if unknown."""
        if not metric or not self._dataset.metric(metric).unit_from:
            return "", ""
        item, units = self._dataset.metric(metric), self._units.get(metric, ())
        if len(units) > 1:
            return "", item.unit_from
        measure = (units[0] or "") if units else ""
        return measure.upper() if item.unit == MONEY else measure, ""


def _tidy(figures: NumberColumn) -> NumberColumn:
    """Decimals without trailing zeros."""
    if figures.values.dtype != np.object_:
        return figures
    missing = missing_of(figures)
    values = [
        value if gone or isinstance(value, int) else plain(value)
        for value, gone in zip(figures.values.tolist(), missing.tolist(), strict=True)
    ]
    tidied = np.empty(len(values), np.object_)
    tidied[:] = values
    return NumberColumn(tidied, figures.missing)
