"""Measures the chart with 365 days and 20 groups: its first paint, a repaint, a hover and the SVG file."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from random import Random
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
from lines import Line
from PySide6.QtCore import QEvent, QLocale, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from tests.rigs.usage import batch_of
from usage_viewer.app.chart import Chart, ChartRequest, load_chart
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

DAYS, GROUPS = 365, 20
SIZE = (1280, 260)
ROUNDS = 60
PEER = "pyqtgraph"
START = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
_None = Qt.MouseButton.NoButton


def measure() -> Iterator[Line]:
    application = QApplication.instance() or QApplication([])
    chart, loaded = _chart()
    yield Line("chart 365 × 20: read and add up, in a worker", loaded, "ms")
    begun = time.perf_counter()
    from usage_viewer.gui.chart.chart_texts import ChartTexts
    from usage_viewer.gui.chart.chart_view import ChartView

    imported = (time.perf_counter() - begun) * 1000
    begun = time.perf_counter()
    peer = _peer()
    peer_imported = (time.perf_counter() - begun) * 1000
    yield Line("chart: import", imported, "ms", PEER, peer_imported if peer else None, "≤ 50 ms", 50)
    texts, view = ChartTexts(chart, QLocale.c()), ChartView()
    firsts = [_first_paint(view, lambda: view.show_chart(texts)) for _ in range(ROUNDS // 3)]
    plot = _PeerPlot(peer) if peer else None
    beside = median(plot.first_paint() for _ in range(5)) if plot else None
    yield Line("chart 365 × 20: first paint", median(firsts), "ms", PEER, beside, "≤ 50 ms", 50)
    beside = median(plot.repaint() for _ in range(ROUNDS)) if plot else None
    yield Line("chart 365 × 20: repaint", median(_repaints(view)), "ms", PEER, beside, "≤ 16.7 ms", 16.7)
    beside = median(plot.hover(place) for place in range(ROUNDS)) if plot else None
    yield Line("chart 365 × 20: hover", median(_hovers(view)), "ms", PEER, beside, "≤ 2 ms", 2)
    from usage_viewer.gui.chart.chart_export import ChartPicture
    from usage_viewer.gui.chart.chart_face import Surface

    surface = Surface(*SIZE, view.font(), view.palette())
    picture = ChartPicture.of(chart, Names(), surface, QLocale.c())
    yield Line("chart 365 × 20: SVG", median(_timed(picture.svg) for _ in range(10)), "ms", "", None, "≤ 50 ms", 50)
    view.close()
    del application


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _chart() -> tuple[Chart, float]:
    """Return the chart of a year, and the milliseconds that it took to read."""
    random = Random(1)
    position = [item.name for item in DATASETS["completions"].dimensions].index("model")
    starts = [START + day * 86400 for day in range(DAYS)]
    rows: list[tuple[int, tuple[str | None, ...], dict[str, Any]]] = []
    for start in starts:
        for group in range(GROUPS):
            combination: list[str | None] = [None] * len(DATASETS["completions"].dimensions)
            combination[position] = f"model-{group}"
            rows.append((start, tuple(combination), {"input_tokens": random.randrange(10**9) // (group + 1)}))
    store = Store.open(None)
    now = START + 500 * 86400
    store.put(batch_of("completions", BucketWidth.DAY, starts, rows), now)
    session = StoreSession(store, clock=lambda: now)
    year = DateRange.days(date(2025, 1, 1), date(2025, 12, 31))
    view = ViewState(range=year, per=Granularity.DAY, columns=("input_tokens",))
    result = session.look(view)
    taken: list[float] = []
    charts = []
    for _ in np.arange(9):
        begun = time.perf_counter()
        charts.append(load_chart(session, result, ChartRequest("input_tokens", most_buckets=SIZE[0] // 3)))
        taken.append((time.perf_counter() - begun) * 1000)
    session.close()
    return charts[-1], median(taken)


def _first_paint(view: Any, show: Callable[[], object]) -> float:
    """Return the milliseconds from the chart's numbers to its picture in a window that is open."""
    view.show_message("")
    view.resize(*SIZE)
    view.show()
    QApplication.processEvents()
    begun = time.perf_counter()
    show()
    view.repaint()
    return (time.perf_counter() - begun) * 1000


def _repaints(view: Any) -> list[float]:
    """Return the milliseconds of repaints of everything, as after a change of the palette."""
    taken = []
    for _ in range(ROUNDS):
        view._drop_picture()
        taken.append(_timed(view.repaint))
    return taken


def _hovers(view: QWidget) -> list[float]:
    """Return the milliseconds of each move to another bar, with the repaint and the read-out."""
    taken = []
    for place in range(ROUNDS):
        point = QPointF(90 + place * 13, SIZE[1] * 0.7)
        event = QMouseEvent(QEvent.Type.MouseMove, point, point, _None, _None, Qt.KeyboardModifier.NoModifier)
        begun = time.perf_counter()
        QApplication.sendEvent(view, event)
        view.repaint()
        taken.append((time.perf_counter() - begun) * 1000)
        QApplication.processEvents()
    return taken


def _peer() -> ModuleType | None:
    try:
        import pyqtgraph
    except ImportError:
        return None
    module: ModuleType = pyqtgraph
    return module


class _PeerPlot:
    """The same bars in pyqtgraph, with one bar item for each group."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        random = Random(1)
        self._numbers = np.array(
            [[random.randrange(10**9) // (group + 1) for _ in range(DAYS)] for group in range(GROUPS)], float
        )
        self._widget: Any = None

    def first_paint(self) -> float:
        begun = time.perf_counter()
        self._widget = widget = self._module.PlotWidget()
        widget.resize(*SIZE)
        below = np.zeros(DAYS)
        for group, numbers in enumerate(self._numbers):
            colour = self._module.intColor(group)
            widget.addItem(
                self._module.BarGraphItem(x=np.arange(DAYS), y0=below, height=numbers, width=0.8, brush=colour)
            )
            below = below + numbers
        widget.show()
        QApplication.processEvents()
        widget.viewport().repaint()
        return (time.perf_counter() - begun) * 1000

    def repaint(self) -> float:
        return _timed(self._widget.viewport().repaint)

    def hover(self, place: int) -> float:
        point = QPointF(90 + place * 13, SIZE[1] * 0.7)
        event = QMouseEvent(QEvent.Type.MouseMove, point, point, _None, _None, Qt.KeyboardModifier.NoModifier)
        begun = time.perf_counter()
        QApplication.sendEvent(self._widget.viewport(), event)
        self._widget.viewport().repaint()
        return (time.perf_counter() - begun) * 1000
