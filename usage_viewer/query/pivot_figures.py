"""Builds the columns of a pivot and its totals, each computed from the sums of its own facts."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.metrics import OverTime, UnitPrice
from usage_viewer.domain.period import Periods
from usage_viewer.domain.row_order import stable_order
from usage_viewer.domain.shown_amounts import RowIdentity
from usage_viewer.domain.sparse_column import SparseColumn
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import FactRows, missing_mask, normalize_decimal, sum_column
from usage_viewer.query.levels import BucketLevels, LevelStatistics
from usage_viewer.query.pivot_across import Across
from usage_viewer.query.pivot_cells import PivotCells, without_levels
from usage_viewer.query.table_builder import Units, measure_of, tidy

Codes = NDArray[np.int32]


class PivotFigures:
    """Builds the columns of the view's only figure, and then the column of each row's total.

    `levels` are those of each bucket, if the figure is a mean or a peak; `group_of` (combinations,) is the group of
    each combination, `unpriced` those periods of the view that have no unit price. To be used within the context
    EXACT.
    """

    def __init__(
        self,
        view: ViewState,
        units: Units,
        cells: PivotCells,
        across: Across,
        levels: BucketLevels | None,
        group_of: Codes,
        unpriced: NDArray[np.bool_] | None = None,
    ) -> None:
        self._dataset, self._figure = view.dataset, view.dataset.column(view.shown_columns[0])
        self._units, self._cells, self._across = units, cells, across
        self._by_period = across.periods is not None
        self._levels, self._group_of = levels, group_of
        self._unpriced: NDArray[np.bool_] | None = None  # by period of the cells
        if unpriced is not None and unpriced.any() and isinstance(self._figure, UnitPrice):
            self._unpriced = _by_column(unpriced, across)
        self._over_time = self._figure if isinstance(self._figure, OverTime) else None
        if levels is not None and across.periods is not None:
            self._levels = _in_periods(levels, across.periods)

    def build(self, identity: RowIdentity) -> list[FigureColumn]:
        """Return the columns."""
        total = FigureColumn.build(
            self._figure,
            self._row_totals(),
            self._grand_total(),
            measure=self._measure[0],
            unit_from=self._measure[1],
            identity=identity,
        )
        total = replace(total, label=f"{total.label}, total")
        figures = self._priced(self._figure.compute(self._cell_sums()), self._cells.facts.period)
        places = stable_order(self._cells.column)  # within a column, rows ascend
        counts = np.bincount(self._cells.column, minlength=len(self._across))
        edges = [0, *np.cumsum(counts).tolist()]
        columns = []
        for number, (key, label) in enumerate(zip(self._across.keys, self._across.labels, strict=True)):
            own = places[edges[number] : edges[number + 1]]
            sparse = SparseColumn(self._cells.rows, self._cells.row[own], figures, own)
            columns.append(
                replace(
                    total,
                    key=key,
                    label=label,
                    figures=sparse,
                    total=self._column_total(number),
                    help=self._help(label),
                )
            )
        if self._across.others == 0:  # the earlier periods stand beside the total, as every rest
            columns = [*columns[1:], columns[0]]
        return [*columns, total]

    @property
    def _measure(self) -> tuple[str, str]:
        return measure_of(self._dataset, self._figure.measured, self._units)

    def _help(self, label: str) -> str:
        return f"{self._figure.label} of this column alone: {label}."

    def _has_many_units(self, metric: str) -> bool:
        return len(self._units.get(metric, ())) > 1

    def _priced(self, figures: NumberColumn, period: Codes) -> NumberColumn:
        """Return the figures without the unit prices of periods whose cost is only partly known."""
        if self._unpriced is None:
            return figures
        return replace(figures, missing=missing_mask(figures) | self._unpriced[period])

    # Sums

    def _cell_sums(self) -> dict[str, NumberColumn]:
        sums = {name: tidy(column) for name, column in self._cells.facts.metrics.items()}
        if self._levels is not None and self._over_time is not None:
            statistics = LevelStatistics(self._levels, self._cells.flat_of)
            sums[self._over_time.name] = tidy(statistics.column(self._over_time, self._cells.facts))
        return sums

    def _row_totals(self) -> NumberColumn:
        """Return the figure of each row, (rows,); missing where its cells have different units."""
        cells, dataset = self._cells, self._dataset
        facts = without_levels(cells.facts, dataset, cells.counted) if self._by_period else cells.facts
        sums = {name: tidy(sum_column(column, cells.row, cells.rows)) for name, column in facts.metrics.items()}
        if self._levels is not None and self._over_time is not None:
            levels = _in_one_period(self._levels) if self._by_period else self._levels
            rows = FactRows(cells.period_of_row, cells.group_of_row, {})
            sums[self._over_time.name] = tidy(LevelStatistics(levels, self._group_of).column(self._over_time, rows))
        figures = self._figure.compute(sums)
        if self._unpriced is not None:
            lacking = np.ones(cells.rows, np.bool_) if self._by_period else self._unpriced[cells.period_of_row]
            figures = replace(figures, missing=missing_mask(figures) | lacking)
        unit = self._measure[1]
        if unit and any(key.where is not None and key.where[0] == unit for key in self._across.keys):
            return NumberColumn(figures.values, np.ones(cells.rows, np.bool_))
        return figures

    def _column_totals(self) -> dict[str, NumberColumn]:
        """Return the sums of each column, (columns,)."""
        cells, across = self._cells, self._across
        facts = cells.facts if self._by_period else without_levels(cells.facts, self._dataset, cells.counted)
        slot = cells.column.astype(np.intp)
        sums = {name: tidy(sum_column(column, slot, len(across))) for name, column in facts.metrics.items()}
        item = self._over_time
        if self._levels is None or item is None:
            return sums
        every, zero = np.arange(len(across), dtype=np.int32), np.zeros(len(across), np.int32)
        if across.of_combination is None:
            together = np.where(self._group_of >= 0, 0, -1).astype(np.int32)
            column = LevelStatistics(self._levels, together).column(item, FactRows(every, zero, {}))
        else:
            column_of = np.where(self._group_of >= 0, across.of_combination, -1).astype(np.int32)
            levels = _in_one_period(self._levels)
            column = LevelStatistics(levels, column_of).column(item, FactRows(zero, every, {}))
        return {**sums, item.name: tidy(column)}

    def _column_total(self, number: int) -> Number | None:
        if self._unpriced is not None and (not self._by_period or self._unpriced[number]):
            return None
        if self._totals_by_column is None:
            self._totals_by_column = self._column_totals()
        unit = self._measure[1]
        own_unit = bool(unit) and (self._across.keys[number].where or ("",))[0] == unit
        return self._figure.compute_one(
            {
                name: None if self._has_many_units(name) and not own_unit else column.at(number)
                for name, column in self._totals_by_column.items()
            }
        )

    _totals_by_column: Mapping[str, NumberColumn] | None = None

    def _grand_total(self) -> Number | None:
        if self._unpriced is not None:
            return None
        facts = without_levels(self._cells.facts, self._dataset, self._cells.counted)
        totals: dict[str, Number | None] = {}
        for name, column in facts.metrics.items():
            total = None if self._has_many_units(name) else column.total()
            totals[name] = normalize_decimal(total) if isinstance(total, Decimal) else total
        item = self._over_time
        if self._levels is not None and item is not None:
            statistics = LevelStatistics(self._levels, self._group_of)
            totals[item.name] = None if self._has_many_units(item.level) else statistics.total(item)
        return self._figure.compute_one(totals)


def _by_column(unpriced: NDArray[np.bool_], across: Across) -> NDArray[np.bool_]:
    """Mark the periods of the cells: with periods across, those of the columns."""
    if across.of_period is None:
        return unpriced
    marked = np.zeros(len(across), np.bool_)
    shown = across.of_period < len(across)
    marked[across.of_period[unpriced & shown]] = True
    return marked


def _in_periods(levels: BucketLevels, periods: Periods) -> BucketLevels:
    """Return the same levels of buckets, for other periods of the same range."""
    return replace(levels, coverage=replace(levels.coverage, periods=periods))


def _in_one_period(levels: BucketLevels) -> BucketLevels:
    periods = levels.coverage.periods
    return _in_periods(levels, replace(periods, bounds=periods.bounds[[0, -1]]))
