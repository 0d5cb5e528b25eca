"""Computes the totals of exported rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.selection_stats import selection_stats
from usage_viewer.domain.table import Column, FigureColumn, Table


@dataclass(frozen=True)
class Totals:
    """Holds the label of the totals row and the total of each figure; None where there is none."""

    label: str
    numbers: Mapping[ColumnKey, Number | None]

    def of(self, column: Column) -> NumberColumn:
        """Return the total of a column as a column of one row."""
        number = self.numbers.get(column.key)
        value = 0 if number is None else number
        values = np.array([value], np.float64 if isinstance(value, float) else np.object_)
        return NumberColumn(values, np.array([number is None]))


def totals_of(table: Table, rows: RowOrder, dataset: Dataset, coverage: Coverage | None = None) -> Totals:
    """Return the totals of some rows of a table; `coverage` tells if data is missing.

    A quotient's total is the quotient of the sums.
    """
    every = len(rows) == table.rows
    noun = "row" if len(rows) == 1 else "rows"
    label = f"Total of {len(rows):,} {noun if every else f'selected {noun}'}"
    if coverage is not None and not coverage.complete:
        label += f" ({coverage.summary})"
    return Totals(
        label,
        {column.key: column.total if every else _total(column, table, rows, dataset) for column in table.figures},
    )


def _total(column: FigureColumn, table: Table, rows: RowOrder, dataset: Dataset) -> Number | None:
    stats = selection_stats(table, rows, [(0, len(rows) - 1)], column.key, dataset)
    return stats.average if column.kind.is_quotient else stats.total
