"""Connects the commands that copy, save and load with the workspace."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFileDialog

from usage_viewer.app.export import Format
from usage_viewer.gui.clipboard.copy_controller import Chosen, CopyController, proposed_name
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.workspace import Workspace


class Commands(QObject):
    """Acts on the selected rows, or on all rows if none are selected."""

    failed = Signal(object)  # UsageViewerError

    def __init__(self, workspace: Workspace, page: MainPage, actions: Actions, copying: CopyController) -> None:
        super().__init__(page)
        self._workspace, self._page, self._actions, self._copying = workspace, page, actions, copying
        self._connect_copies()
        connect(actions.refresh, workspace.refresh)
        connect(actions.cancel, workspace.cancel)
        connect(actions.clear_filters, page.filters.clear)
        connect(actions.undo, lambda: self._report(workspace.undo(), "Undone", "There is nothing to undo"))
        connect(actions.redo, lambda: self._report(workspace.redo(), "Redone", "There is nothing to redo"))
        page.filters.cleared.connect(self._on_filters_cleared)
        actions.cancel.setEnabled(False)
        page.table.selection_stats_changed.connect(page.status.show_selection)

    def _connect_copies(self) -> None:
        actions, page, copying = self._actions, self._page, self._copying
        connect(actions.copy, lambda: self._with_chosen(copying.copy))
        for action, form in (
            (actions.copy_tsv, Format.TSV),
            (actions.copy_csv, Format.CSV),
            (actions.copy_markdown, Format.MARKDOWN),
            (actions.copy_json, Format.JSON),
        ):
            connect(action, partial(self._copy_as, form))
        connect(actions.save, self._save_as)
        page.table.copy_requested.connect(self._on_copy_requested)
        page.totals.copy_requested.connect(copying.copy_text)
        copying.began.connect(lambda: page.status.show_message("Copying…"))
        copying.done.connect(page.status.show_message)
        copying.failed.connect(self.failed)

    def _report(self, done: bool, text: str, otherwise: str) -> None:
        self._page.status.show_message(text if done else otherwise)

    def _on_filters_cleared(self) -> None:
        keys = self._actions.undo.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        self._page.status.show_message(f"All filters cleared. {keys} brings them back.")
        self._page.focus_table()

    def _with_chosen(self, act: Callable[[Chosen], None]) -> None:
        last = self._workspace.last
        if last is None or not last.table.rows:
            self._page.status.show_message("There is nothing to copy")
            return
        runs = self._page.table.selected_rows()
        act(Chosen(last, runs, self._workspace.names, self._actions.provenance.isChecked()))

    def _copy_as(self, form: Format) -> None:
        self._with_chosen(lambda chosen: self._copying.copy_as(chosen, form))

    def _on_copy_requested(self, form: str) -> None:
        if form:
            self._copy_as(Format(form))
        else:
            self._with_chosen(self._copying.copy)

    def _save_as(self) -> None:
        last = self._workspace.last
        kinds = ";;".join(f"{form.label} (*{form.suffix})" for form in Format)
        proposal = f"{proposed_name(last) if last is not None else 'usage'}.csv"
        name, kind = QFileDialog.getSaveFileName(self._page.window(), "Save as", str(Path.home() / proposal), kinds)
        if not name:
            return
        path = Path(name)
        if not path.suffix:
            path = path.with_suffix(kind.rpartition("*")[2].rstrip(")"))
        self._with_chosen(lambda chosen: self._copying.save(chosen, path))
