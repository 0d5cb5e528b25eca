"""A list of facts in a window of its own: any number of rows, to read and to copy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.gui.table.cell_painter import row_height
from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.theme import UNIT, mixed, plain_label

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WIDEST = 44 * UNIT
_MEASURED = 200
"""Rows whose texts say how wide a column is."""


@dataclass(frozen=True)
class Field(Generic[Row]):
    """A column: its title, and a row's text in it; `number` stands at the right."""

    title: str
    text: Callable[[Row], str]
    number: bool = False


class RecordModel(QAbstractTableModel, Generic[Row]):
    """Makes no text before it is asked for."""

    def __init__(self, fields: Sequence[Field[Row]], rows: Sequence[Row], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.fields, self.rows = tuple(fields), rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.fields)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        field = self.fields[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return field.text(self.rows[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(field.text(self.rows[index.row()]))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if field.number else LEFT
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.fields):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return f" {self.fields[section].title} "
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if self.fields[section].number else LEFT
        return None

    def as_text(self, places: Sequence[int]) -> str:
        """Tab-separated, with titles."""
        lines = ["\t".join(field.title for field in self.fields)]
        lines += ["\t".join(field.text(self.rows[place]) for field in self.fields) for place in places]
        return "\n".join(lines) + "\n"


class RoomDelegate(QStyledItemDelegate):
    """Room at both sides: a number and the text in the next column would touch."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.text = f" {option.text} "


class RecordTable(QTableView):
    """Ctrl+C copies the selected rows with titles, or all rows."""

    def __init__(self, model: RecordModel[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listing = model
        self.setModel(model)
        self.setItemDelegate(RoomDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(row_height(self.font()))
        rows.hide()
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        self._restyle()
        model.modelReset.connect(self.fit)
        self.fit()

    def fit(self) -> None:
        """Columns as wide as their titles and first rows."""
        metrics, bold = self.fontMetrics(), self.horizontalHeader().fontMetrics()
        for place, field in enumerate(self._listing.fields):
            texts = (field.text(row) for row in self._listing.rows[:_MEASURED])
            widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
            wanted = max(widest, bold.horizontalAdvance(field.title)) + 3 * UNIT
            self.setColumnWidth(place, min(wanted, _WIDEST))

    def copy(self) -> None:
        selected = sorted({index.row() for index in self.selectionModel().selectedRows()})
        QGuiApplication.clipboard().setText(self._listing.as_text(selected or range(len(self._listing.rows))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()

    def _restyle(self) -> None:
        palette = self.palette()
        stripe = mixed(palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text), 0.03)
        if palette.color(QPalette.ColorRole.AlternateBase) != stripe:
            own = QPalette()
            own.setColor(QPalette.ColorRole.AlternateBase, stripe)
            self.setPalette(own)


class RecordDialog(QDialog):
    """A title, what is to be said of the whole, controls if there are any, and the list."""

    def __init__(self, title: str, model: RecordModel[Any], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.model = model
        model.setParent(self)
        self.intro = plain_label("", self, wrap=True)
        self.intro.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.controls = QHBoxLayout()
        self.controls.setSpacing(UNIT)
        self.table = RecordTable(model, self)
        self.table.setAccessibleName(title)
        self.nothing = plain_label("", self)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setToolTip("Copies the selected rows with titles, or all rows")
        copy.clicked.connect(self.table.copy)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addWidget(self.intro)
        column.addLayout(self.controls)
        column.addWidget(self.table, 1)
        column.addWidget(self.nothing, 1)
        column.addWidget(buttons)
        self.resize(128 * UNIT, 66 * UNIT)
        self.say_when_empty("")
        self.table.setFocus()

    def say_when_empty(self, text: str) -> None:
        """In the place of an empty list."""
        self.nothing.setText(text)
        self.table.setVisible(bool(self.model.rows))
        self.nothing.setVisible(not self.model.rows)
