"""Restores selection, current cell and scroll position after the table has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelection, QItemSelectionModel
from PySide6.QtWidgets import QTableView

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.row_keys import find_rows, keys_of
from usage_viewer.domain.selection_stats import Range, picked_rows
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_model import TableModel
from usage_viewer.gui.workspace.table_place import TablePlace

LARGEST_SELECTION = 1000
"""A larger selection is cleared: nobody has selected its rows individually."""
_FLAGS = QItemSelectionModel.SelectionFlag


@dataclass(frozen=True, slots=True)
class _Saved:
    """Holds selected and current rows as indices into the columns of `table`, and the current cell's column."""

    table: Table
    view: ViewState
    selected: NDArray[np.int64]
    current: NDArray[np.int64]
    column: ColumnKey | None
    scrolled: tuple[int, int]


class SelectionKeeper:
    """Saves selection, current cell and scroll position before the model is reset and restores them afterwards."""

    def __init__(self, view: QTableView, model: TableModel) -> None:
        self._view = view
        self._model = model
        self._saved: _Saved | None = None

    def save(self) -> None:
        """Save the state before the model is reset."""
        view, model = self._view, self._model
        ranges = selected_ranges(view.selectionModel())
        few = sum(last - first + 1 for first, last in ranges) <= LARGEST_SELECTION
        current = view.currentIndex()
        self._saved = _Saved(
            model.table,
            model.view,
            picked_rows(model.rows, ranges if few else []),
            picked_rows(model.rows, [(current.row(), current.row())] if current.isValid() else []),
            model.columns[current.column()].key if current.isValid() else None,
            (view.horizontalScrollBar().value(), view.verticalScrollBar().value()),
        )

    def restore(self) -> None:
        """Restore what the new table still has; the keyboard goes on in the first row if its row is gone."""
        saved, self._saved = self._saved, None
        if saved is None:
            return
        view = self._view
        follows = view.hasAutoScroll()
        view.setAutoScroll(False)
        selected, current = self._shown_rows(saved)
        if selected:
            ranges = merge_ranges([(row, row) for row in selected])
            view.selectionModel().select(selection_of(self._model, ranges), _FLAGS.ClearAndSelect)
        if current:
            index = self._model.index(
                current[0], 0 if saved.column is None else max(self._model.section(saved.column), 0)
            )
            view.selectionModel().setCurrentIndex(index, _FLAGS.NoUpdate)
        elif len(saved.current) and view.hasFocus() and self._model.rowCount():
            view.selectionModel().setCurrentIndex(self._model.index(0, 0), _FLAGS.NoUpdate)
        view.setAutoScroll(follows)
        view.executeDelayedItemsLayout()
        same = replace(saved.view, columns=()) == replace(self._model.view, columns=())
        view.horizontalScrollBar().setValue(saved.scrolled[0])
        view.verticalScrollBar().setValue(saved.scrolled[1] if same else 0)

    def place(self, widths: Mapping[ColumnKey, int]) -> TablePlace:
        """Return selection, current cell and scroll position by the keys of rows; no rows of a large selection."""
        self.save()
        saved, self._saved = self._saved, None
        assert saved is not None
        table = saved.table
        return TablePlace(
            keys_of(table, saved.selected),
            keys_of(table, saved.current),
            saved.column,
            saved.scrolled,
            tuple(widths.items()),
        )

    def go_to(self, place: TablePlace) -> None:
        """Select, and scroll to, what the table still has of a place."""
        table = self._model.table
        selected, current = find_rows(table, place.selected), find_rows(table, place.current)
        self._view.selectionModel().clear()
        self._saved = _Saved(
            table, self._model.view, selected[selected >= 0], current[current >= 0], place.column, place.scrolled
        )
        self.restore()

    def _shown_rows(self, saved: _Saved) -> tuple[list[int], list[int]]:
        """Return the places, as shown now, of the saved selection and of the current row."""
        table = self._model.table
        rows = np.concatenate([saved.selected, saved.current])
        if not len(rows):
            return [], []
        if table is not saved.table:
            rows = find_rows(table, keys_of(saved.table, rows))
        count = len(saved.selected)
        return self._places(rows[:count]), self._places(rows[count:])

    def _places(self, rows: NDArray[np.int64]) -> list[int]:
        chosen = np.zeros(self._model.table.rows, np.bool_)
        chosen[rows[rows >= 0]] = True
        places: list[int] = np.flatnonzero(chosen[self._model.rows]).tolist() if chosen.any() else []
        return places


def merge_ranges(ranges: Sequence[Range]) -> list[Range]:
    """Return the ranges in order, those that touch or overlap combined."""
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def selected_ranges(selection: QItemSelectionModel) -> list[Range]:
    """Return the selected rows as ranges of shown rows, never row by row."""
    picked = selection.selection()
    return merge_ranges([(picked.at(place).top(), picked.at(place).bottom()) for place in range(picked.count())])


def selection_of(model: TableModel, ranges: Sequence[Range]) -> QItemSelection:
    """Return a selection of whole rows."""
    selection = QItemSelection()
    last_column = model.columnCount() - 1
    for first, last in ranges:
        selection.select(model.index(first, 0), model.index(last, last_column))
    return selection
