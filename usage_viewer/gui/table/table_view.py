"""`TableView`: the table a user sorts, selects, filters and copies from, at any number of rows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QKeyCombination,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFont, QKeyEvent, QKeySequence, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QMenu,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from usage_viewer.domain.dataset import NO_EXTRAS
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.selection_stats import Range, selection_stats
from usage_viewer.domain.table import Column, FigureColumn, GroupColumn, Table
from usage_viewer.domain.verification import cell_of
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.cell_painter import CellPainter, row_height
from usage_viewer.gui.table.column_widths import ColumnWidths
from usage_viewer.gui.table.selection_keeper import SelectionKeeper, selected_ranges, selection_of
from usage_viewer.gui.table.table_header import TableHeader
from usage_viewer.gui.table.table_menus import cell_menu, header_menu, moved
from usage_viewer.gui.table.table_model import Presentation, TableModel
from usage_viewer.gui.table.type_ahead import TypeAhead
from usage_viewer.gui.widgets.theme import blend

STATS_AFTER_MS = 30
_FLAGS = QItemSelectionModel.SelectionFlag
_SORT_KEY = QKeyCombination(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, Qt.Key.Key_S)


class TableView(QTableView):
    """Whole rows are selected; the current cell's column says which figure the statistics are about."""

    view_requested = Signal(object)  # ViewState
    origin_requested = Signal(object, object)  # Cell and Column: where does it come from?
    copy_requested = Signal(str)  # "" as shown, or a name of COPY_FORMATS
    selection_stats_changed = Signal(object)  # SelectionStats

    def __init__(self, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.usage_model = model
        self.header = TableHeader(model, self)
        self.setHorizontalHeader(self.header)
        self.setModel(model)
        self._set_up_font()
        self._set_up_looks()
        self.cells = CellPainter(model, self)
        self._widths = ColumnWidths(model, self.header, self.cells)
        self._kept = SelectionKeeper(self, model)
        self._type_ahead = TypeAhead()
        self._stats = QTimer(self, singleShot=True, interval=STATS_AFTER_MS)
        self._stats.timeout.connect(self._tell_stats)
        self._restyle()
        self.extras = NO_EXTRAS  # fields that this version doesn't know, offered as columns
        self._connect()

    def _set_up_font(self) -> None:
        font = QFont(self.font())
        font.setFeature(QFont.Tag("tnum"), 1)  # digits of one width stand in columns
        self.setFont(font)

    def _set_up_looks(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table; arrows walk in it
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setHighlightSections(False)
        rows.hide()
        self.setAccessibleName("Usage")
        self.setAccessibleDescription("Rows of the view; Enter on a group filters to it")

    def _connect(self) -> None:
        model, header = self.usage_model, self.header
        model.modelAboutToBeReset.connect(self._kept.take)
        model.modelReset.connect(self._on_reset)
        header.sort_requested.connect(self._on_sort_requested)
        header.column_moved.connect(self._on_column_moved)
        header.menu_requested.connect(self._on_header_menu)
        header.sectionHandleDoubleClicked.connect(self._on_handle_double_clicked)
        self.selectionModel().selectionChanged.connect(lambda *_: self._stats.start())
        self.selectionModel().currentChanged.connect(lambda *_: self._stats.start())

    # What is shown

    @property
    def view(self) -> ViewState:
        return self.usage_model.view

    def set_table(
        self,
        table: Table,
        rows: RowOrder,
        view: ViewState,
        heads_text: str = "",
        still_open: NDArray[np.bool_] | None = None,
    ) -> None:
        """Shows an answer; what was selected stays selected where its rows are still there.

        `heads_text` has to find room below the columns that say what a row is about; `still_open` says of each
        period whether it may still grow.
        """
        self._widths.heads_text = heads_text
        self.usage_model.set_table(table, rows, view, still_open)

    def set_heads_room(self, pixels: int) -> None:
        """Room for something that stands before the text below the heads."""
        self._widths.heads_room = pixels
        self._widths.fit()

    def set_presentation(self, presentation: Presentation) -> None:
        self.usage_model.set_presentation(presentation)
        self._widths.fit_anew()
        self.viewport().update()

    def _on_reset(self) -> None:
        self._widths.fit(silently=True)
        self._kept.put_back()
        self._stats.start()

    # Selection

    def selected_rows(self) -> list[Range]:
        """First and last of each run of selected rows, both included, in the order shown."""
        return selected_ranges(self.selectionModel())

    def selectAll(self) -> None:
        """As one range of rows: at once, at any number of them."""
        rows = self.usage_model.rowCount()
        everything = selection_of(self.usage_model, [(0, rows - 1)] if rows else [])
        self.selectionModel().select(everything, _FLAGS.ClearAndSelect)

    def current_column(self) -> Column | None:
        index = self.currentIndex()
        return self.usage_model.columns[index.column()] if index.isValid() else None

    def _tell_stats(self) -> None:
        model, column = self.usage_model, self.current_column()
        stats = selection_stats(
            model.table, model.rows, self.selected_rows(), "" if column is None else column.name, model.view.dataset
        )
        self.selection_stats_changed.emit(stats)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit("")
        elif event.keyCombination() == _SORT_KEY:
            self.sort_by_current()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.filter_to_current():
            pass
        else:
            super().keyPressEvent(event)

    def selectionCommand(
        self, index: QModelIndex | QPersistentModelIndex, event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        """To the first or last row with Ctrl+Home and Ctrl+End: with Qt they select nothing, Shift or not."""
        if isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            return (_FLAGS.SelectCurrent if shift else _FLAGS.ClearAndSelect) | _FLAGS.Rows
        return super().selectionCommand(index, event)

    def sort_by_current(self, *, add: bool = False) -> None:
        """As a click on the current column's head."""
        column = self.current_column()
        if column is not None:
            self._on_sort_requested(column.name, add)

    def filter_to_current(self) -> bool:
        """*Filter to this*; False where the current cell is not a dimension's."""
        column = self.current_column()
        if not isinstance(column, GroupColumn):
            return False
        at = int(self.usage_model.rows[self.currentIndex().row()])
        self.view_requested.emit(self.view.only(column.name, column.values[column.code(at)]))
        return True

    def keyboardSearch(self, search: str) -> None:
        column = self.current_column()
        if not isinstance(column, GroupColumn):
            column = next((one for one in self.usage_model.columns if isinstance(one, GroupColumn)), None)
        if column is None or not search.strip():
            return
        row = self._type_ahead.find(search, column, self.usage_model.rows, self.currentIndex().row())
        if row is not None:
            self.setCurrentIndex(self.usage_model.index(row, self.usage_model.section(column.name)))

    # Header

    def _on_sort_requested(self, name: str, add: bool) -> None:
        number = isinstance(self.usage_model.table.by_name.get(name), FigureColumn)
        self.view_requested.emit(self.view.sorted_by(name, add=add, descending_first=number))

    def _on_column_moved(self, name: str, before: str) -> None:
        view = moved(self.view, name, before)
        if view is not None:
            self.view_requested.emit(view)

    def _on_handle_double_clicked(self, place: int) -> None:
        self._widths.fit_one(self.usage_model.columns[place].name)

    def _on_header_menu(self, name: str, point: QPoint) -> None:
        self._pop_up(self.header_menu(name), point)

    def header_menu(self, name: str) -> QMenu:
        fit: Callable[[], None] = lambda: self._widths.fit_one(name)  # noqa: E731
        column = self.usage_model.table.by_name[name]
        return header_menu(column, self.view, self.view_requested.emit, fit, self, self.extras)

    # Menus

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos())
        point = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            point = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        if index.isValid():
            self._pop_up(self.cell_menu(index), point)

    def cell_menu(self, index: QModelIndex) -> QMenu:
        column = self.usage_model.columns[index.column()]
        at = int(self.usage_model.rows[index.row()])
        menu = cell_menu(column, at, self.view, self.view_requested.emit, self.copy_requested.emit, self)
        cell = cell_of(self.usage_model.table, at)
        menu.addSeparator()
        menu.addAction("&Where does this come from?").triggered.connect(
            lambda: self.origin_requested.emit(cell, column)
        )
        return menu

    def ask_for_origin(self) -> None:
        """*Where does this come from?* of the current cell."""
        index = self.currentIndex()
        if index.isValid():
            at = int(self.usage_model.rows[index.row()])
            self.origin_requested.emit(
                cell_of(self.usage_model.table, at), self.usage_model.columns[index.column()]
            )

    def _pop_up(self, menu: QMenu, point: QPoint) -> None:
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(point)

    # Looks

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        self.cells.paint(event.rect(), option)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._restyle()

    def _restyle(self) -> None:
        if not hasattr(self, "cells"):
            return  # Qt tells of a change while the table is being built
        palette = self.palette()
        stripe = blend(palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text), 0.03)
        if palette.color(QPalette.ColorRole.AlternateBase) != stripe:
            own = QPalette()
            own.setColor(QPalette.ColorRole.AlternateBase, stripe)
            self.setPalette(own)  # this one role; all others go on following the system
        self.cells.restyle()
        height = row_height(self.font())
        if self.verticalHeader().defaultSectionSize() != height:
            self.verticalHeader().setMinimumSectionSize(height)
            self.verticalHeader().setDefaultSectionSize(height)
        self._widths.fit_anew()
