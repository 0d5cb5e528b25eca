"""Connects the commands that copy, save and load with the workspace."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from usage_viewer.gui.clipboard.copy_controller import Chosen, CopyController, proposed_name
from usage_viewer.gui.formatting.row_counts import chosen_runs, chosen_text
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.workspace import Workspace


class Commands(QObject):
    """Acts on the selected rows, or on all rows unless several are selected."""

    failed = Signal(object)  # UsageViewerError

    def __init__(self, workspace: Workspace, page: MainPage, actions: Actions, copying: CopyController) -> None:
        super().__init__(page)
        self._workspace, self._page, self._actions, self._copying = workspace, page, actions, copying
        self._connect_copies()
        connect(actions.refresh, workspace.refresh)
        connect(actions.refetch, workspace.refetch)
        connect(actions.ask_again, workspace.ask_again)
        connect(actions.cancel, workspace.cancel)
        connect(actions.clear_filters, page.filters.clear)
        connect(actions.back, self._go_back)
        connect(actions.forward, self._go_forward)
        page.back_clicked.connect(actions.back.trigger)
        page.forward_clicked.connect(actions.forward.trigger)
        page.filters.cleared.connect(self._on_filters_cleared)
        actions.cancel.setEnabled(False)
        page.table.selection_stats_changed.connect(page.status.show_selection)
        page.table.selection_stats_changed.connect(self._show_chosen)
        workspace.shown.connect(self._show_chosen)

    def _connect_copies(self) -> None:
        actions, page, copying = self._actions, self._page, self._copying
        connect(actions.copy, lambda: self._with_chosen(copying.copy))
        connect(actions.copy_totals, lambda: self._with_chosen(partial(copying.copy, totals=True)))
        connect(actions.copy_cell, page.table.copy_current_cell)
        for action, form in (
            (actions.copy_tsv, "tsv"),
            (actions.copy_csv, "csv"),
            (actions.copy_markdown, "markdown"),
            (actions.copy_json, "json"),
        ):
            connect(action, partial(self._copy_as, form))
        connect(actions.save, self._save_as)
        page.table.copy_requested.connect(self._on_copy_requested)
        page.table.row_copy_requested.connect(self._copy_row)
        page.table.cell_copy_requested.connect(copying.copy_cell)
        page.totals.copy_requested.connect(copying.copy_text)
        copying.began.connect(lambda: page.status.show_message("Copying…"))
        copying.done.connect(page.status.show_message)
        copying.failed.connect(self.failed)

    def _go_back(self) -> None:
        done = self._workspace.go_back()
        self._page.status.show_message("Back" if done else "This is the first view: there is nothing to go back to")

    def _go_forward(self) -> None:
        done = self._workspace.go_forward()
        self._page.status.show_message("Forward" if done else "This is the last view")

    def _on_filters_cleared(self) -> None:
        keys = self._actions.back.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        self._page.status.show_message(f"All filters cleared. {keys} brings them back.")
        self._page.focus_table()

    def _with_chosen(self, act: Callable[[Chosen], None]) -> None:
        last = self._workspace.last
        if last is None or not last.table.rows:
            self._page.status.show_message("There is nothing to copy")
            return
        act(self._chosen(last))

    def _chosen(self, shown: SortedResult) -> Chosen:
        runs = chosen_runs(self._page.table.selected_rows())
        listed_by = self._workspace.session if self._actions.list_cells.isChecked() else None
        return Chosen(shown, runs, self._workspace.names, self._actions.provenance.isChecked(), listed_by)

    def _copy_row(self, row: int) -> None:
        self._with_chosen(lambda chosen: self._copying.copy(replace(chosen, runs=[(row, row)])))

    def _copy_as(self, name: str) -> None:
        from usage_viewer.app.export import Format

        form = Format(name)
        self._with_chosen(lambda chosen: self._copying.copy_as(chosen, form))

    def _on_copy_requested(self, form: str) -> None:
        if form:
            self._copy_as(form)
        else:
            self._with_chosen(self._copying.copy)

    def _save_as(self) -> None:
        self._with_chosen(self._ask_where_to_save)

    def _ask_where_to_save(self, chosen: Chosen) -> None:
        from usage_viewer.gui.clipboard.save_dialog import SaveDialog

        dialog = SaveDialog(self._rows_text(chosen), proposed_name(chosen.shown), self._page.window())
        choice = dialog.choice()
        dialog.deleteLater()
        if choice is not None:
            self._copying.save(chosen, *choice)

    def _rows_text(self, chosen: Chosen) -> str:
        return chosen_text(chosen.runs, len(chosen.shown.rows), self._page.locale())

    def _show_chosen(self) -> None:
        """Say at the commands which rows they take."""
        last = self._workspace.last
        if last is not None:
            self._actions.show_chosen_rows(self._rows_text(self._chosen(last)))
