"""`StartupPage`: the table as it was when the window was closed, in its place until the store has answered.

All here is for speed: it imports nothing but Qt, the model is Qt's own, and what else the `Qt` namespace would name
is a number, since the first look at that namespace takes 20 ms.
"""

from typing import Any, Final

from PySide6.QtGui import QFont, QPaintEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QLabel, QTableView, QVBoxLayout, QWidget

_ALIGNMENT: Final = 7  # Qt.ItemDataRole.TextAlignmentRole
_LEFT, _RIGHT, _TOP_LEFT = 0x81, 0x82, 0x21  # Qt.AlignmentFlag, the first two with AlignVCenter
_NOT_EDITABLE: Final = 0  # QAbstractItemView.EditTrigger
_NO_FRAME, _NO_FOCUS, _NO_SCROLL_BAR, _PLAIN_TEXT = 0, 0, 1, 0


class StartupTable(QTableView):
    painted = False

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted = True


class StartupPage(QWidget):
    """`look` is what `last_look` keeps."""

    def __init__(self, look: dict[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bold = QFont(self.font())
        self._bold.setBold(True)
        heading = self._line(look["heading"])
        heading.setFixedHeight(look["top"])
        heading.setProperty("alignment", _TOP_LEFT)
        heading.setMargin(12)
        self.table = StartupTable(self)
        self._fill(self.table, look, look["rows"])
        self.table.horizontalHeader().setFixedHeight(look["header"])
        self.table.setAccessibleName("Usage, as it was when the window was closed")
        totals = QTableView(self)
        self._fill(totals, look, [look["totals"]])
        totals.horizontalHeader().hide()
        totals.setFont(self._bold)
        totals.setFixedHeight(look["row"])
        totals.setAccessibleName("Totals")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(heading)
        column.addWidget(self.table, 1)
        column.addWidget(totals)
        column.addWidget(self._line(f"{look['status']} · being opened"))

    @property
    def painted(self) -> bool:
        return self.table.painted

    def _line(self, text: str) -> QLabel:
        line = QLabel(self)
        line.setProperty("textFormat", _PLAIN_TEXT)
        line.setText(text)
        line.setMargin(8)
        return line

    def _fill(self, table: QTableView, look: dict[str, Any], rows: list[list[str]]) -> None:
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
        table.verticalHeader().setDefaultSectionSize(look["row"])
        sides = [_RIGHT if right else _LEFT for right in look["right"]]
        model = QStandardItemModel(self)
        for section, label in enumerate(look["labels"]):
            model.setHorizontalHeaderItem(section, _item(label, sides[section]))
        for row in rows:
            model.appendRow([_item(text, side) for text, side in zip(row, sides, strict=True)])
        table.setModel(model)
        for section, width in enumerate(look["widths"]):
            table.setColumnWidth(section, width)


def _item(text: str, side: int) -> QStandardItem:
    item = QStandardItem(text)
    item.setData(side, _ALIGNMENT)
    return item
