"""Paints a heat map on any paint device, from a layout."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen

from usage_viewer.gui.chart.chart_colours import HATCH, ChartColours
from usage_viewer.gui.chart.chart_emphasis import Emphasis, Place
from usage_viewer.gui.chart.chart_painter import paint_ticks
from usage_viewer.gui.chart.chart_texts import ChartTexts
from usage_viewer.gui.chart.heat_layout import HeatLayout, cell_number, strength
from usage_viewer.query.heat_map import DAYS, HOURS, HeatMap


class HeatPainter:
    """Paints one heat map; a cell has its number where there is room."""

    def __init__(self, layout: HeatLayout, heat: HeatMap, texts: ChartTexts, colours: ChartColours) -> None:
        self._layout, self._heat, self._texts, self._colours = layout, heat, texts, colours

    def paint(self, painter: QPainter) -> None:
        """Paint the heat map with nothing that stands out."""
        layout = self._layout
        paint_ticks(painter, layout.frame, (), layout.hour_ticks, self._colours)
        self._paint_days(painter)
        for day in range(DAYS):
            for hour in range(HOURS):
                self._paint_cell(painter, day, hour)

    def paint_emphasis(self, painter: QPainter, emphasis: Emphasis) -> None:
        """Outline the cell under the pointer and the one of the keyboard."""
        for place, style in ((emphasis.pointed, Qt.PenStyle.SolidLine), (emphasis.cursor, Qt.PenStyle.DashLine)):
            if place.across is not None and place.down is not None:
                painter.setPen(QPen(self._colours.text, 2, style))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self._rect(place))

    def _rect(self, place: Place) -> QRectF:
        assert place.across is not None
        assert place.down is not None
        box = self._layout.cell_box(place.down, place.across)
        return QRectF(box.x, box.y, box.width, box.height)

    def _paint_days(self, painter: QPainter) -> None:
        frame = self._layout.frame
        plot = frame.plot.mirrored(frame.width) if frame.mirrored else frame.plot
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip
        gap, half = frame.line_height * 0.4, frame.line_height / 2
        painter.setPen(self._colours.muted)
        for tick in self._layout.day_ticks:
            if frame.mirrored:
                place, align = QRectF(plot.right + gap, tick.at - half, 1, 2 * half), Qt.AlignmentFlag.AlignLeft
            else:
                place, align = QRectF(plot.x - gap - 1, tick.at - half, 1, 2 * half), Qt.AlignmentFlag.AlignRight
            painter.drawText(place, flags | align, tick.text)

    def _paint_cell(self, painter: QPainter, day: int, hour: int) -> None:
        rect, share = self._rect(Place(hour, day)), strength(self._heat, day, hour, averaged=True)
        painter.setPen(Qt.PenStyle.NoPen)
        if share is None:  # nothing is known of this hour: it must not read as 0
            painter.setPen(QPen(self._colours.grid, 1))
            painter.setBrush(QBrush(self._colours.muted, HATCH))
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
            return
        fill = self._colours.heat(abs(share)) if share else self._colours.ground
        if not share:
            painter.setPen(QPen(self._colours.grid, 1))
        painter.setBrush(fill)
        painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5) if not share else rect)
        number = cell_number(self._heat, day, hour, averaged=True)
        text = "" if number is None else self._texts.cell(number)
        metrics = QFontMetricsF(painter.font())
        if metrics.horizontalAdvance(text) + 4 <= rect.width() and metrics.height() <= rect.height():
            painter.setPen(self._colours.text_on(fill) if share else self._colours.muted)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
