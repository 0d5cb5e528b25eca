"""Divides the page between the chart and the table, which always keeps enough height."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

TABLE_LINES, CHART_LINES = 16, 9
"""Heights of a text line that the table keeps, and that a chart needs to be read."""
_DEFAULT_SHARE = 0.38


class ChartSplitter(QSplitter):
    """Has a place for the chart above the table; the place is hidden while there is too little room for both."""

    height_chosen = Signal(int)  # pixels of the chart, after the user has moved the edge
    room_changed = Signal()

    def __init__(self, table: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.place = QWidget(self)
        self.place.setAutoFillBackground(True)
        self.place.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self.place)
        layout.setContentsMargins(0, 0, 0, 0)
        self.place.hide()
        self._wanted, self._height, self._has_table = False, 0, True
        self.addWidget(self.place)
        self.addWidget(table)
        self.setChildrenCollapsible(False)
        self.setStretchFactor(0, 0)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(self._on_moved)

    def show_chart(self, wanted: bool, height: int) -> None:
        """Show the place of the chart, `height` pixels high if there is room (0: the usual share), or hide it."""
        self._wanted, self._height = wanted, height
        self._arrange()

    def show_table(self, shown: bool) -> None:
        """Show the chart only beside a table: a page without one has a text in its place."""
        if shown != self._has_table:
            self._has_table = shown
            self._arrange()

    @property
    def has_room(self) -> bool:
        """Returns whether both the chart and the table can be read."""
        return self.height() >= self._least_table + self._least_chart

    @property
    def _least_table(self) -> int:
        return TABLE_LINES * self.fontMetrics().height()

    @property
    def _least_chart(self) -> int:
        return CHART_LINES * self.fontMetrics().height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        shown = self._wanted and self._has_table and self.has_room
        if shown:
            wanted = self._height or round(self.height() * _DEFAULT_SHARE)
            height = max(self._least_chart, min(wanted, self.height() - self._least_table))
            self.place.setMinimumHeight(self._least_chart)
            self.place.setVisible(True)
            self.setSizes([height, self.height() - height])
        if shown == self.place.isHidden():
            self.place.setVisible(shown)
        self.room_changed.emit()

    def _on_moved(self) -> None:
        self._height = self.sizes()[0]
        self.height_chosen.emit(self._height)
