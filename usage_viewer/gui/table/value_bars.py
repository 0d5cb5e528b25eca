"""Defines `ValueBars`, the lengths of the bars behind one column's figures."""

from collections.abc import Sequence
from functools import cached_property

from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view_parts import SortKey


class ValueBars:
    """Compares each figure of a column with the largest one."""

    def __init__(self, column: FigureColumn) -> None:
        self._column = column

    @property
    def key(self) -> ColumnKey:
        """The key of the column with the bars."""
        return self._column.key

    @cached_property
    def longest(self) -> float:
        """The value whose bar fills a cell: 1 for a share, else the largest figure."""
        present = self._column.figures.present()
        return 1.0 if self._column.kind is Kind.SHARE else float(present.max()) if len(present) else 0.0

    def length(self, row: int) -> float:
        """Return the length of a row's bar, 0 to 1."""
        value = self._column.figures.at(row)
        if value is None or value <= 0 or self.longest <= 0:
            return 0.0
        return min(float(value) / self.longest, 1.0)

    def share_of_total(self, row: int) -> float | None:
        """Return the row's share of the column's total; None if the figures don't add up to one, or are changes."""
        if self._column.key.change is not None:  # increases and decreases are no parts of their sum
            return None
        value, total = self._column.figures.at(row), self._column.total
        if value is None or not total or self._column.kind not in (Kind.COUNT, Kind.DECIMAL):
            return None
        return float(value) / float(total)


def find_bars(table: Table, order: Sequence[SortKey]) -> ValueBars | None:
    """Return the bars of the first figure that the rows are sorted by."""
    columns = (table.find_figure(key.column) for key in order)
    return next((ValueBars(column) for column in columns if column is not None), None)
