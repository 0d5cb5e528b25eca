"""Defines `TablePlace`: what a user has selected in a table, and how far the table is scrolled."""

from dataclasses import dataclass

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.row_keys import RowKeys


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Holds the keys of the selected rows and of the current row, and the current cell's column.

    `scrolled` are the values of the horizontal and the vertical scroll bar, `widths` those of the columns as they
    were fitted to their contents, in pixels.
    """

    selected: RowKeys
    current: RowKeys
    column: ColumnKey | None
    scrolled: tuple[int, int]
    widths: tuple[tuple[ColumnKey, int], ...] = ()
