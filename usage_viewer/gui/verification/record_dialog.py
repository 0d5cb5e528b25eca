"""Defines a dialog that lists any number of records in a table, to read and to copy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
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

from usage_viewer.gui.formatting.numbers import copied
from usage_viewer.gui.table.cell_painter import row_height
from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.theme import UNIT, blend, plain_label

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_MAX_COLUMN_WIDTH = 44 * UNIT
"""Pixels; the user can make a column wider."""

_MEASURED_ROWS = 200
"""The number of first rows whose texts determine the width of a column."""


@dataclass(frozen=True)
class Field(Generic[Row]):
    """Defines a column: its title and the text of a row; a `number` is aligned to the right."""

    title: str
    text: Callable[[Row], str]
    number: bool = False


class RecordModel(QAbstractTableModel, Generic[Row]):
    """Lists rows by their fields. The texts are made when Qt asks for them, so a long list costs nothing."""

    def __init__(self, fields: Sequence[Field[Row]], rows: Sequence[Row], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.fields, self.rows = tuple(fields), rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows."""
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

    def as_text(self, indexes: Sequence[int]) -> str:
        """Return the titles and the rows of these indexes as tab-separated lines."""
        lines = ["\t".join(field.title for field in self.fields)]
        for row in (self.rows[index] for index in indexes):
            texts = [copied(field.text(row)) if field.number else field.text(row) for field in self.fields]
            lines.append("\t".join(texts))
        return "\n".join(lines) + "\n"


class PaddedDelegate(QStyledItemDelegate):
    """Adds a space at both sides of a text: otherwise a number would touch the text in the next column."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.text = f" {option.text} "


class RecordTable(QTableView):
    """Shows records. Ctrl+C copies the selected rows with their titles, or all rows if none is selected.

    If `opens_rows`, Enter and a double click on a row emit `row_opened`.
    """

    row_opened = Signal(int)

    def __init__(self, model: RecordModel[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._records = model
        self.opens_rows = False
        self.setModel(model)
        self.doubleClicked.connect(lambda index: self.open_row())
        self.setItemDelegate(PaddedDelegate(self))
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
        self._apply_palette()
        model.modelReset.connect(self.fit_columns)
        self.fit_columns()

    def fit_columns(self) -> None:
        """Make each column as wide as its title and its first rows need."""
        metrics, header_metrics = self.fontMetrics(), self.horizontalHeader().fontMetrics()
        for column, field in enumerate(self._records.fields):
            texts = (field.text(row) for row in self._records.rows[:_MEASURED_ROWS])
            text_width = max((metrics.horizontalAdvance(text) for text in texts), default=0)
            width = max(text_width, header_metrics.horizontalAdvance(field.title)) + 3 * UNIT
            self.setColumnWidth(column, min(width, _MAX_COLUMN_WIDTH))

    def copy(self) -> None:
        """Copy the selected rows, or all rows if none is selected, to the clipboard."""
        selected = sorted({index.row() for index in self.selectionModel().selectedRows()})
        QGuiApplication.clipboard().setText(self._records.as_text(selected or range(len(self._records.rows))))

    def make_current(self, row: int) -> None:
        """Make a row the current one without selecting it: what is copied is what the user selects."""
        index = self._records.index(row, 0)
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    def open_row(self) -> None:
        """Emit `row_opened` for the current row."""
        if self.opens_rows and self.currentIndex().isValid():
            self.row_opened.emit(self.currentIndex().row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif self.opens_rows and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_row()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._apply_palette()

    def _apply_palette(self) -> None:
        palette = self.palette()
        stripe = blend(palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text), 0.03)
        if palette.color(QPalette.ColorRole.AlternateBase) != stripe:
            striped = QPalette()
            striped.setColor(QPalette.ColorRole.AlternateBase, stripe)
            self.setPalette(striped)


class RecordDialog(QDialog):
    """Shows an introduction (`intro`), optional controls, and the records of a model."""

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
        self.empty_label = plain_label("", self)
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.details = plain_label("", self, wrap=True)
        self.details.hide()
        self.buttons = buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy_button = buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy_button.setToolTip("Copies the selected rows with their titles, or all rows if none is selected")
        copy_button.clicked.connect(self.table.copy)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addWidget(self.intro)
        column.addLayout(self.controls)
        column.addWidget(self.table, 1)
        column.addWidget(self.empty_label, 1)
        column.addWidget(self.details)
        column.addWidget(buttons)
        self.resize(128 * UNIT, 66 * UNIT)
        self.set_empty_text("")
        self.table.setFocus()

    def set_empty_text(self, text: str) -> None:
        """Show `text` in place of the table if there are no rows; call this again after the rows change."""
        self.empty_label.setText(text)
        self.table.setVisible(bool(self.model.rows))
        self.empty_label.setVisible(not self.model.rows)
