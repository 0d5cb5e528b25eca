"""Defines `TableModel`, which gives Qt a table and the order of its rows, a screenful at a time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.cost_figures import COST, with_shown_costs
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import EMPTY, Alignment, Column, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.table.cell_tips import CellTips
from usage_viewer.gui.table.heat_shades import HeatShades, find_shades
from usage_viewer.gui.table.table_format import PeriodLabels, TableFormat, direction_text
from usage_viewer.gui.table.value_bars import ValueBars, find_bars
from usage_viewer.gui.widgets.plain_text import tip

Index = QModelIndex | QPersistentModelIndex
BLOCK = 32
"""Rows whose texts are built together: about a screenful."""
_MOST_BLOCKS = 4096

DISPLAY = int(Qt.ItemDataRole.DisplayRole)
TOOL_TIP = int(Qt.ItemDataRole.ToolTipRole)
ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)
VALUE_ROLE = int(Qt.ItemDataRole.UserRole)
"""A cell's raw value: a figure, a dimension's value, or a period's index; None where there is none."""
SHARE_ROLE = VALUE_ROLE + 1
"""The length of a cell's bar, 0 to 1; None where there is no bar."""
SORT_ROLE = VALUE_ROLE + 2
"""Of a header: (descending, place among the sort keys from 1, number of keys); None if it isn't a sort key."""
_CELL_ROLES = frozenset((DISPLAY, TOOL_TIP, ALIGNMENT, ACCESSIBLE, VALUE_ROLE, SHARE_ROLE))

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_QT_ALIGNMENT = {Alignment.LEFT: LEFT, Alignment.RIGHT: RIGHT}


@dataclass(frozen=True, slots=True)
class Presentation:
    """Holds the user's choices of appearance, which change no figure."""

    abbreviated: bool = False
    bars: bool = True


class TableModel(QAbstractTableModel):
    """Shows a table's rows in the order of `rows`. No method walks over all rows."""

    def __init__(self, locale: QLocale | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.locale = QLocale() if locale is None else locale
        self.presentation = Presentation()
        self.table: Table = EMPTY
        self.rows: RowOrder = np.zeros(0, np.int64)
        self.view = ViewState()
        self.bars: ValueBars | None = None
        self.shades: HeatShades | None = None
        self.periods = PeriodLabels(self.locale)
        self._exact = NumberFormat(self.locale)
        self._spoken = TableFormat(self._exact, self.periods, missing="not given")
        self.form = TableFormat(self._exact, self.periods)  # of the cells and totals, as they are shown now
        self._sections: dict[ColumnKey, int] = {}
        self._blocks: dict[tuple[int, int], list[str]] = {}

    def set_table(
        self, table: Table, rows: RowOrder, view: ViewState, statuses: NDArray[np.int8] | None = None
    ) -> None:
        """Show `table` in the order of `rows` as the answer to `view`.

        `statuses` has the `PeriodStatus` of each period; periods that are not final are marked.
        """
        self.beginResetModel()
        self.periods.statuses = statuses
        self.table, self.rows, self.view = table, rows, view
        self._sections = {column.key: place for place, column in enumerate(table.columns)}
        self._blocks.clear()
        self._find_bars()
        self.shades = find_shades(table, view)
        self.endResetModel()

    def set_presentation(self, presentation: Presentation) -> None:
        """Change the appearance of all cells."""
        if presentation == self.presentation:
            return
        self.presentation = presentation
        self.form = TableFormat(NumberFormat(self.locale, abbreviated=presentation.abbreviated), self.periods)
        self._blocks.clear()
        self._find_bars()
        if len(self.rows) and self.table.columns:
            last = self.index(len(self.rows) - 1, len(self.table.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    @property
    def dataset(self) -> Dataset:
        """The dataset of the view, with the figures of cost if the table shows one."""
        return with_shown_costs(self.view.dataset, (column.name for column in self.table.figures))

    @property
    def default_columns(self) -> tuple[str, ...]:
        """The figures of the view if the user chooses none: with cost if the table shows it unasked."""
        names = dict.fromkeys(column.name for column in self.table.figures)
        usual = self.view.dataset.default_columns
        return (*usual, COST) if not self.view.columns and COST in names else usual

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, in the order of the header."""
        return self.table.columns

    def section(self, column: ColumnKey | str) -> int:
        """Return the place of a column, -1 if the table doesn't have it."""
        return self._sections.get(ColumnKey.of(column), -1)

    # Called by Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of shown rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.table.columns)

    def data(self, index: Index, role: int = DISPLAY) -> Any:
        """Return a cell's text, value, bar or tooltip."""
        if role not in _CELL_ROLES or not index.isValid():
            return None
        row, place = index.row(), index.column()
        if role == DISPLAY:
            return self.texts(row // BLOCK, place)[row % BLOCK]
        column = self.table.columns[place]
        if role == ALIGNMENT:
            return _QT_ALIGNMENT[column.alignment]
        at = int(self.rows[row])
        if role == VALUE_ROLE:
            return column.value(at)
        if role == SHARE_ROLE:
            return self.bars.length(at) if self.bars is not None and self.bars.key == column.key else None
        if role == ACCESSIBLE:
            figure = self.table.find_figure(column.key)
            origin = "" if figure is None or figure.origin is None else figure.origin.text(at)
            return ", ".join(filter(None, (column.texts(np.array([at]), self._spoken)[0], origin)))
        return tip("\n".join(column.details(at, self._tips())))

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        """Return a header's label, alignment, tooltip or sort mark."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.table.columns):
            return None
        column = self.table.columns[section]
        if role == DISPLAY:
            return column.label
        if role == ACCESSIBLE:
            return f"{column.label}{self._spoken_sort(column.key)}"
        if role == ALIGNMENT:
            return _QT_ALIGNMENT[column.alignment]
        if role == TOOL_TIP:
            return tip(column.describe(self.dataset))
        return self._sort_mark(column.key) if role == SORT_ROLE else None

    # Texts

    def texts(self, block: int, place: int) -> list[str]:
        """Return the texts of rows `block * BLOCK` and following in the column at `place`; they are kept."""
        texts = self._blocks.get((block, place))
        if texts is None:
            rows = self.rows[block * BLOCK : (block + 1) * BLOCK]
            texts = self._blocks[block, place] = self.table.columns[place].texts(rows, self.form)
            if len(self._blocks) > _MOST_BLOCKS:
                self._blocks = {(block, place): texts}
        return texts

    def texts_of(self, first: int, count: int, place: int) -> list[str]:
        """Return the texts of `count` rows from `first` on in the column at `place`."""
        if count <= 0:
            return []
        start, blocks = first % BLOCK, range(first // BLOCK, (first + count - 1) // BLOCK + 1)
        return [text for block in blocks for text in self.texts(block, place)][start : start + count]

    def _tips(self) -> CellTips:
        return CellTips(
            self.table, self.dataset, self._exact, self.periods, self.bars, self.presentation.abbreviated
        )

    # Order and bars

    def _sort_mark(self, column: ColumnKey) -> tuple[bool, int, int] | None:
        order = [key for key in self.view.order if key.column in self.table.by_key]
        for place, key in enumerate(order, 1):
            if key.column == column:
                return key.descending, place, len(order)
        return None

    def _spoken_sort(self, column: ColumnKey) -> str:
        """Return how the table is sorted by the column; "" if it isn't."""
        mark = self._sort_mark(column)
        if mark is None:
            return ""
        descending, place, keys = mark
        return f", sorted {direction_text(descending=descending)}" + (
            f", key {place} of {keys}" if keys > 1 else ""
        )

    def _find_bars(self) -> None:
        self.bars = find_bars(self.table, self.view.order) if self.presentation.bars else None
