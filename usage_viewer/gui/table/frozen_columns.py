"""Keeps the period and group columns in sight while the other columns scroll sideways."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QHeaderView

from usage_viewer.domain.table import GroupColumn, PeriodColumn
from usage_viewer.gui.table.table_model import TableModel
from usage_viewer.gui.widgets.theme import blend

LARGEST_SHARE = 0.5
"""The largest part of the table's width that frozen columns may take; a column that exceeds it scrolls."""


class FrozenColumns:
    """Says where each column is shown: the leading head columns stay at the edge where rows begin.

    Header, cells and totals are painted by this program, so that a frozen column is no second table: all three
    draw the scrolled columns first, clipped to `scrolled_area`, and then the frozen ones. Positions are pixels of
    the header's viewport.
    """

    def __init__(self, header: QHeaderView, model: TableModel) -> None:
        self._header, self._model = header, model

    @property
    def count(self) -> int:
        """Number of leading columns that are frozen now; 0 if nothing is scrolled."""
        header, columns = self._header, self._model.columns
        if header.offset() <= 0:
            return 0
        room, count = int(header.viewport().width() * LARGEST_SHARE), 0
        while count < min(len(columns), header.count()) and isinstance(columns[count], PeriodColumn | GroupColumn):
            room -= header.sectionSize(count)
            if room < 0:
                break
            count += 1
        return count

    @property
    def width(self) -> int:
        """Width of all frozen columns; 0 if nothing is scrolled."""
        return sum(map(self._header.sectionSize, range(self.count)))

    def left(self, section: int) -> int:
        """Return the left edge of a column as it is shown."""
        header, columns = self._header, self._model.columns
        is_head = section < len(columns) and isinstance(columns[section], PeriodColumn | GroupColumn)
        if not is_head or section >= self.count:  # of 60 figures, none is asked how many are frozen
            return header.sectionViewportPosition(section)
        before = sum(map(header.sectionSize, range(section)))
        if header.isRightToLeft():
            return header.viewport().width() - before - header.sectionSize(section)
        return before

    def section_at(self, x: int) -> int:
        """Return the column that is shown at `x`, -1 after the last one."""
        return self._header.logicalIndexAt(x + self.shift(x))

    def shift(self, x: int) -> int:
        """Return the distance from `x` to the same point of the column where the header itself has it."""
        header, width = self._header, self.width
        if header.isRightToLeft():
            return header.offset() if x >= header.viewport().width() - width else 0
        return -header.offset() if x < width else 0

    def scrolled_area(self, height: int) -> QRect:
        """Return the area of the columns that scroll, from the top to `height`."""
        whole, width = self._header.viewport().width(), self.width
        return QRect(0 if self._header.isRightToLeft() else width, 0, whole - width, height)

    def frozen_area(self, height: int) -> QRect:
        """Return the area of the frozen columns, from the top to `height`."""
        whole, width = self._header.viewport().width(), self.width
        return QRect(whole - width if self._header.isRightToLeft() else 0, 0, width, height)

    def paint_edge(self, painter: QPainter, height: int, start: int = 0) -> None:
        """Draw the line between the frozen and the scrolled columns, if any are frozen.

        `start` is where the cells begin, in pixels of the painted widget.
        """
        area = self.frozen_area(height)
        if area.width():
            x = area.left() if self._header.isRightToLeft() else area.right()
            painter.fillRect(start + x, 0, 1, height, self._edge())

    def _edge(self) -> QColor:
        palette = self._header.palette()
        return blend(palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text), 0.45)


def reveal(view_left: int, width: int, area: QRect, direction: Qt.LayoutDirection) -> int:
    """Return by how much the scroll bar must move so that a column is not under the frozen ones.

    `view_left` and `width` are the column's place, `area` is the scrolled area. A column wider than the area shows
    its beginning.
    """
    if direction == Qt.LayoutDirection.RightToLeft:
        hidden = view_left + width - 1 - area.right()
    else:
        hidden = area.left() - view_left
    return -max(hidden, 0)
