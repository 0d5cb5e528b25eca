"""Measures Ctrl+A and Ctrl+C: a million rows selected and painted, then on the clipboard."""

import statistics
import time
from collections.abc import Iterator

import polars as pl
from data import DIMENSIONS, METRICS, HeldBuckets, million
from lines import Line
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from window import BenchWindow, view_of

from usage_viewer.domain.period import Granularity
from usage_viewer.gui.clipboard.clipboard import prepare, put
from usage_viewer.gui.clipboard.copy_controller import Chosen

MANY = 100_000
TEXTS = (
    "Texts are joined in Python, row by row, in steps that let the window live. Tried: numbers through a JSON "
    "encoder (kept), groups joined once a group instead of once a row (kept), labels finished once a "
    "format and CSV made from the TSV (kept: 0.42 instead of 0.65 s). Tried beside it, in its processor time: all "
    "counts of a row through one JSON encoder (1.3 times), fixed-width bytes of numpy without their padding (2.5 "
    "times), DuckDB's CSV writer after a join with the texts (1.1 times). The limit is joining eight texts a row."
)


def measure() -> Iterator[Line]:
    held = million()
    with BenchWindow(held) as window:
        window.show(view_of(held, Granularity.HOUR, DIMENSIONS))
        picks, copies = [], []
        for _ in range(4):
            window.table.clearSelection()
            window.settle()
            picks.append(select(window))
            copies.append(_copy(window, held, held.rows))
        yield Line("Ctrl+A 1M: to painted", statistics.median(picks[1:]), "ms", "", None, "≤ 100 ms", 100)
        taken = statistics.median(copies[1:]) / 1000
        polars = _polars(window)
        goal = 1.5 * polars
        yield Line("Ctrl+C 1M as TSV", taken, "s", "polars write_csv", polars, "≤ 1.5 ×", goal, note=TEXTS)
        both = taken + statistics.median(picks[1:]) / 1000
        yield Line("Ctrl+A and Ctrl+C 1M together", both, "s", "", None, "≤ 2 s", 2.0)
        yield _hundred_thousand(window)


def press(window: BenchWindow, key: Qt.Key) -> None:
    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.ControlModifier)
    QApplication.sendEvent(window.table, event)


def select(window: BenchWindow) -> float:
    begun = time.perf_counter()
    press(window, Qt.Key.Key_A)
    window.table.viewport().repaint()
    taken = (time.perf_counter() - begun) * 1000
    window.settle()
    rows = sum(last - first + 1 for first, last in window.table.selected_rows())
    assert rows == window.table.usage_model.rowCount()
    return taken


def _copy(window: BenchWindow, held: HeldBuckets, rows: int) -> float:
    """Return the milliseconds from Ctrl+C to the text on the clipboard; check its sums."""
    done: list[str] = []
    window.window.parts.copying.done.connect(done.append)
    begun = time.perf_counter()
    press(window, Qt.Key.Key_C)
    window.until(lambda: bool(done))
    taken = (time.perf_counter() - begun) * 1000
    window.window.parts.copying.done.disconnect(done.append)
    _check(window, held, rows)
    return taken


def _check(window: BenchWindow, held: HeldBuckets, rows: int) -> None:
    text = bytes(QApplication.clipboard().mimeData().data("text/plain").data())
    assert text.count(b"\n") == rows + 1
    table = pl.read_csv(text, separator="\t", infer_schema_length=1000)
    if rows == held.rows:
        for name in METRICS:
            label = window.table.usage_model.table.by_name[name].label
            assert int(table[label].sum()) == held.total(name), name


def _polars(window: BenchWindow) -> float:
    """Return the seconds in which polars writes the same table as text, from its own columns."""
    text = bytes(QApplication.clipboard().mimeData().data("text/plain").data())
    frame = pl.read_csv(text, separator="\t", infer_schema_length=1000)
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        frame.write_csv(separator="\t")
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _hundred_thousand(window: BenchWindow) -> Line:
    """Measures TSV, HTML and CSV of 100,000 rows and the clipboard, also if a copy would not make all three."""
    last = window.workspace.last
    assert last is not None
    chosen = Chosen(last, [(0, MANY - 1)], window.workspace.names)
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        rendered = prepare(chosen.export(), largest=2**40)
        put(rendered, QApplication.clipboard())
        taken.append(time.perf_counter() - begun)
    formats = QApplication.clipboard().mimeData().formats()
    assert {"text/plain", "text/html", "text/csv"} <= set(formats), formats
    name = "Ctrl+C 100,000 rows in all flavours"
    return Line(name, statistics.median(taken), "s", "", None, "≤ 0.5 s", 0.5, note=TEXTS)
