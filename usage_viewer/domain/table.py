"""Defines `Table`, the columns that answer a view, and the order of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.domain.column import Alignment, Column, HeadColumn
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.columns import FigureColumn, GroupColumn, PeriodColumn
from usage_viewer.domain.row_order import RowOrder, natural, sort_by
from usage_viewer.domain.view_parts import SortKey

__all__ = [
    "EMPTY",
    "Alignment",
    "Column",
    "ColumnKey",
    "FigureColumn",
    "GroupColumn",
    "HeadColumn",
    "PeriodColumn",
    "Table",
    "is_money",
]


@dataclass(frozen=True)
class Table:
    """Holds the answer to a view: columns of n rows each, in the order of the header; every key is unique.

    `group_rank` (n,), where it is known: the place of each row's group in the natural order of all groups.
    """

    columns: tuple[Column, ...]
    rows: int
    group_rank: NDArray[np.int32] | None = None

    @cached_property
    def by_key(self) -> Mapping[ColumnKey, Column]:
        """The columns by their keys."""
        return {column.key: column for column in self.columns}

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns with plain keys, by name: without those of a pivot or a comparison."""
        return {column.name: column for column in self.columns if column.key.is_plain}

    @cached_property
    def figures(self) -> tuple[FigureColumn, ...]:
        """The columns of figures, in the order of the header."""
        return tuple(column for column in self.columns if isinstance(column, FigureColumn))

    @cached_property
    def groups(self) -> tuple[GroupColumn, ...]:
        """The columns of dimensions, in the order of the header."""
        return tuple(column for column in self.columns if isinstance(column, GroupColumn))

    @cached_property
    def period(self) -> PeriodColumn | None:
        """The column of periods; None for a total."""
        return next((column for column in self.columns if isinstance(column, PeriodColumn)), None)

    @cached_property
    def heads(self) -> tuple[HeadColumn, ...]:
        """The columns that identify a row: the period, if there is one, and the groups."""
        return tuple(column for column in self.columns if isinstance(column, PeriodColumn | GroupColumn))

    def figure(self, column: ColumnKey | str) -> FigureColumn:
        """Return the column of a figure. Raises KeyError."""
        return self._figures_by_key[ColumnKey.of(column)]

    def find_figure(self, column: ColumnKey | str) -> FigureColumn | None:
        """Return the column of a figure, None if there is none with this key."""
        return self._figures_by_key.get(ColumnKey.of(column))

    @cached_property
    def _figures_by_key(self) -> Mapping[ColumnKey, FigureColumn]:
        return {column.key: column for column in self.figures}

    def ordered(self, order: Sequence[SortKey]) -> RowOrder:
        """Return the rows sorted by `order`, its first key first; ties are in natural order, missing values last.

        Keys of columns that the table doesn't have are ignored.
        """
        rows = self._natural
        for key in reversed(order):
            column = self.by_key.get(key.column)
            for values, descends in () if column is None else column.sort_passes(descending=key.descending):
                rows = sort_by(rows, values, descending=descends)
        return np.arange(self.rows, dtype=np.int64) if rows is None else rows

    def round_amounts(self) -> None:
        """Compute the shown cents of all amounts now: call it in a worker, so that no paint waits for them."""
        for column in self.figures:
            if column.shown is not None:
                _ = column.shown.more_decimals

    @cached_property
    def _natural(self) -> RowOrder | None:
        """The rows by period and then by group; None if they are in this order already."""
        if self.group_rank is None:
            return natural([head.sort_key() for head in self.heads])
        return natural([*(() if self.period is None else (self.period.index,)), self.group_rank])


def is_money(column: Column) -> bool:
    """Report whether a column has amounts of money, or amounts for one unit."""
    return isinstance(column, FigureColumn) and (column.unit == MONEY or column.kind is Kind.PRICE)


EMPTY = Table((), 0)
