"""Shows the exact figures of the bar under the pointer or the keyboard."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from usage_viewer.gui.chart.chart_texts import ReadoutLine
from usage_viewer.gui.widgets.theme import UNIT, edge_colour

_GAP = UNIT + UNIT // 2
_WIDEST_LABEL = 34 * UNIT
"""Pixels of a label; a longer one is cut in the middle."""


class Readout(QWidget):
    """Lies over the window beside a bar; the pointer goes through it. It may cover the table, but no bar."""

    def __init__(self, chart: QWidget) -> None:
        super().__init__(chart)
        self._chart = chart
        self.lines: Sequence[ReadoutLine] = ()
        self._current: int | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_lines(self, lines: Sequence[ReadoutLine], current: int | None, beside: QRect) -> None:
        """Show lines beside an area of the chart; the line of the series `current` stands out."""
        window = self._chart.window()
        if self.parentWidget() is not window:
            self.setParent(window)  # its parent is not final before the window is built
        self.lines, self._current = lines, current
        self.resize(self._needed())
        self.move(self._place(beside, window.size()))
        if not self.isVisible():
            self.show()
        self.raise_()
        self.update()

    def _needed(self) -> QSize:
        metrics, bold = QFontMetrics(self._chart.font()), QFontMetrics(self._bold())
        labels = max(min(bold.horizontalAdvance(line.label), _WIDEST_LABEL) for line in self.lines)
        numbers = max(bold.horizontalAdvance(line.number) for line in self.lines)
        return QSize(
            labels + (numbers + _GAP if numbers else 0) + 2 * UNIT,
            len(self.lines) * (metrics.height() + 1) + UNIT,
        )

    def _place(self, beside: QRect, room: QSize) -> QPoint:
        """Return the place right of the area, or left of it, within the window."""
        corner = self._chart.mapTo(self._chart.window(), beside.topLeft())
        right, left = corner.x() + beside.width() + _GAP, corner.x() - _GAP - self.width()
        fits_right = right + self.width() <= room.width()
        mirrored = self._chart.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = left if (mirrored and left >= 0) or not fits_right else right
        y = min(corner.y(), room.height() - self.height())
        return QPoint(max(0, x), max(0, y))

    def _bold(self) -> QFont:
        font = QFont(self._chart.font())
        font.setBold(True)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self._chart.palette()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(edge_colour(palette))
        painter.setBrush(palette.color(QPalette.ColorRole.ToolTipBase))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(palette.color(QPalette.ColorRole.ToolTipText))
        plain, bold = self._chart.font(), self._bold()
        height = QFontMetrics(plain).height() + 1
        side = Qt.AlignmentFlag
        before, after = side.AlignLeft, side.AlignRight
        if self._chart.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            before, after = after, before
        for row, line in enumerate(self.lines):
            stands_out = row == 0 or (line.series is not None and line.series == self._current)
            painter.setFont(bold if stands_out else plain)
            place = QRect(UNIT, UNIT // 2 + row * height, self.width() - 2 * UNIT, height)
            label = painter.fontMetrics().elidedText(line.label, Qt.TextElideMode.ElideMiddle, _WIDEST_LABEL)
            painter.drawText(place, before | side.AlignVCenter | Qt.TextFlag.TextSingleLine, label)
            painter.drawText(place, after | side.AlignVCenter | Qt.TextFlag.TextSingleLine, line.number)
        painter.end()
