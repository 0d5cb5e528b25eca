"""Measures scrolling by wheel, page and a dragged thumb, with a million rows shown."""

import time
from collections.abc import Callable, Iterator

from data import DIMENSIONS, million
from lines import Line, percentile
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QTableView
from window import BenchWindow, view_of

from usage_viewer.domain.period import Granularity

FRAMES = 1000
PLAIN_FRAMES = 150
NOTCH = QPoint(0, -120)
Index = QModelIndex | QPersistentModelIndex
GOALS = {"wheel": 16.7, "page": 33.0, "thumb": 33.0}


def measure() -> Iterator[Line]:
    held = million()
    with BenchWindow(held) as window:
        window.show(view_of(held, Granularity.HOUR, DIMENSIONS))
        plain = _plain_view(window)
        for name, step in _steps(window.table).items():
            ours = _frames(window.table, step, FRAMES)
            theirs = _frames(plain, _steps(plain)[name], PLAIN_FRAMES)
            for part, label in ((0.5, "median"), (0.99, "p99")):
                yield Line(
                    f"scroll 1M, {name}: {label} of a frame",
                    percentile(ours, part),
                    "ms",
                    "plain QTableView on lists",
                    percentile(theirs, part),
                    f"≤ {GOALS[name]} ms" if part == 0.99 else "",
                    GOALS[name] if part == 0.99 else None,
                )
        _check(window)
        plain.close()


def _frames(view: QTableView, step: Callable[[int], None], frames: int) -> list[float]:
    """Return the milliseconds of each step with its repaint."""
    bar = view.verticalScrollBar()
    bar.setValue(0)
    QApplication.processEvents()
    taken = []
    for number in range(frames):
        begun = time.perf_counter()
        step(number)
        view.viewport().repaint()
        taken.append((time.perf_counter() - begun) * 1000)
        QApplication.processEvents()
    return taken


def frames_by_wheel(view: QTableView, frames: int) -> list[float]:
    """Return the milliseconds of each frame."""
    return _frames(view, _steps(view)["wheel"], frames)


def _steps(view: QTableView) -> dict[str, Callable[[int], None]]:
    """Yield the steps of a user: a notch of the wheel, a page, the thumb 3 pixels further."""
    bar = view.verticalScrollBar()

    def wheel(number: int) -> None:
        place = QPointF(view.viewport().rect().center())
        event = QWheelEvent(
            place,
            view.viewport().mapToGlobal(place),
            QPoint(),
            NOTCH,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view.viewport(), event)

    def page(number: int) -> None:
        bar.setValue(bar.value() + bar.pageStep())

    def thumb(number: int) -> None:
        bar.setValue(bar.value() + bar.maximum() // 700 * 3 if bar.value() < bar.maximum() else 0)

    return {"wheel": wheel, "page": page, "thumb": thumb}


def _check(window: BenchWindow) -> None:
    """Check that the last painted row shows the values of its columns."""
    model = window.table.usage_model
    row = model.rowCount() - 1
    place = model.section("input_tokens")
    at = int(model.rows[row])
    column = model.table.figures[0]
    assert int(model.index(row, place).data(256)) == int(model.table.figure("input_tokens").figures.values[at])
    assert len(column.figures) == model.rowCount()


def _plain_view(window: BenchWindow) -> QTableView:
    """Return a view of the same size with the same first rows, from a list of lists."""
    source = window.table.usage_model
    blocks = [[source.texts(block, place) for place in range(source.columnCount())] for block in range(300)]
    rows = [list(cells) for block in blocks for cells in zip(*block, strict=True)]
    view = QTableView()
    view.setModel(_Lists(rows * 52, view))
    view.resize(window.table.size())
    view.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
    view.show()
    QApplication.processEvents()
    return view


class _Lists(QAbstractTableModel):
    def __init__(self, rows: list[list[str]], view: QTableView) -> None:
        super().__init__(view)
        self._rows = rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows[0])

    def data(self, index: Index, role: int = 0) -> str | None:
        return self._rows[index.row()][index.column()] if role == Qt.ItemDataRole.DisplayRole else None
