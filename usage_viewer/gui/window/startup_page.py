"""Paints the stored table of the last run until the database has answered.

This page is all about speed: it imports nothing but Qt, uses Qt's own model, and writes enumeration values as
numbers, because the first access to the `Qt` namespace takes 20 ms.
"""

from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QFont, QPaintEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QLabel, QTableView, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from usage_viewer.app.settings.startup_table import StartupTable

_ALIGNMENT: Final = 7  # Qt.ItemDataRole.TextAlignmentRole
_LEFT, _RIGHT, _TOP_LEFT = 0x81, 0x82, 0x21  # Qt.AlignmentFlag, the first two with AlignVCenter
_NOT_EDITABLE: Final = 0  # QAbstractItemView.EditTrigger
_NO_FRAME, _NO_FOCUS, _NO_SCROLL_BAR, _PLAIN_TEXT = 0, 0, 1, 0


class EarlyTable(QTableView):
    """A table that knows whether it has been painted."""

    painted = False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the table and remembers that it did."""
        super().paintEvent(event)
        self.painted = True


class StartupPage(QWidget):
    """Shows a stored table with its heading, totals and status line."""

    def __init__(self, stored: "StartupTable", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bold = QFont(self.font())
        self._bold.setBold(True)
        heading = self._line(stored.heading)
        heading.setFixedHeight(stored.heading_height)
        heading.setProperty("alignment", _TOP_LEFT)
        heading.setMargin(12)
        self.table = EarlyTable(self)
        self._fill(self.table, stored, stored.rows)
        self.table.horizontalHeader().setFixedHeight(stored.header_height)
        self.table.setAccessibleName("Usage, as it was when the window was closed")
        totals = QTableView(self)
        self._fill(totals, stored, [stored.totals])
        totals.horizontalHeader().hide()
        totals.setFont(self._bold)
        totals.setFixedHeight(stored.row_height)
        totals.setAccessibleName("Totals")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(heading)
        column.addWidget(self.table, 1)
        column.addWidget(totals)
        column.addWidget(self._line(f"{stored.status} · opening…"))

    @property
    def painted(self) -> bool:
        """Returns whether the table has been painted."""
        return self.table.painted

    def _line(self, text: str) -> QLabel:
        line = QLabel(self)
        line.setProperty("textFormat", _PLAIN_TEXT)
        line.setText(text)
        line.setMargin(8)
        return line

    def _fill(self, table: QTableView, stored: "StartupTable", rows: list[list[str]]) -> None:
        for name, value in (
            ("frameShape", _NO_FRAME),
            ("focusPolicy", _NO_FOCUS),
            ("horizontalScrollBarPolicy", _NO_SCROLL_BAR),
            ("editTriggers", _NOT_EDITABLE),
            ("alternatingRowColors", True),
        ):
            table.setProperty(name, value)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.horizontalHeader().setFont(self._bold)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(stored.row_height)
        alignments = [_RIGHT if right else _LEFT for right in stored.right_aligned]
        model = QStandardItemModel(self)
        for section, label in enumerate(stored.labels):
            model.setHorizontalHeaderItem(section, _item(label, alignments[section]))
        for row in rows:
            model.appendRow([_item(text, alignment) for text, alignment in zip(row, alignments, strict=True)])
        table.setModel(model)
        for section, width in enumerate(stored.widths):
            table.setColumnWidth(section, width)


def _item(text: str, alignment: int) -> QStandardItem:
    item = QStandardItem(text)
    item.setData(alignment, _ALIGNMENT)
    return item
