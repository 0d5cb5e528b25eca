"""`KeptPlace`: selection, current cell and scroll position, carried over from one table to the next by row keys."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QItemSelection, QItemSelectionModel
from PySide6.QtWidgets import QTableView

from usage_viewer.domain.view import ViewState
from usage_viewer.gui.row_keys import RowKeys, find_rows, keys_of
from usage_viewer.gui.selection_stats import Range
from usage_viewer.gui.usage_model import UsageModel

MOST_KEPT = 1000
"""A larger selection is cleared: nobody has picked its rows one by one."""
_FLAGS = QItemSelectionModel.SelectionFlag


@dataclass(frozen=True, slots=True)
class _Place:
    view: ViewState
    selected: RowKeys | None
    current: RowKeys | None
    column: str
    scrolled: tuple[int, int]


class KeptPlace:
    """Takes the place of `view` before its model is reset, and puts it back afterwards."""

    def __init__(self, view: QTableView, model: UsageModel) -> None:
        self._view = view
        self._model = model
        self._place: _Place | None = None

    def take(self) -> None:
        view, model = self._view, self._model
        ranges = selected_ranges(view.selectionModel())
        current = view.currentIndex()
        self._place = _Place(
            model.view,
            self._keys(ranges),
            self._keys([(current.row(), current.row())]) if current.isValid() else None,
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
        self._select(place)
        self._set_current(place)
        view.setAutoScroll(follows)
        view.executeDelayedItemsLayout()
        same = replace(place.view, columns=()) == replace(self._model.view, columns=())
        view.horizontalScrollBar().setValue(place.scrolled[0])
        view.verticalScrollBar().setValue(place.scrolled[1] if same else 0)

    def _keys(self, ranges: Sequence[Range]) -> RowKeys | None:
        count = sum(last - first + 1 for first, last in ranges)
        if not 0 < count <= MOST_KEPT:
            return None
        rows = [row for first, last in ranges for row in self._model.rows[first : last + 1].tolist()]
        return keys_of(self._model.table, rows)

    def _shown(self, keys: RowKeys) -> list[int]:
        """Where rows of these keys are shown now, in order."""
        found = find_rows(self._model.table, keys)
        wanted = np.zeros(self._model.table.rows, np.bool_)
        wanted[found[found >= 0]] = True
        places: list[int] = np.flatnonzero(wanted[self._model.rows]).tolist()
        return places

    def _select(self, place: _Place) -> None:
        if place.selected is not None:
            rows = self._shown(place.selected)
            ranges = merged([(row, row) for row in rows])
            self._view.selectionModel().select(selection_of(self._model, ranges), _FLAGS.ClearAndSelect)

    def _set_current(self, place: _Place) -> None:
        if place.current is None:
            return
        rows = self._shown(place.current)
        if rows:
            index = self._model.index(rows[0], max(self._model.section(place.column), 0))
            self._view.selectionModel().setCurrentIndex(index, _FLAGS.NoUpdate)


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


def selection_of(model: UsageModel, ranges: Sequence[Range]) -> QItemSelection:
    """Whole rows."""
    selection = QItemSelection()
    last_column = model.columnCount() - 1
    for first, last in ranges:
        selection.select(model.index(first, 0), model.index(last, last_column))
    return selection
