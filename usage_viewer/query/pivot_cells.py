"""Adds up the facts of each cell of a pivot, and numbers the rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.row_order import natural
from usage_viewer.query.aggregate import FactRows, aggregate, missing_mask
from usage_viewer.query.dimension_index import Groups
from usage_viewer.query.pivot_across import Across

Codes = NDArray[np.int32]
_DENSEST = 16
"""Possible rows for each cell up to which rows are numbered without sorting them."""


@dataclass(frozen=True)
class PivotCells:
    """Holds the sums of the m cells that have facts, and where they are.

    `facts` are the cells as rows of the flat table: by period and number of a flat group; `flat_of` (combinations,)
    is the flat group of each combination. `row` (m,) and `column` (m,) are the place of each; `period_of_row` and
    `group_of_row` (rows,) describe the rows. `counted` (m,) marks the cells whose levels are in a total over time.
    """

    facts: FactRows
    flat_of: Codes
    row: NDArray[np.int64]
    column: Codes
    period_of_row: Codes
    group_of_row: Codes
    counted: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.group_of_row)


def cells_by_period(dataset: Dataset, rows: FactRows, groups: Groups, across: Across, last: int) -> PivotCells:
    """Return the cells of a pivot with periods across; `last`: the last period with levels, -1 for none."""
    assert across.of_period is not None
    if across.others >= 0:
        is_counted = (across.of_period[rows.period] != across.others) | (rows.period == across.others_level)
        rows = without_levels(rows, dataset, is_counted)
    count = max(1, len(groups))
    facts = _sum_facts(
        FactRows(across.of_period[rows.period], groups.group_of[rows.cell], rows.metrics), len(across), count
    )
    row, first = _number_rows(facts.cell.astype(np.int64))
    counted = facts.period == (across.of_period[last] if last >= 0 else -1)
    no_period = np.zeros(len(first), np.int32)
    return PivotCells(facts, groups.group_of, row, facts.period, no_period, facts.cell[first], counted)


def cells_by_value(rows: FactRows, groups: Groups, across: Across, periods: int, last: int) -> PivotCells:
    """Return the cells of a pivot with values of a dimension across; `periods` is how many the view has."""
    assert across.of_combination is not None
    columns = max(1, len(across))
    used = (groups.group_of >= 0) & (across.of_combination >= 0)
    pairs = groups.group_of[used].astype(np.int64) * columns + across.of_combination[used]
    pair_of, numbers = np.unique(pairs, return_inverse=True)
    flat_of = np.full(len(groups.group_of), -1, np.int32)
    flat_of[used] = numbers
    rows = rows.with_cells(flat_of[rows.cell])
    if len(pair_of) == len(numbers):  # each combination is a cell of its own: nothing is added
        order = natural([rows.period, rows.cell])
        facts = rows if order is None else rows.take(order)
    else:
        facts = _sum_facts(rows, periods, max(1, len(pair_of)))
    # Few pairs are divided, not every cell.
    group, column = (part.astype(np.int32)[facts.cell] for part in np.divmod(pair_of, columns))
    row, first = _number_runs(facts.period, group)
    return PivotCells(facts, flat_of, row, column, facts.period[first], group[first], facts.period == last)


def without_levels(rows: FactRows, dataset: Dataset, counted: NDArray[np.bool_]) -> FactRows:
    """Return the rows without the levels of those that are not counted: a level does not add up over time."""
    metrics = {
        name: NumberColumn(column.values, missing_mask(column) | ~counted)
        if dataset.metric(name).aggregation is Aggregation.LEVEL
        else column
        for name, column in rows.metrics.items()
    }
    return FactRows(rows.period, rows.cell, metrics)


def _sum_facts(rows: FactRows, periods: int, cells: int) -> FactRows:
    """Return the exact sums by period and cell, ordered by both."""
    key = rows.period.astype(np.int64) * cells + rows.cell
    return rows if bool((key[1:] > key[:-1]).all()) else aggregate(rows, periods, cells)


def _number_runs(period: Codes, group: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each run of cells with one period and group (m,), and where each run begins."""
    begins = np.ones(len(period), np.bool_)
    np.not_equal(period[1:], period[:-1], out=begins[1:])
    begins[1:] |= group[1:] != group[:-1]
    return np.cumsum(begins) - 1, np.flatnonzero(begins)


def _number_rows(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each key among the distinct ones, which ascend (m,), and a place of each of those."""
    largest = int(key.max(initial=0))
    if largest > _DENSEST * len(key):
        _, first, row = np.unique(key, return_index=True, return_inverse=True)
        return row.astype(np.int64), first
    place = np.full(largest + 1, -1, np.int64)
    place[key] = np.arange(len(key))
    first = place[place >= 0]
    place[key[first]] = np.arange(len(first))
    return place[key], first
