"""Paints bars, lines, axes and the legend on any paint device, from a layout."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from PySide6.QtCore import QLine, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from usage_viewer.gui.chart.chart_colours import HATCH, LACKING, MISSING, ChartColours
from usage_viewer.gui.chart.chart_emphasis import NOWHERE, Emphasis
from usage_viewer.gui.chart.chart_frame import Box, Frame, LegendEntry, Tick
from usage_viewer.gui.chart.chart_layout import MORE, ChartLayout, StateRun
from usage_viewer.query.chart_buckets import BucketState
from usage_viewer.query.chart_series import ChartSeries, GroupKind

VEIL = 170
"""Opacity (0 to 255) of the ground over what is dimmed."""
PATTERN_WIDTH = 9
"""Pixels of a bar's width and height from which on its pattern is drawn: in a smaller one it is only noise."""
EDGED_WIDTH = 5
"""Pixels of a bar from which on a line divides its parts."""
_SHADED = {
    BucketState.NOT_LOADED: MISSING,
    BucketState.PARTLY_LOADED: MISSING,
    BucketState.IN_PROGRESS: HATCH,
    BucketState.FUTURE: Qt.BrushStyle.Dense7Pattern,
}


class ChartPainter:
    """Paints one chart of bars or a line.

    `states` are the names of the states in the legend, by `StateRun` kind; see `chart_face`.
    """

    def __init__(
        self,
        layout: ChartLayout,
        series: ChartSeries,
        colours: ChartColours,
        states: Sequence[tuple[BucketState, bool]] = (),
        state_names: Sequence[str] = (),
    ) -> None:
        self.layout, self._series, self._colours = layout, series, colours
        self._states, self._state_names = states, state_names
        self._fills = colours.fills(series.groups)
        self._entries = len(layout.frame.legend) and self._first_state()

    def _first_state(self) -> int:
        """Return the place of the first state among the legend's labels."""
        single = len(self._series.groups) == 1 and self._series.groups[0].kind is GroupKind.TOTAL
        return 0 if single else len(self._series.groups)

    def paint(self, painter: QPainter) -> None:
        """Paint the chart with nothing that stands out."""
        self._paint_months(painter)
        paint_ticks(painter, self.layout.frame, self.layout.y_ticks, self.layout.x_ticks, self._colours)
        for run in self.layout.runs:
            self._paint_run(painter, run)
        for group in range(len(self.layout.top)):
            self._paint_group(painter, group, self._rects[group])
        self._paint_edges(painter)
        self._paint_open(painter)
        self._paint_lines(painter)
        self._paint_names(painter)
        self._paint_legend(painter)

    def paint_emphasis(self, painter: QPainter, emphasis: Emphasis) -> None:
        """Paint what stands out over the finished chart, and dim the rest."""
        plot = self.layout.frame.plot
        if emphasis.dims:
            veil = QColor(self._colours.ground)
            veil.setAlpha(VEIL)
            painter.fillRect(_rect(plot), veil)
            self._paint_bright(painter, emphasis)
        if emphasis.brush is not None:
            self._paint_brush(painter, self.layout.bucket_box(*emphasis.brush))
        for place, style in ((emphasis.pointed, Qt.PenStyle.SolidLine), (emphasis.cursor, Qt.PenStyle.DashLine)):
            if place.across is not None and place.across < len(self.layout.left):
                box = self.layout.bucket_box(place.across, place.across)
                painter.setPen(QPen(self._colours.text, 1, style))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(box.x - 1.5, box.y - 0.5, box.width + 2, box.height + 1))
        self._paint_entry_ring(painter, emphasis)

    # Bars

    @cached_property
    def _rects(self) -> list[list[QRect]]:
        """The drawn parts of each series."""
        layout = self.layout
        left, width = layout.left.tolist(), (layout.right - layout.left).tolist()
        rows = zip(layout.top.tolist(), (layout.bottom - layout.top).tolist(), strict=True)
        return [
            [QRect(x, y, w, h) for x, w, y, h in zip(left, width, tops, heights, strict=True) if h]
            for tops, heights in rows
        ]

    def _paint_group(self, painter: QPainter, group: int, rects: list[QRect]) -> None:
        kind, colours = self._series.groups[group], self._colours
        painter.setPen(Qt.PenStyle.NoPen)
        if kind.kind is GroupKind.UNAVAILABLE:
            painter.setBrush(QBrush(self._fills[group], LACKING))
            painter.drawRects(rects)
            return
        painter.setBrush(self._fills[group])
        painter.drawRects(rects)
        pattern = colours.pattern(group, kind)
        if pattern is not Qt.BrushStyle.NoBrush and self._bar_width >= PATTERN_WIDTH:
            painter.setBrush(QBrush(colours.on_fill(self._fills[group]), pattern))
            painter.drawRects([rect for rect in rects if rect.height() >= PATTERN_WIDTH])

    @property
    def _bar_width(self) -> int:
        return int((self.layout.right - self.layout.left).max(initial=0))

    def _paint_edges(self, painter: QPainter) -> None:
        """Draw a line between stacked parts, which tells them apart without colour."""
        layout = self.layout
        if self._bar_width < EDGED_WIDTH or (len(layout.top) < 2 and not self._colours.strong):
            return
        lines = [
            QLine(rect.left(), rect.top(), rect.right(), rect.top())
            for rects in self._rects
            for rect in rects
            if rect.height() > 2
        ]
        painter.setPen(QPen(self._colours.text if self._colours.strong else self._colours.ground, 1))
        painter.drawLines(lines)

    def _paint_bright(self, painter: QPainter, emphasis: Emphasis) -> None:
        for group, rects in enumerate(self._bright_rects(emphasis)):
            if rects:
                self._paint_group(painter, group, rects)
        if not self._series.is_stacked:
            self._paint_lines(painter)

    def _bright_rects(self, emphasis: Emphasis) -> Iterable[list[QRect]]:
        """Yield for each series the parts that are not dimmed."""
        layout, pointed = self.layout, emphasis.pointed
        shape = layout.top.shape
        bright = np.zeros(shape, np.bool_)
        if pointed.down is not None and pointed.down < shape[0]:
            bright[pointed.down] = True
        elif pointed.across is not None and pointed.across < shape[1]:
            bright[:, pointed.across] = True
        elif emphasis.brush is not None:
            low, high = sorted(emphasis.brush)
            bright[:, low : high + 1] = True
        elif emphasis.selected is not None and emphasis.selected.shape == shape:
            bright = emphasis.selected
        bright = bright & (layout.bottom > layout.top)
        for group in range(shape[0]):
            yield [
                QRect(
                    int(layout.left[bucket]),
                    int(layout.top[group, bucket]),
                    int(layout.right[bucket] - layout.left[bucket]),
                    int(layout.bottom[group, bucket] - layout.top[group, bucket]),
                )
                for bucket in np.flatnonzero(bright[group]).tolist()
            ]

    # States

    def _paint_run(self, painter: QPainter, run: StateRun) -> None:
        """Hatch the whole height of buckets that are not complete: nothing there reads as 0."""
        box = self.layout.bucket_box(run.first, run.last)
        painter.setPen(Qt.PenStyle.NoPen)
        for style in _styles(run.state, run.unavailable):
            painter.setBrush(QBrush(self._colours.muted, style))
            painter.drawRect(_rect(box))

    def _paint_open(self, painter: QPainter) -> None:
        """Hatch the bars that are not complete, so that they do not read as final."""
        painter.setPen(Qt.PenStyle.NoPen)
        for run in self.layout.runs:
            if run.state in (BucketState.IN_PROGRESS, BucketState.PARTLY_LOADED):
                painter.setBrush(QBrush(self._colours.ground, HATCH))
                tops, bottoms = self.layout.top, self.layout.bottom
                for bucket in range(run.first, run.last + 1):
                    if len(tops) and (high := int(bottoms[:, bucket].max())) > (low := int(tops[:, bucket].min())):
                        x, right = int(self.layout.left[bucket]), int(self.layout.right[bucket])
                        painter.drawRect(QRect(x, low, right - x, high - low))

    def _paint_names(self, painter: QPainter) -> None:
        """Write the name of a state into its buckets where there is room."""
        names = dict(zip(self._states, self._state_names, strict=True))
        metrics = QFontMetricsF(painter.font())
        for run in self.layout.runs:
            name, box = names.get((run.state, run.unavailable), ""), self.layout.bucket_box(run.first, run.last)
            width, height = metrics.horizontalAdvance(name) + metrics.height(), metrics.height() * 1.3
            if name and run.state >= BucketState.NOT_LOADED and width <= box.width and height <= box.height:
                plate = QRectF(0, 0, width, height)
                plate.moveCenter(_rect(box).center())
                painter.setPen(self._colours.muted)
                painter.setBrush(self._colours.ground)
                painter.drawRoundedRect(plate, 3, 3)
                painter.setPen(self._colours.text)
                painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, name)

    # Lines

    def _paint_lines(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._fills and not self._series.is_stacked:
            self._paint_line(painter, self.layout.points, QPen(self._fills[0], 2), dots=True)
        dashed = QPen(self._colours.text, 1.5, Qt.PenStyle.DashLine)
        self._paint_line(painter, self.layout.compared, dashed, dots=False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_line(
        self, painter: QPainter, heights: "np.ndarray[tuple[int], np.dtype[np.float64]]", pen: QPen, *, dots: bool
    ) -> None:
        """Draw a line through the buckets with a number; a gap interrupts it."""
        centres = (self.layout.left + self.layout.right) / 2
        points = [
            None if np.isnan(y) else QPointF(x, y) for x, y in zip(centres.tolist(), heights.tolist(), strict=True)
        ]
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stretch in _stretches(points):
            painter.drawPolyline(QPolygonF(stretch))
        if dots and (self._bar_width >= 6 or sum(point is not None for point in points) < 3):
            painter.setBrush(pen.color())
            painter.setPen(Qt.PenStyle.NoPen)
            for point in points:
                if point is not None:
                    painter.drawEllipse(point, 2.5, 2.5)

    # Axes and legend

    def _paint_months(self, painter: QPainter) -> None:
        plot = self.layout.frame.plot
        painter.setPen(QPen(self._colours.grid, 1, Qt.PenStyle.DashLine))
        for x in self.layout.months:
            painter.drawLine(QPointF(x - 0.5, plot.y), QPointF(x - 0.5, plot.bottom))

    def _paint_legend(self, painter: QPainter) -> None:
        for entry in self.layout.frame.legend:
            swatch = paint_entry_text(painter, self.layout.frame, entry, self._colours)
            place = entry.index - self._entries
            if entry.index == MORE:
                continue
            painter.setPen(QPen(self._colours.muted, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if place >= 0:
                painter.drawRect(swatch)
                for style in _styles(*self._states[place]):
                    painter.fillRect(swatch, QBrush(self._colours.muted, style))
                continue
            group = self._series.groups[entry.index]
            if group.kind is GroupKind.UNAVAILABLE:
                painter.drawRect(swatch)
                painter.fillRect(swatch, QBrush(self._fills[entry.index], LACKING))
                continue
            painter.fillRect(swatch, self._fills[entry.index])
            pattern = self._colours.pattern(entry.index, group)
            painter.fillRect(swatch, QBrush(self._colours.on_fill(self._fills[entry.index]), pattern))

    def _paint_entry_ring(self, painter: QPainter, emphasis: Emphasis) -> None:
        """Mark the legend's entry of the series under the pointer or the keyboard."""
        down = emphasis.pointed.down if emphasis.pointed != NOWHERE else emphasis.cursor.down
        for entry in self.layout.frame.legend:
            if down is not None and entry.index == down and down < self._entries:
                painter.setPen(QPen(self._colours.text, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(_rect(entry.box).adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_brush(self, painter: QPainter, box: Box) -> None:
        painter.setPen(QPen(self._colours.accent, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(_rect(box))


def paint_ticks(
    painter: QPainter, frame: Frame, rows: Iterable[Tick], columns: Iterable[Tick], colours: ChartColours
) -> None:
    """Paint the horizontal grid with the figure's labels, and the labels of the time below the plot."""
    plot, half = frame.plot, frame.line_height / 2
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip
    before, after = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
    gap = frame.line_height * 0.4
    for tick in rows:
        painter.setPen(QPen(colours.muted if tick.text == "0" else colours.grid, 1))
        painter.drawLine(QPointF(plot.x, tick.at - 0.5), QPointF(plot.right, tick.at - 0.5))
        painter.setPen(colours.muted)
        if frame.mirrored:
            painter.drawText(QRectF(plot.right + gap, tick.at - half, 1, 2 * half), flags | after, tick.text)
        else:
            painter.drawText(QRectF(plot.x - gap - 1, tick.at - half, 1, 2 * half), flags | before, tick.text)
    painter.setPen(colours.muted)
    for tick in columns:
        below = QRectF(tick.at - 1, plot.bottom + half * 0.4, 1, 2 * half)
        painter.drawText(below, flags | (before if frame.mirrored else after), tick.text)


def paint_entry_text(painter: QPainter, frame: Frame, entry: LegendEntry, colours: ChartColours) -> QRectF:
    """Paint the text of a legend's entry, cut to its room; return the place of its swatch."""
    side, box = round(frame.line_height * 0.7), entry.box
    top = round(box.y + (box.height - side) / 2)
    x = box.right - side - 3 if frame.mirrored else box.x + 3
    room = box.width - side * 1.6 - 6
    text = QFontMetricsF(painter.font()).elidedText(entry.text, Qt.TextElideMode.ElideMiddle, room)
    place = QRectF(box.x + 2 if frame.mirrored else box.x + side * 1.6 + 3, box.y, room, box.height)
    align = Qt.AlignmentFlag.AlignRight if frame.mirrored else Qt.AlignmentFlag.AlignLeft
    painter.setPen(colours.text)
    painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
    return QRectF(round(x), top, side, side)


def _styles(state: BucketState, unavailable: bool) -> list[Qt.BrushStyle]:
    """Return the patterns of a bucket: its state, and whether a dimension is not available."""
    styles = [_SHADED[state]] if state in _SHADED else []
    return [*styles, LACKING] if unavailable else styles


def _stretches(points: Sequence[QPointF | None]) -> Iterable[list[QPointF]]:
    stretch: list[QPointF] = []
    for point in [*points, None]:
        if point is not None:
            stretch.append(point)
        elif stretch:
            yield stretch
            stretch = []


def _rect(box: Box) -> QRectF:
    return QRectF(box.x, box.y, box.width, box.height)
