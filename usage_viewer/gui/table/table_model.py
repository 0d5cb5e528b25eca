"""`TableModel`: a table of columns and the order of its rows, as Qt asks for them, a screenful at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt

from usage_viewer.domain.catalog import Derived, Kind
from usage_viewer.domain.figures import Number, NumberColumn, parts_of
from usage_viewer.domain.period import Periods
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import EMPTY, Column, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import period_bounds, period_label
from usage_viewer.gui.table.column_help import definition, formula, header_tip
from usage_viewer.gui.widgets.plain_text import tip

SO_FAR = " · so far"
"""Follows the label of a period that may still grow."""

Index = QModelIndex | QPersistentModelIndex
BLOCK = 32
"""Rows whose texts are made at once: about a screenful."""

DISPLAY = int(Qt.ItemDataRole.DisplayRole)
TOOL_TIP = int(Qt.ItemDataRole.ToolTipRole)
ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)
VALUE_ROLE = int(Qt.ItemDataRole.UserRole)
"""A cell's raw value: a figure, a dimension's value, or a period's index; None where there is none."""
SHARE_ROLE = VALUE_ROLE + 1
"""0 to 1: the length of the cell's bar beside the longest one; None where there is no bar."""
SORT_ROLE = VALUE_ROLE + 2
"""Of a header: (descending, place among the sort keys from 1, number of keys); None where it isn't one."""
_CELL_ROLES = frozenset((DISPLAY, TOOL_TIP, ALIGNMENT, ACCESSIBLE, VALUE_ROLE, SHARE_ROLE))

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Presentation:
    """Choices of looks, which change no figure."""

    abbreviated: bool = False
    bars: bool = True


@dataclass(frozen=True)
class Bars:
    """The bars of one column: each figure beside the greatest."""

    name: str
    figures: NumberColumn
    kind: Kind
    total: Number | None

    @cached_property
    def longest(self) -> float:
        """What fills a cell: the whole for a share, else the greatest figure."""
        present = self.figures.present()
        return 1.0 if self.kind is Kind.SHARE else float(present.max()) if len(present) else 0.0

    def length(self, row: int) -> float:
        value = self.figures.at(row)
        if value is None or value <= 0 or self.longest <= 0:
            return 0.0
        return min(float(value) / self.longest, 1.0)

    def of_total(self, row: int) -> float | None:
        """The row's share of the column's total, where figures add up to one."""
        value = self.figures.at(row)
        if value is None or not self.total or self.kind not in (Kind.COUNT, Kind.DECIMAL):
            return None
        return float(value) / float(self.total)


class TableModel(QAbstractTableModel):
    """Rows in the order of `rows`; `set_table` is the only way in. Nothing here walks over all rows."""

    def __init__(self, locale: QLocale | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.locale = QLocale() if locale is None else locale
        self.presentation = Presentation()
        self.table: Table = EMPTY
        self.rows: RowOrder = np.zeros(0, np.int64)
        self.view = ViewState()
        self.bars: Bars | None = None
        self.still_open: NDArray[np.bool_] | None = None  # of each period: whether it may still grow
        self._exact = NumberFormat(self.locale)
        self._numbers = self._exact
        self._pages: dict[tuple[int, int], list[str]] = {}
        self._period_labels: dict[object, str] = {}  # the same days come back, view after view

    def set_table(
        self, table: Table, rows: RowOrder, view: ViewState, still_open: NDArray[np.bool_] | None = None
    ) -> None:
        """Shows `table`, its rows in the order of `rows`, as the answer to `view`; marks periods that may grow."""
        self.beginResetModel()
        self.still_open = still_open
        self.table, self.rows, self.view = table, rows, view
        self._pages.clear()
        self.bars = self._find_bars()
        self.endResetModel()

    def set_presentation(self, presentation: Presentation) -> None:
        if presentation == self.presentation:
            return
        self.presentation = presentation
        self._numbers = NumberFormat(self.locale, abbreviated=presentation.abbreviated)
        self._pages.clear()
        self.bars = self._find_bars()
        if len(self.rows) and self.table.columns:
            last = self.index(len(self.rows) - 1, len(self.table.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    @property
    def numbers(self) -> NumberFormat:
        """How figures are shown now."""
        return self._numbers

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.table.columns

    def section(self, name: str) -> int:
        """The place of the column called `name`; -1 where there is none."""
        return next((place for place, column in enumerate(self.table.columns) if column.name == name), -1)

    # What Qt asks for

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.table.columns)

    def data(self, index: Index, role: int = DISPLAY) -> Any:
        if role not in _CELL_ROLES or not index.isValid():
            return None
        row, place = index.row(), index.column()
        if role == DISPLAY:
            return self.texts(row // BLOCK, place)[row % BLOCK]
        column = self.table.columns[place]
        if role == ALIGNMENT:
            return RIGHT if isinstance(column, FigureColumn) else LEFT
        at = int(self.rows[row])
        if role == VALUE_ROLE:
            return _value(column, at)
        if role == SHARE_ROLE:
            return self.bars.length(at) if self.bars is not None and self.bars.name == column.name else None
        if role == ACCESSIBLE:
            return self._spoken(column, at)
        return tip(self._tip(column, at))

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.table.columns):
            return None
        column = self.table.columns[section]
        if role in (DISPLAY, ACCESSIBLE):
            return column.label
        if role == ALIGNMENT:
            return RIGHT if isinstance(column, FigureColumn) else LEFT
        if role == TOOL_TIP:
            return tip(header_tip(column, self.view.dataset))
        return self._sort_key(column.name) if role == SORT_ROLE else None

    # Texts

    def texts(self, block: int, place: int) -> list[str]:
        """The texts of rows `block * BLOCK` and on in the column at `place`, made once."""
        texts = self._pages.get((block, place))
        if texts is None:
            rows = self.rows[block * BLOCK : (block + 1) * BLOCK]
            texts = self._pages[block, place] = self._made(self.table.columns[place], rows)
            if len(self._pages) > 4096:
                self._pages = {(block, place): texts}
        return texts

    def texts_of(self, first: int, count: int, place: int) -> list[str]:
        """The texts of `count` rows from `first` on in the column at `place`."""
        if count <= 0:
            return []
        start, blocks = first % BLOCK, range(first // BLOCK, (first + count - 1) // BLOCK + 1)
        return [text for block in blocks for text in self.texts(block, place)][start : start + count]

    def _made(self, column: Column, rows: RowOrder) -> list[str]:
        if isinstance(column, FigureColumn):
            write: Callable[[Number | None], str] = self._numbers.writer(column.kind, column.unit)
            return [write(value) for value in column.figures.take(rows).listed()]
        if isinstance(column, GroupColumn):
            return [column.labels[code] for code in column.codes_at(rows).tolist()]
        index = column.index[rows].tolist()
        labels = {one: self._period_text(column.periods, one) for one in set(index)}
        return [labels[one] for one in index]

    def _period_text(self, periods: Periods, period: int) -> str:
        key = (*periods.bounds[period : period + 2].tolist(), periods.per, periods.zone)
        label = self._period_labels.get(key)
        if label is None:
            if len(self._period_labels) > 4096:
                self._period_labels.clear()
            label = self._period_labels[key] = period_label(periods, period, self.locale)
        return label + SO_FAR if self._is_open(period) else label

    def _is_open(self, period: int) -> bool:
        return self.still_open is not None and bool(self.still_open[period])

    def _spoken(self, column: Column, at: int) -> str:
        if not isinstance(column, FigureColumn):
            return self._made(column, np.array([at]))[0]
        value = column.figures.at(at)
        return "not given" if value is None else self._exact.text(value, column.kind, column.unit)

    def _tip(self, column: Column, at: int) -> str:
        if isinstance(column, PeriodColumn):
            period = int(column.index[at])
            bounds = period_bounds(column.periods, period)
            return f"{bounds}\nStill open: more usage may come in." if self._is_open(period) else bounds
        if isinstance(column, GroupColumn):
            code = column.code(at)
            value = column.values[code]
            return "" if value is None or value == column.labels[code] else f"{column.labels[code]}\n{value}"
        return "\n".join(self._figure_tip(column, at))

    def _figure_tip(self, column: FigureColumn, at: int) -> list[str]:
        value = column.figures.at(at)
        lines = ["Not given"] if value is None else []
        if value is not None and self.presentation.abbreviated:
            lines.append(self._exact.text(value, column.kind, column.unit))
        item = definition(column.name, self.view.dataset)
        if isinstance(item, Derived):
            lines.append(f"{column.label} = {formula(item, self.view.dataset)}")
            lines += self._parts(item, at)
        if self.bars is not None and self.bars.name == column.name:
            share = self.bars.of_total(at)
            lines += [] if share is None else [f"{self._exact.share(share)} of the total"]
        return lines

    def _parts(self, item: Derived, at: int) -> list[str]:
        """The figures that a derived one is made of, as far as they are shown."""
        lines = []
        for name in parts_of(item):
            part = self.table.by_name.get(name)
            if isinstance(part, FigureColumn):
                text = self._exact.text(part.figures.at(at), part.kind, part.unit)
                lines.append(f"{part.label}: {text}")
        return lines

    # Order and bars

    def _sort_key(self, name: str) -> tuple[bool, int, int] | None:
        order = [key for key in self.view.order if key.column in self.table.by_name]
        for place, key in enumerate(order, 1):
            if key.column == name:
                return key.descending, place, len(order)
        return None

    def _find_bars(self) -> Bars | None:
        """The first figure that the rows are sorted by."""
        if not self.presentation.bars:
            return None
        for key in self.view.order:
            column = self.table.by_name.get(key.column)
            if isinstance(column, FigureColumn):
                return Bars(column.name, column.figures, column.kind, column.total)
        return None


def _value(column: Column, at: int) -> object:
    if isinstance(column, FigureColumn):
        return column.figures.at(at)
    if isinstance(column, GroupColumn):
        return column.values[column.code(at)]
    return int(column.index[at])
