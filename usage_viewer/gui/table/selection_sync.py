"""Keeps the table's selected rows and the selection of the workspace equal."""

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QObject

from usage_viewer.domain.row_keys import RowKeys, find_rows, keys_of
from usage_viewer.domain.selection_stats import picked_rows
from usage_viewer.gui.table.selection_keeper import LARGEST_SELECTION, merge_ranges, selected_ranges, selection_of
from usage_viewer.gui.table.table_view import TableView
from usage_viewer.gui.workspace.workspace import NO_ROWS, Workspace

_FLAGS = QItemSelectionModel.SelectionFlag


class SelectionSync(QObject):
    """Writes the table's selection into the workspace and follows other parts that write there.

    More than `LARGEST_SELECTION` keys are not written: building a key for each of a million rows takes seconds,
    and a user selects so many rows only to copy or add them up.
    """

    def __init__(self, table: TableView, workspace: Workspace) -> None:
        super().__init__(table)
        self._table, self._workspace = table, workspace
        table.selection_stats_changed.connect(self._on_table_changed)  # emitted once the selection is at rest
        workspace.selection_changed.connect(self._on_selection_changed)

    def _on_table_changed(self) -> None:
        self._workspace.select(self._selected_keys())

    def _selected_keys(self) -> RowKeys:
        model, ranges = self._table.usage_model, selected_ranges(self._table.selectionModel())
        count = sum(last - first + 1 for first, last in ranges)
        if not 0 < count <= LARGEST_SELECTION:
            return NO_ROWS
        return keys_of(model.table, picked_rows(model.rows, ranges))

    def _on_selection_changed(self, keys: RowKeys) -> None:
        if keys == self._selected_keys():
            return  # the table wrote it
        model = self._table.usage_model
        rows = find_rows(model.table, keys)
        selected = np.zeros(model.table.rows, np.bool_)
        selected[rows[rows >= 0]] = True
        shown_rows = np.flatnonzero(selected[model.rows]).tolist()
        ranges = merge_ranges([(row, row) for row in shown_rows])
        self._table.selectionModel().select(selection_of(model, ranges), _FLAGS.ClearAndSelect)
