"""Restores selection, current cell and scroll position after the table changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelection, QItemSelectionModel
from PySide6.QtWidgets import QTableView

from usage_viewer.domain.row_keys import find_rows, keys_of
from usage_viewer.domain.selection_stats import Range, picked_rows
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_model import TableModel

MOST_KEPT = 1000
"""A larger selection is cleared: nobody has picked its rows one by one."""
_FLAGS = QItemSelectionModel.SelectionFlag


@dataclass(frozen=True, slots=True)
class _Place:
    """Rows are indices into the columns of `table`; `column` is the current cell's, if there is one."""

    table: Table
    view: ViewState
    selected: NDArray[np.int64]
    current: NDArray[np.int64]
    column: str
    scrolled: tuple[int, int]


class SelectionKeeper:
    """Takes the place of `view` before its model is reset, and puts it back afterwards."""

    def __init__(self, view: QTableView, model: TableModel) -> None:
        self._view = view
        self._model = model
        self._place: _Place | None = None

    def take(self) -> None:
        view, model = self._view, self._model
        ranges = selected_ranges(view.selectionModel())
        few = sum(last - first + 1 for first, last in ranges) <= MOST_KEPT
        current = view.currentIndex()
        self._place = _Place(
            model.table,
            model.view,
            picked_rows(model.rows, ranges if few else []),
            picked_rows(model.rows, [(current.row(), current.row())] if current.isValid() else []),
            model.columns[current.column()].name if current.isValid() else "",
            (view.horizontalScrollBar().value(), view.verticalScrollBar().value()),
        )

    def put_back(self) -> None:
        place, self._place = self._place, None
        if place is None:
            return
        view = self._view
        follows = view.hasAutoScroll()
        view.setAutoScroll(False)
        selected, current = self._shown(place)
        if selected:
            ranges = merged([(row, row) for row in selected])
            view.selectionModel().select(selection_of(self._model, ranges), _FLAGS.ClearAndSelect)
        if current:
            index = self._model.index(current[0], max(self._model.section(place.column), 0))
            view.selectionModel().setCurrentIndex(index, _FLAGS.NoUpdate)
        view.setAutoScroll(follows)
        view.executeDelayedItemsLayout()
        same = replace(place.view, columns=()) == replace(self._model.view, columns=())
        view.horizontalScrollBar().setValue(place.scrolled[0])
        view.verticalScrollBar().setValue(place.scrolled[1] if same else 0)

    def _shown(self, place: _Place) -> tuple[list[int], list[int]]:
        """Where what was selected, and the current row, are shown now."""
        table = self._model.table
        rows = np.concatenate([place.selected, place.current])
        if not len(rows):
            return [], []
        if table is not place.table:
            rows = find_rows(table, keys_of(place.table, rows))
        count = len(place.selected)
        return self._places(rows[:count]), self._places(rows[count:])

    def _places(self, rows: NDArray[np.int64]) -> list[int]:
        wanted = np.zeros(self._model.table.rows, np.bool_)
        wanted[rows[rows >= 0]] = True
        places: list[int] = np.flatnonzero(wanted[self._model.rows]).tolist() if wanted.any() else []
        return places


def merged(ranges: Sequence[Range]) -> list[Range]:
    """In order, those that touch or overlap made one."""
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def selected_ranges(selection: QItemSelectionModel) -> list[Range]:
    """The selected rows as ranges in the order shown, however many they are; never row by row."""
    picked = selection.selection()
    return merged([(picked.at(place).top(), picked.at(place).bottom()) for place in range(picked.count())])


def selection_of(model: TableModel, ranges: Sequence[Range]) -> QItemSelection:
    """Whole rows."""
    selection = QItemSelection()
    last_column = model.columnCount() - 1
    for first, last in ranges:
        selection.select(model.index(first, 0), model.index(last, last_column))
    return selection
