"""Measures sorting, from a click on a column head to the repaint, with all stored rows shown."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from data import DIMENSIONS, HeldBuckets, million, ten_million
from lines import Line, interleaved
from numpy.typing import NDArray
from peers import Peers
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from window import BenchWindow, view_of

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.table.table_model import TableModel

PROXY_ROWS = 100_000
COLUMNS = {"output_tokens": "integer", "user_id": "text"}
TIES = (
    "numpy.argsort here orders small codes that are ready, once and without a window; ours ranks names, keeps "
    "ties in the rows' own order and repaints. Tried: 16 bits at a time by counting (kept: 14 instead of 55 "
    "ms for codes), the column's codes only where asked for, moving digits instead of keys (kept), "
    "halves in two threads (5 of 25 ms). The limit is a pass of 9 to 13 ms over 16 bits of a million rows; of ten "
    "million, which the caches don't hold, numpy takes 17 times as long."
)
Index = QModelIndex | QPersistentModelIndex


def measure() -> Iterator[Line]:
    for held, size in ((million(), "1M"), (ten_million(), "10M")):
        with BenchWindow(held) as window:
            window.show(view_of(held, Granularity.HOUR, DIMENSIONS))
            ours = {name: _clicked(window, name, 7 if size == "1M" else 3) for name in COLUMNS}
            figures = window.table.usage_model.table.by_name["output_tokens"]
            assert isinstance(figures, FigureColumn)
            for name, taken in ours.items():
                yield from _beside_engines(held, size, name, taken)
        if size == "1M":
            yield _beside_proxy(figures.figures.values, ours["output_tokens"])


def _clicked(window: BenchWindow, name: str, rounds: int) -> float:
    """Return the median milliseconds of clicks on a head, each after a click on another one."""
    taken = []
    for number in range(rounds + 1):
        window.show(window.table.view.with_order((SortKey("num_model_requests", number % 2 == 0),)))
        taken.append(window.show(window.table.view.with_order((SortKey(name, True),))))
        _check(window.table.usage_model, name)
    return statistics.median(taken[1:])


def _check(model: TableModel, name: str) -> None:
    column, rows = model.table.by_name[name], model.rows
    assert (np.bincount(rows, minlength=model.table.rows) == 1).all(), "a row is lost"
    if isinstance(column, FigureColumn):
        values = column.figures.values[rows]
        assert (values[1:] <= values[:-1]).all(), "not in order"
    else:
        assert isinstance(column, GroupColumn)
        shown = [
            column.labels[code].casefold()
            for code in column.codes[rows].tolist()
            if column.values[code] is not None
        ]
        assert shown == sorted(shown, reverse=True), "not in order"


def _beside_engines(held: HeldBuckets, size: str, name: str, ours: float) -> Iterator[Line]:
    frame = Peers(held).polars
    key = frame[name].to_physical().to_numpy()
    engines = interleaved(
        {
            "polars, in memory": lambda: frame.sort(name, descending=True),
            "numpy.argsort": lambda: np.argsort(key, kind="stable"),
        },
        3,
    )
    limit = 1.2 * min(engines.values()) + 10
    for peer, beside in engines.items():
        yield Line(
            f"sort {size}: {COLUMNS[name]} column",
            ours,
            "ms",
            peer,
            beside,
            "≤ 1.2 × the fastest + 10 ms",
            limit,
            note=TIES,
        )
    if size == "1M":
        yield Line(f"sort {size}: {COLUMNS[name]} column", ours, "ms", "", None, "≤ 100 ms", 100)


def _beside_proxy(values: NDArray[Any], ours: float) -> Line:
    """Return ten times the milliseconds of a proxy model for a tenth of the rows, which flatters the proxy."""
    model = _Cells(values[:PROXY_ROWS].tolist())
    proxy = QSortFilterProxyModel()
    proxy.setSourceModel(model)
    begun = time.perf_counter()
    proxy.sort(0)
    taken = (time.perf_counter() - begun) * 1000 * len(values) / PROXY_ROWS
    return Line(
        "sort 1M: as fast as a proxy, times",
        taken / ours,
        "×",
        "QSortFilterProxyModel, 10 × 100,000 rows",
        1.0,
        "≥ 1,000 ×",
        1000,
        at_least=True,
    )


class _Cells(QAbstractTableModel):
    """A plain Python model over a list."""

    def __init__(self, values: list[int]) -> None:
        super().__init__()
        self._values = values

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._values)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = 0) -> Any:
        return self._values[index.row()] if role == Qt.ItemDataRole.DisplayRole else None
