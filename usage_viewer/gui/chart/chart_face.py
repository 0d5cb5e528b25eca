"""Defines the faces of a chart: how bars and heat maps are laid out, painted, hit, walked through and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPalette

from usage_viewer.gui.chart.chart_colours import ChartColours
from usage_viewer.gui.chart.chart_emphasis import NOWHERE, Emphasis, Place
from usage_viewer.gui.chart.chart_frame import Box, Frame
from usage_viewer.gui.chart.chart_layout import ChartLayout, lay_out, legend_of
from usage_viewer.gui.chart.chart_painter import ChartPainter
from usage_viewer.gui.chart.chart_texts import ChartTexts, ReadoutLine, legend_labels
from usage_viewer.gui.chart.chart_ticks import months_between
from usage_viewer.gui.chart.heat_layout import lay_out_heat
from usage_viewer.gui.chart.heat_painter import HeatPainter
from usage_viewer.query.chart_buckets import BucketState
from usage_viewer.query.chart_series import GroupKind
from usage_viewer.query.heat_map import DAYS, HOURS


@dataclass(frozen=True)
class Surface:
    """Describes what a chart is drawn on: its size in pixels, its font, its palette and its direction."""

    width: float
    height: float
    font: QFont
    palette: QPalette
    mirrored: bool = False
    week_start: int = 0

    def frame(self) -> Frame:
        """Return the empty frame of the surface."""
        metrics = QFontMetricsF(self.font)
        return Frame.of(
            self.width, self.height, metrics.height(), metrics.horizontalAdvance, mirrored=self.mirrored
        )


class ChartFace(Protocol):
    """Draws a chart on a surface and answers what is where."""

    def paint(self, painter: QPainter) -> None:
        """Paint the chart with nothing that stands out."""

    def paint_emphasis(self, painter: QPainter, emphasis: Emphasis) -> None:
        """Paint what stands out over the finished chart."""

    def hit(self, point: QPointF) -> Place:
        """Return the place at a point; `NOWHERE` beside the bars."""

    def box(self, place: Place) -> Box:
        """Return the area of a place, which has a part across."""

    def first(self) -> Place:
        """Return the place where the keyboard begins; `NOWHERE` if there is none."""

    def step(self, place: Place, key: Qt.Key) -> Place:
        """Return the place that a key goes to."""

    def readout(self, place: Place) -> list[ReadoutLine]:
        """Return the lines about a place, which has a part across."""

    def say(self, place: Place) -> str:
        """Return one sentence about a place, which has a part across."""


class BarsFace:
    """Shows bars or a line. Places are buckets across and series down."""

    def __init__(self, texts: ChartTexts, surface: Surface) -> None:
        series = texts.series
        marks = zip(series.buckets.states.tolist(), series.buckets.unavailable.tolist(), strict=True)
        states = [
            (BucketState(state), unavailable)
            for state, unavailable in dict.fromkeys(marks)
            if state > BucketState.MAY_CHANGE or unavailable
        ]
        names = [texts.state(state, unavailable=unavailable) for state, unavailable in states]
        frame = legend_of(legend_labels(series, names), surface.frame())
        self._texts, self._series = texts, series
        self.layout: ChartLayout = lay_out(series, frame, texts.axis(surface.week_start))
        self._painter = ChartPainter(self.layout, series, ChartColours.of(surface.palette), states, names)
        self._month = months_between(series.buckets.periods)

    def paint(self, painter: QPainter) -> None:
        self._painter.paint(painter)

    def paint_emphasis(self, painter: QPainter, emphasis: Emphasis) -> None:
        self._painter.paint_emphasis(painter, emphasis)

    def hit(self, point: QPointF) -> Place:
        x, y = point.x(), point.y()
        entry = self.layout.frame.legend_at(x, y)
        if entry is not None:
            return Place(None, entry) if self._is_series(entry) else NOWHERE
        plot = self.layout.frame.plot
        bucket = self.layout.bucket_at(x) if plot.y - 1 <= y <= plot.bottom else None
        return NOWHERE if bucket is None else Place(bucket, self.layout.group_at(bucket, y))

    def _is_series(self, entry: int) -> bool:
        groups = self._series.groups
        single = len(groups) == 1 and groups[0].kind is GroupKind.TOTAL
        return not single and 0 <= entry < len(groups)

    def box(self, place: Place) -> Box:
        assert place.across is not None
        return self.layout.bucket_box(place.across, place.across)

    def first(self) -> Place:
        known = [bucket for bucket in range(len(self._series.totals)) if self._texts.is_known(bucket)]
        return Place(known[-1]) if known else NOWHERE

    def step(self, place: Place, key: Qt.Key) -> Place:
        last, across = len(self._series.totals) - 1, place.across or 0
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageUp: -self._month,
            Qt.Key.Key_PageDown: self._month,
            Qt.Key.Key_Home: -last,
            Qt.Key.Key_End: last,
        }
        if key in steps:
            return Place(min(max(across + steps[key], 0), last), place.down)
        return Place(across, self._next_group(place.down, up=key == Qt.Key.Key_Up))

    def _next_group(self, group: int | None, *, up: bool) -> int | None:
        """Return the series above or below; beyond the last one there is the whole bar."""
        count = len(self._series.groups) if self._is_series(0) else 0
        order: list[int | None] = [None, *range(count)]  # the first series is the lowest part of a bar
        return order[(order.index(group) + (1 if up else -1)) % len(order)]

    def readout(self, place: Place) -> list[ReadoutLine]:
        assert place.across is not None
        return self._texts.readout(place.across)

    def say(self, place: Place) -> str:
        assert place.across is not None
        return self._texts.say(place.across, place.down)


class HeatFace:
    """Shows a heat map. Places are hours across and weekdays down."""

    def __init__(self, texts: ChartTexts, surface: Surface) -> None:
        heat = texts.chart.heat_map
        assert heat is not None, "a chart of bars has no cells"
        self._texts = texts
        self.layout = lay_out_heat(surface.frame(), texts.day_names(), texts.hour_names(), surface.week_start)
        self._painter = HeatPainter(self.layout, heat, texts, ChartColours.of(surface.palette))

    def paint(self, painter: QPainter) -> None:
        self._painter.paint(painter)

    def paint_emphasis(self, painter: QPainter, emphasis: Emphasis) -> None:
        self._painter.paint_emphasis(painter, emphasis)

    def hit(self, point: QPointF) -> Place:
        cell = self.layout.cell_at(point.x(), point.y())
        return NOWHERE if cell is None else Place(cell[1], cell[0])

    def box(self, place: Place) -> Box:
        assert place.across is not None
        assert place.down is not None
        return self.layout.cell_box(place.down, place.across)

    def first(self) -> Place:
        return Place(0, self.layout.days[0])

    def step(self, place: Place, key: Qt.Key) -> Place:
        hour, row = place.across or 0, self._row(place)
        across = {
            Qt.Key.Key_Left: hour - 1,
            Qt.Key.Key_Right: hour + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: HOURS - 1,
        }
        down = {
            Qt.Key.Key_Up: row - 1,
            Qt.Key.Key_Down: row + 1,
            Qt.Key.Key_PageUp: 0,
            Qt.Key.Key_PageDown: DAYS - 1,
        }
        hour = min(max(across.get(key, hour), 0), HOURS - 1)
        return Place(hour, self.layout.days[min(max(down.get(key, row), 0), DAYS - 1)])

    def _row(self, place: Place) -> int:
        return 0 if place.down is None else self.layout.days.index(place.down)

    def readout(self, place: Place) -> list[ReadoutLine]:
        assert place.across is not None
        assert place.down is not None
        return self._texts.cell_lines(place.down, place.across)

    def say(self, place: Place) -> str:
        assert place.across is not None
        assert place.down is not None
        return self._texts.say_cell(place.down, place.across)


def face_of(texts: ChartTexts, surface: Surface) -> ChartFace | None:
    """Return the face of a chart; None if it has nothing to draw."""
    chart = texts.chart
    if chart.heat_map is not None and not chart.problem:
        return HeatFace(texts, surface)
    if chart.series is not None and not chart.problem:
        return BarsFace(texts, surface)
    return None


def keys_of_steps() -> Sequence[Qt.Key]:
    """Return the keys that move in a chart."""
    key = Qt.Key
    return (
        key.Key_Left,
        key.Key_Right,
        key.Key_Up,
        key.Key_Down,
        key.Key_PageUp,
        key.Key_PageDown,
        key.Key_Home,
        key.Key_End,
    )
