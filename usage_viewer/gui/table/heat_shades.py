"""Defines `HeatShades`, the sizes of a pivot's cells among all of its cells, in steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view import ViewState

STEPS = 8
"""Shades that can be told apart; 0 is none."""


class HeatShades:
    """Compares each cell with the largest one; the rest and the totals have no shade.

    Shades follow the root of a size, so that one large cell does not make all others look alike.
    """

    def __init__(self, columns: Sequence[FigureColumn]) -> None:
        self._columns = {column.key: column for column in columns if not column.key.others}
        present = [column.figures.present() for column in self._columns.values()]
        self.largest = max((float(np.max(values)) for values in present if len(values)), default=0.0)

    def steps(self, column: ColumnKey, rows: RowOrder) -> list[int]:
        """Return the shade of some rows of a column, 0 to `STEPS`; [] for a column without shades."""
        shown = self._columns.get(column)
        if shown is None or self.largest <= 0:
            return []
        figures = shown.figures.take(rows)
        sizes: NDArray[Any] = np.clip(figures.values.astype(np.float64) / self.largest, 0, 1)
        if figures.missing is not None:
            sizes[figures.missing] = 0
        steps: list[int] = np.ceil(np.sqrt(sizes) * STEPS).astype(np.int64).tolist()
        return steps


def find_shades(table: Table, view: ViewState) -> HeatShades | None:
    """Return the shades of a table, if its view has them."""
    if view.pivot is None or not view.pivot.shaded:
        return None
    return HeatShades([column for column in table.figures if column.key.is_of_pivot])
