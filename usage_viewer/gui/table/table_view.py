"""Defines `TableView`, in which users sort, select, filter and copy any number of rows."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QKeyCombination,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QStyleOptionViewItem, QTableView, QWidget

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.dataset import NO_EXTRAS
from usage_viewer.domain.drill import drilled_view
from usage_viewer.domain.period import Span
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.selection_stats import Range, selection_stats
from usage_viewer.domain.table import Column, Table, is_money
from usage_viewer.domain.verification import Cell, cell_of
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.row_counts import chosen_runs, chosen_text
from usage_viewer.gui.table.cell_painter import CellPainter
from usage_viewer.gui.table.column_choice import ColumnChoice
from usage_viewer.gui.table.column_widths import ColumnWidths
from usage_viewer.gui.table.frozen_columns import reveal
from usage_viewer.gui.table.selection_keeper import SelectionKeeper, selected_ranges, selection_of
from usage_viewer.gui.table.table_header import TableHeader
from usage_viewer.gui.table.table_menus import add_copies, cell_menu, header_menu, move_column, pop_up
from usage_viewer.gui.table.table_model import Presentation, TableModel
from usage_viewer.gui.table.table_style import SIDE_BUTTONS, restyle_table, set_up_table
from usage_viewer.gui.table.type_ahead import TypeAhead
from usage_viewer.gui.workspace.table_place import TablePlace

_STATS_DELAY_MS = 30
"""Milliseconds after the last change of the selection until its statistics are computed."""
_FLAGS = QItemSelectionModel.SelectionFlag
_SORT_KEY = QKeyCombination(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, Qt.Key.Key_S)

_RESTYLING = (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


class TableView(QTableView):
    """Selects whole rows; the current cell's column is the one of the selection's statistics."""

    view_requested = Signal(object)  # ViewState
    origin_requested = Signal(object, object)  # Cell and Column whose sources to show
    prices_requested = Signal(object, object)  # Cell and Column whose prices to show
    copy_requested = Signal(str)  # "" as shown, or a name of COPY_FORMATS
    drill_refused = Signal()  # the row has no further level
    row_copy_requested = Signal(int)  # a shown row
    cell_copy_requested = Signal(str)  # the value as text
    selection_stats_changed = Signal(object)  # SelectionStats

    def __init__(self, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked_for: ViewState | None = None
        self.usage_model = model
        self.header = TableHeader(model, self)
        self.setHorizontalHeader(self.header)
        self.setModel(model)
        set_up_table(self)
        self.cells = CellPainter(model, self, self.header.frozen)
        self._widths = ColumnWidths(model, self.header, self.cells)
        self._keeper = SelectionKeeper(self, model)
        self._type_ahead = TypeAhead()
        self._stats = QTimer(self, singleShot=True, interval=_STATS_DELAY_MS)
        self._stats.timeout.connect(self._emit_stats)
        self._restyle()
        self.extras = NO_EXTRAS  # unknown fields, offered as columns
        self.not_granted: tuple[str, ...] = ()  # dimensions that can't be grouped by
        self.span: Span | None = None  # the range of the shown table
        self._connect()

    def _connect(self) -> None:
        model, header = self.usage_model, self.header
        model.modelAboutToBeReset.connect(self._keeper.save)
        model.modelReset.connect(self._on_reset)
        header.sort_requested.connect(self.sort_by)
        header.column_moved.connect(self._on_column_moved)
        header.menu_requested.connect(lambda key, point: pop_up(self.header_menu(key), point))
        header.sectionHandleDoubleClicked.connect(lambda place: self._widths.fit_one(model.columns[place].key))
        self.selectionModel().selectionChanged.connect(lambda *_: self._stats.start())
        # Qt repaints cells; a selected row also has the area after the last column.
        self.selectionModel().selectionChanged.connect(lambda *_: self.viewport().update())
        self.selectionModel().currentChanged.connect(lambda *_: self._stats.start())

    # Contents

    @property
    def view(self) -> ViewState:
        """The view that was asked for last, from which the next one is made; its result may still be on the way.

        While another dataset is on the way, the view that the table answers: its columns belong to that one.
        """
        shown, asked_for = self.usage_model.view, self._asked_for
        return shown if asked_for is None or asked_for.dataset_name != shown.dataset_name else asked_for

    @property
    def choice(self) -> ColumnChoice:
        """The figures that the user may choose from."""
        return ColumnChoice(self.usage_model.view.dataset_name, self.usage_model.default_columns, self.extras)

    def show_view(self, view: ViewState) -> None:
        """Note the view that is asked for."""
        self._asked_for = view

    def _request(self, view: ViewState) -> None:
        """Request a view, unless another dataset was chosen meanwhile: the click was meant for the old table."""
        if self._asked_for is None or self._asked_for.dataset_name == view.dataset_name:
            self.view_requested.emit(view)

    def set_table(
        self,
        table: Table,
        rows: RowOrder,
        view: ViewState,
        heads_text: str = "",
        statuses: NDArray[np.int8] | None = None,
    ) -> None:
        """Show a table; selected rows stay selected if the table still has them.

        `heads_text` must fit below the head columns. `statuses`: see `TableModel.set_table`.
        """
        self._widths.heads_text = heads_text
        self.usage_model.set_table(table, rows, view, statuses)

    def set_heads_indent(self, pixels: int) -> None:
        """Reserves room before the text below the head columns."""
        self._widths.heads_indent = pixels
        self._widths.fit()

    def set_presentation(self, presentation: Presentation) -> None:
        """Change the appearance of all cells and fit the columns."""
        self.usage_model.set_presentation(presentation)
        self._widths.refit()
        self.viewport().update()

    def _on_reset(self) -> None:
        self._widths.fit(silently=True)
        self._keeper.restore()
        self.updateGeometries()  # the header has not reported its new widths
        self._stats.start()

    # Selection

    def place(self) -> TablePlace:
        """Return selection, current cell, scroll position and fitted widths."""
        return self._keeper.place(self._widths.fitted)

    def go_to(self, place: TablePlace) -> None:
        """Select and scroll as a place says."""
        self._widths.fit_from(dict(place.widths))
        self._keeper.go_to(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Leave the side buttons of the mouse to the page: Qt would select a row."""
        if event.button() in SIDE_BUTTONS:
            event.ignore()
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Drill down into the row at the pointer; leave the side buttons of the mouse to the page."""
        if event.button() in SIDE_BUTTONS:
            event.ignore()
            return
        super().mouseDoubleClickEvent(event)
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if (
            event.button() == Qt.MouseButton.LeftButton
            and plain
            and self.indexAt(event.position().toPoint()).isValid()
        ):
            self.drill_down()

    def selected_rows(self) -> list[Range]:
        """Return the selected rows as ranges of shown rows, both ends included."""
        return selected_ranges(self.selectionModel())

    def selectAll(self) -> None:
        """Select all rows as one range, which takes no longer for more rows."""
        rows = self.usage_model.rowCount()
        everything = selection_of(self.usage_model, [(0, rows - 1)] if rows else [])
        self.selectionModel().select(everything, _FLAGS.ClearAndSelect)

    def selectionCommand(
        self, index: QModelIndex | QPersistentModelIndex, event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        """Select to the first or last row with Ctrl+Home and Ctrl+End, on which Qt selects nothing."""
        if isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            return (_FLAGS.SelectCurrent if shift else _FLAGS.ClearAndSelect) | _FLAGS.Rows
        return super().selectionCommand(index, event)

    def current_column(self) -> Column | None:
        """Return the column of the current cell, None if there is no current cell."""
        index = self.currentIndex()
        return self.usage_model.columns[index.column()] if index.isValid() else None

    def _row_at(self, index: QModelIndex | QPersistentModelIndex) -> int:
        """Return the table's row that is shown at an index."""
        return int(self.usage_model.rows[index.row()])

    def _emit_stats(self) -> None:
        model, column = self.usage_model, self.current_column()
        key = None if column is None else column.key
        stats = selection_stats(model.table, model.rows, self.selected_rows(), key, model.dataset)
        self.selection_stats_changed.emit(stats)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy, sort or filter with the keyboard."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit("")
        elif event.key() == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
        elif event.keyCombination() == _SORT_KEY:
            self.sort_by_current()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.ask_for_origin()
            elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.filter_to_current()
            else:
                self.drill_down()
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Go to the row whose group begins with the typed text."""
        groups, current = self.usage_model.table.groups, self.current_column()
        column = next((group for group in groups if group is current), groups[0] if groups else None)
        if column is None or not search.strip():
            return
        row = self._type_ahead.find(search, column, self.usage_model.rows, self.currentIndex().row())
        if row is not None:
            self.setCurrentIndex(self.usage_model.index(row, self.usage_model.section(column.key)))

    # Requests for another view

    def sort_by(self, column: ColumnKey, add: bool = False) -> None:
        """Request the view sorted by a column, as a click on its header does."""
        shown = self.usage_model.table.by_key.get(column)
        largest_first = shown is not None and shown.largest_first
        self._request(self.view.sorted_by(column, add=add, descending_first=largest_first))

    def sort_by_current(self, *, add: bool = False) -> None:
        """Request the view sorted by the current column."""
        column = self.current_column()
        if column is not None:
            self.sort_by(column.key, add)

    def filter_to_current(self) -> bool:
        """Request the view filtered to the current cell's value; return False if the cell has none."""
        index, column = self.currentIndex(), self.current_column()
        member = None if column is None else column.member(self._row_at(index))
        if member is None:
            return False
        self._request(self.view.only(member.dimension, member.value))
        return True

    def drill_down(self) -> None:
        """Request the usage of the current row by the next level: see `drilled_view`."""
        model, row = self.usage_model, self._row_at(self.currentIndex())
        view = self.span and drilled_view(model.view, model.table, row, self.span, self.not_granted)
        if view is None:
            self.drill_refused.emit()
        elif self._asked_for in (None, model.view):  # else the click was meant for a table that is being replaced
            self.view_requested.emit(view)

    def _on_column_moved(self, column: ColumnKey, before: ColumnKey | None) -> None:
        view = move_column(self.choice.explicit(self.view), column.name, "" if before is None else before.name)
        if view is not None:
            self._request(view)

    # Menus

    def header_menu(self, column: ColumnKey | str) -> QMenu:
        """Build the menu of a column's header."""
        shown = self.usage_model.table.by_key[ColumnKey.of(column)]
        request, widths = self._request, self._widths
        return header_menu(shown, self.view, request, lambda: widths.fit_one(shown.key), self, self.choice)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the cell at the pointer or of the current cell."""
        index, point = self.indexAt(event.pos()), event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            point = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        if index.isValid():
            pop_up(self.cell_menu(index), point)

    def cell_menu(self, index: QModelIndex) -> QMenu:
        """Build the menu of a cell."""
        column = self.usage_model.columns[index.column()]
        request, copy = self._request, self.copy_requested.emit
        menu = cell_menu(column, self._row_at(index), self.view, request, copy, self, self.choice)
        runs, text, shown_row = chosen_runs(self.selected_rows()), self._cell_text(index), index.row()
        add_copies(
            menu,
            chosen_text(runs, self.usage_model.rowCount(), self.usage_model.locale),
            lambda: self.cell_copy_requested.emit(text),
            lambda: self.row_copy_requested.emit(shown_row),
        )
        menu.addSeparator()
        # A menu outlives the table that it was opened on: the cell is the one of that time.
        cell = cell_of(self.usage_model.table, self._row_at(index))
        menu.addAction("Show so&urces…").triggered.connect(lambda: self.origin_requested.emit(cell, column))
        if is_money(column):
            menu.addAction("Show p&rices…").triggered.connect(lambda: self.prices_requested.emit(cell, column))
        return menu

    def copy_current_cell(self) -> None:
        """Request a copy of the current cell's value."""
        index = self.currentIndex()
        if index.isValid():
            self.cell_copy_requested.emit(self._cell_text(index))

    def _cell_text(self, index: QModelIndex) -> str:
        from usage_viewer.app.export import bare_text

        column = self.usage_model.columns[index.column()]
        return bare_text(column, self._row_at(index), self.usage_model.locale.decimalPoint())

    def current_cell(self) -> tuple[Cell, Column] | None:
        """Return the current cell's row and column; None if there is no current cell."""
        index, column = self.currentIndex(), self.current_column()
        return None if column is None else (cell_of(self.usage_model.table, self._row_at(index)), column)

    def ask_for_origin(self) -> None:
        """Request the sources of the current cell."""
        current = self.current_cell()
        if current is not None:
            self.origin_requested.emit(*current)

    # Frozen columns

    def indexAt(self, point: QPoint) -> QModelIndex:
        """Return the cell that is shown at a point of the viewport."""
        return super().indexAt(point + QPoint(self.header.frozen.shift(point.x()), 0))

    def visualRect(self, index: QModelIndex | QPersistentModelIndex) -> QRect:
        """Return where a cell is shown; a scrolled cell may be under the frozen columns."""
        place = super().visualRect(index)
        if place.isValid():
            place.moveLeft(self.header.frozen.left(index.column()))
        return place

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Scroll to a cell, so that it is not under the frozen columns."""
        bar, frozen = self.horizontalScrollBar(), self.header.frozen
        before = bar.value()
        super().scrollTo(index, hint)
        if index.column() < frozen.count:
            bar.setValue(before)  # the column is in sight already
            return
        area = frozen.scrolled_area(self.viewport().height())
        place = self.visualRect(index)
        bar.setValue(bar.value() + reveal(place.left(), place.width(), area, self.layoutDirection()))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Repaint all cells after a step sideways: Qt would move the pixels of the frozen columns too."""
        super().scrollContentsBy(dx, dy)
        if dx:
            self.viewport().update()
            self.header.viewport().update()

    # Appearance

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cells."""
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        self.cells.paint(event.rect(), option)

    def changeEvent(self, event: QEvent) -> None:
        """Follow changes of font, palette and style."""
        super().changeEvent(event)
        if event.type() in _RESTYLING:
            self._restyle()

    def _restyle(self) -> None:
        if not hasattr(self, "cells"):
            return  # Qt reports changes while the table is being built
        restyle_table(self)
        self.cells.restyle()
        self._widths.refit()
