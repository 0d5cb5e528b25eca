"""Defines `TotalsRow`, which shows the totals under the table, each under its column."""

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.money_origin import origin_text
from usage_viewer.domain.table import EMPTY, FigureColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.numbers import NumberFormat, copied
from usage_viewer.gui.table.cell_painter import PADDING, row_height
from usage_viewer.gui.table.table_view import TableView
from usage_viewer.gui.widgets.plain_text import explain, menu_text, tip
from usage_viewer.gui.widgets.theme import UNIT, blend


def totals_label(table: Table, view: ViewState, note: str, numbers: NumberFormat) -> str:
    """Return `Total of 42 groups`, or `27 of 30 days: 42 groups` while data is missing."""
    noun = "row" if view.has_period_rows or not view.grouping else "group"
    count = f"{numbers.whole(table.rows)} {noun}{'' if table.rows == 1 else 's'}"
    return f"{note}: {count}" if note else f"Total of {count}"


class TotalsRow(QLabel):
    """Follows the widths, the order and the scrolling of the table's header.

    A label paints nothing here, but has the role that screen readers read: a bare widget has none.
    """

    copy_requested = Signal(str)  # the text to copy

    def __init__(self, table: TableView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = table
        self._exact = NumberFormat(table.usage_model.locale)
        self._table = EMPTY
        self._state = ViewState()
        self.label = ""
        self._indent = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Totals")
        self.setTextFormat(Qt.TextFormat.PlainText)
        header = table.header
        for signal in (header.sectionResized, header.sectionMoved, header.sectionCountChanged):
            signal.connect(lambda *_: self.update())
        header.geometriesChanged.connect(self.update)
        table.horizontalScrollBar().valueChanged.connect(lambda _: self.update())
        table.usage_model.dataChanged.connect(lambda *_: self.update())

    def set_totals(self, table: Table, view: ViewState, note: str = "") -> None:
        """Show the totals of `table`; `note` states the part of the data that is loaded, "" if all is."""
        self._table, self._state = table, view
        self.label = totals_label(table, view, note, self._exact)
        self.setAccessibleName("; ".join([self.label, *map(self._described, table.figures)]))
        explain(self, self.label)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Show all digits of the total under the pointer in its tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            column = self._column_at(event.pos().x())
            self.setToolTip(tip(self.label if column is None else self._described(column)))
        return super().event(event)

    def set_indent(self, pixels: int) -> None:
        """Reserves room before the label, for a widget on top of it."""
        if pixels != self._indent:
            self._indent = pixels
            self._view.set_heads_indent(pixels)
            self.update()

    def _exact_totals(self) -> list[tuple[str, str]]:
        return [(column.label, self._exact_text(column)) for column in self._table.figures]

    def _described(self, column: FigureColumn) -> str:
        """Return the label and the total of a column, of money also how it is known."""
        origin = "" if column.origin is None else origin_text(column.origin.total)
        return f"{column.label}: {self._exact_text(column)}{f', {origin}' if origin else ''}"

    def _exact_text(self, column: FigureColumn) -> str:
        return self._exact.text(column.total, column.kind, column.unit)

    # Copying

    def copy_text(self) -> str:
        """Return labels and exact totals as two lines of tab-separated text."""
        totals = self._exact_totals()
        return "\t".join(label for label, _ in totals) + "\n" + "\t".join(copied(text) for _, text in totals)

    def menu(self, point: QPoint) -> QMenu:
        """Build the menu at a point of the row."""
        menu = QMenu(self)
        column = self._column_at(point.x())
        if column is not None:
            text = self._exact_text(column)
            menu.addAction(f"Copy &{menu_text(text)}").triggered.connect(
                lambda: self.copy_requested.emit(copied(text))
            )
        menu.addAction("Copy all &totals").triggered.connect(lambda: self.copy_requested.emit(self.copy_text()))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu."""
        menu = self.menu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy all totals with the copy shortcut."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit(self.copy_text())
        else:
            super().keyPressEvent(event)

    # Painting

    def sizeHint(self) -> QSize:
        """Return the height of a row with some padding."""
        return QSize(super().sizeHint().width(), row_height(self._view.font()) + UNIT)

    def minimumSizeHint(self) -> QSize:
        """Return the height of the row; any width is enough."""
        return QSize(0, self.sizeHint().height())

    def section_rect(self, column: ColumnKey | str) -> QRect:
        """Return the rectangle of a column's total; empty if the column isn't shown."""
        header, place = self._view.header, self._view.usage_model.section(column)
        if not 0 <= place < header.count() or header.isSectionHidden(place):
            return QRect()
        left = header.frozen.left(place) + self._view.viewport().x()
        return QRect(left, 0, header.sectionSize(place), self.height())

    def label_rect(self) -> QRect:
        """Return the rectangle of the label: from the first to the last head column."""
        rects = [self.section_rect(head.key) for head in self._table.heads]
        united = QRect()
        for rect in rects:
            united = united.united(rect)
        frozen = self._below_cells(self._view.header.frozen.frozen_area(self.height()))
        # A head that scrolls may be out of sight; the label then has the width of the frozen ones.
        return united.intersected(self.rect()).united(frozen) if frozen.width() else united

    def _below_cells(self, area: QRect) -> QRect:
        """Move an area of the table's viewport: from right to left, the scroll bar is before it."""
        return area.translated(self._view.viewport().x(), 0)

    def _column_at(self, x: int) -> FigureColumn | None:
        middle = self.height() // 2
        if not self._below_cells(self._view.header.frozen.scrolled_area(self.height())).contains(x, middle):
            return None
        return next((item for item in self._table.figures if self.section_rect(item.key).contains(x, middle)), None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the label, the totals and the focus."""
        palette = self.palette()
        base, ink = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        painter = QPainter(self)
        painter.fillRect(self.rect(), blend(base, ink, 0.05))
        painter.fillRect(0, 0, self.width(), 1, blend(base, ink, 0.22))
        font = QFont(self._view.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(ink)
        frozen = self._view.header.frozen
        painter.setClipRect(self._below_cells(frozen.scrolled_area(self.height())))  # not under the scroll bar
        for column in self._table.figures:
            place = self.section_rect(column.key)
            if place.intersects(self.rect()):
                text = column.total_text(self._view.usage_model.form)
                place.adjust(0, 0, -self._view.cells.room_beyond(text, column), 0)
                self._draw(painter, place, text, Qt.AlignmentFlag.AlignRight)
        painter.setClipRect(self._below_cells(QRect(0, 0, self._view.viewport().width(), self.height())))
        label = self.label_rect()
        if frozen.count:
            painter.fillRect(label.adjusted(0, 1, 0, 0), blend(base, ink, 0.05))  # figures may be scrolled under it
        self._draw(painter, label.adjusted(self._indent, 0, 0, 0), self.label, Qt.AlignmentFlag.AlignLeft)
        frozen.paint_edge(painter, self.height(), self._view.viewport().x())
        painter.setClipping(False)
        if self.hasFocus():
            painter.setPen(palette.color(QPalette.ColorRole.Highlight))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _draw(self, painter: QPainter, rect: QRect, text: str, side: Qt.AlignmentFlag) -> None:
        room = rect.adjusted(PADDING, 1, -PADDING, 0)
        if room.width() <= 0 or not room.intersects(self.rect()):
            return
        metrics: QFontMetrics = painter.fontMetrics()
        if metrics.horizontalAdvance(text) > room.width():
            if side == Qt.AlignmentFlag.AlignRight:
                text = "…"  # a number that loses digits would read as another number
            else:
                text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, text)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus."""
        super().focusOutEvent(event)
        self.update()
