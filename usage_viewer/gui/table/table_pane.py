"""Defines `TablePane`: the table, its totals, and one horizontal scroll bar for both."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtWidgets import QScrollBar, QVBoxLayout, QWidget

from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_model import TableModel
from usage_viewer.gui.table.table_view import TableView
from usage_viewer.gui.table.totals_row import TotalsRow
from usage_viewer.gui.workspace.table_place import TablePlace


class TablePane(QWidget):
    """Lays out the table, the totals and the scroll bar from top to bottom."""

    def __init__(self, locale: QLocale | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TableModel(locale, self)
        self.table = TableView(self.model, self)
        self.totals = TotalsRow(self.table, self)
        self.scroll_bar = QScrollBar(Qt.Orientation.Horizontal, self)
        self.scroll_bar.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.totals)
        layout.addWidget(self.scroll_bar)
        self._connect_scroll_bars()

    def set_table(
        self,
        table: Table,
        rows: RowOrder,
        view: ViewState,
        note: str = "",
        statuses: NDArray[np.int8] | None = None,
    ) -> None:
        """Show a table and its totals.

        `note` states the loaded part of incomplete data ("27 of 30 days"). `statuses`: see
        `TableModel.set_table`.
        """
        order_before = self.model.view.order
        self.totals.set_totals(table, view, note)
        self.table.set_table(table, rows, view, self.totals.label, statuses)
        if view.order != order_before:
            self._show_sorted_column()

    def _show_sorted_column(self) -> None:
        """Scroll to the column that the rows are sorted by: a comparison sorts by one that may be further right."""
        order = self.model.view.order
        section = self.model.section(order[0].column) if order else -1
        if section >= 0 and self.model.rowCount():
            self.table.executeDelayedItemsLayout()
            self.table.scrollTo(self.model.index(0, section))

    def go_to(self, place: TablePlace) -> None:
        """Select and scroll as a place says.

        A scroll position can only be reached in the final height: the scroll bar is shown or hidden first, and the
        position is set once more after the page has been laid out.
        """
        self.table.go_to(place)
        self._show_scroll_bar_if_needed()
        QTimer.singleShot(0, self, lambda: self._scroll_to(*place.scrolled))

    def _scroll_to(self, across: int, down: int) -> None:
        self.table.executeDelayedItemsLayout()
        self.table.horizontalScrollBar().setValue(across)
        self.table.verticalScrollBar().setValue(down)

    def _connect_scroll_bars(self) -> None:
        """Hides the table's own scroll bar, which would be between rows and totals, and moves both together."""
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        hidden = self.table.horizontalScrollBar()
        hidden.rangeChanged.connect(self._on_range_changed)
        hidden.valueChanged.connect(self.scroll_bar.setValue)
        self.scroll_bar.valueChanged.connect(hidden.setValue)
        self._on_range_changed(hidden.minimum(), hidden.maximum())

    def _on_range_changed(self, minimum: int, maximum: int) -> None:
        hidden = self.table.horizontalScrollBar()
        self.scroll_bar.setPageStep(hidden.pageStep())
        self.scroll_bar.setSingleStep(hidden.singleStep())
        self.scroll_bar.setRange(minimum, maximum)
        # Later: the range changes while this layout resizes the table, and would leave a new bar without a height.
        QTimer.singleShot(0, self, self._show_scroll_bar_if_needed)

    def _show_scroll_bar_if_needed(self) -> None:
        self.scroll_bar.setVisible(self.scroll_bar.maximum() > self.scroll_bar.minimum())
