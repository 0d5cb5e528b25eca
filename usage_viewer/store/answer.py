"""From summed facts to the table that a view shows: filtered, grouped, derived, with totals and units apart."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.datasets import Aggregation, Dataset, Derived, Metric
from usage_viewer.domain.figures import Figures, Number, derive, derive_one, parts_of
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Per
from usage_viewer.domain.tables import Column, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.store.combinations import Combinations, Groups
from usage_viewer.store.gather import EXACT, Rows, gather, missing_of, plain


def metrics_needed(view: ViewState) -> tuple[str, ...]:
    """The metrics of shown columns and the parts of shown derived ones, in the dataset's order."""
    wanted: set[str] = set()
    for name in view.shown_columns:
        column = view.data.column(name)
        wanted |= set(parts_of(column)) if isinstance(column, Derived) else {name}
    return tuple(metric.name for metric in view.data.metrics if metric.name in wanted)


def tabulate(view: ViewState, coverage: Coverage, facts: Rows, combinations: Combinations, names: Names) -> Table:
    """`facts`: each period and combination once, `cell` being the combination."""
    passing = combinations.passing(view, names)
    if not passing.all():
        facts = facts.take(passing[facts.cell])
    mixed = _mixed_units(view, facts, combinations)
    units = (view.data.column(name) for name in mixed)
    added = {unit.unit_from for unit in units if isinstance(unit, Metric)} - set(view.grouping)
    grouping = (*view.grouping, *(item.name for item in view.data.dimensions if item.name in added))
    groups = combinations.groups(grouping, passing)
    rows = _grouped(facts, groups, int(passing.sum()), len(coverage.periods))
    if not len(rows) and not grouping and view.per is Per.TOTAL and coverage.held:
        rows = _one_row_of_nothing(rows)
    columns: list[Column] = []
    if view.per is not Per.TOTAL:
        columns.append(PeriodColumn(rows.period, coverage.periods))
    columns += _group_columns(view.data, grouping, rows.cell, groups, combinations, names)
    with localcontext(EXACT):
        columns += _figure_columns(view, rows, mixed, _last_period(coverage))
    return Table(tuple(columns), len(rows))


def _grouped(facts: Rows, groups: Groups, passing: int, periods: int) -> Rows:
    """One row for each period and group."""
    rows = facts.relabelled(groups.of[facts.cell])
    if len(groups) == passing:
        return rows  # each combination is a group of its own: nothing is to be added
    return gather(rows, periods, max(1, len(groups)))


def _one_row_of_nothing(rows: Rows) -> Rows:
    one = np.zeros(1, np.int32)
    return Rows(
        one,
        one,
        {
            name: Figures(np.zeros(1, figures.values.dtype), np.ones(1, np.bool_))
            for name, figures in rows.metrics.items()
        },
    )


def _mixed_units(view: ViewState, facts: Rows, combinations: Combinations) -> frozenset[str]:
    """The metrics needed whose figures, as far as they pass, are in more than one unit."""
    mixed = set()
    for name, figures in facts.metrics.items():
        metric = view.data.column(name)
        if not isinstance(metric, Metric) or not metric.unit_from:
            continue
        cells = facts.cell if figures.missing is None else facts.cell[~figures.missing]
        if len(np.unique(combinations.column(metric.unit_from)[cells])) > 1:
            mixed.add(name)
    return frozenset(mixed)


def _group_columns(
    dataset: Dataset,
    grouping: Sequence[str],
    cell: NDArray[np.int32],
    groups: Groups,
    combinations: Combinations,
    names: Names,
) -> list[GroupColumn]:
    """Only the values that occur are in a column."""
    if not grouping:
        return []
    occurs = np.zeros(len(groups), np.bool_)
    occurs[cell] = True
    wide = cell.astype(np.intp)  # what indexing takes without a conversion of its own
    columns = []
    for name in grouping:
        dimension = dataset.dimension(name)
        code = combinations.column(name)[groups.example]
        used, place = np.unique(code[occurs], return_inverse=True)
        local = np.zeros(len(groups), np.int32)
        local[occurs] = place
        known = combinations.values(name)
        values = tuple(known[index] for index in used.tolist())
        labels = tuple(names.label(dimension, value) for value in values)
        columns.append(GroupColumn(dimension, local.take(wide), values, labels))
    return columns


def _last_period(coverage: Coverage) -> int:
    """The period of the last bucket that is held; -1 where none is."""
    last = max((segment.end - segment.width.seconds for segment in coverage.read), default=None)
    if last is None:
        return -1
    return int(np.searchsorted(coverage.periods.bounds, last, side="right")) - 1


def _figure_columns(view: ViewState, rows: Rows, mixed: frozenset[str], last: int) -> list[FigureColumn]:
    data = view.data
    sums = {name: _tidy(figures) for name, figures in rows.metrics.items()}
    totals: dict[str, Number | None] = {}
    for name, figures in sums.items():
        metric = data.column(name)
        assert isinstance(metric, Metric)
        level = metric.aggregation is Aggregation.LEVEL
        counted = figures.take(np.flatnonzero(rows.period == last)) if level else figures
        total = None if name in mixed else counted.total()
        totals[name] = plain(total) if isinstance(total, Decimal) else total
    return [_figure_column(data, name, sums, totals) for name in view.shown_columns]


def _figure_column(
    data: Dataset, name: str, sums: Mapping[str, Figures], totals: Mapping[str, Number | None]
) -> FigureColumn:
    column = data.column(name)
    if isinstance(column, Derived):
        figures, total = derive(column, sums), derive_one(column, totals)
    else:
        figures, total = sums[name], totals[name]
    return FigureColumn(column.name, column.label, column.unit, column.kind, figures, total, column.help)


def _tidy(figures: Figures) -> Figures:
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
    return Figures(tidied, figures.missing)
