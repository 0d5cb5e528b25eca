"""What the menu and the keys do with what is shown: copies, files, looks, help."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from usage_viewer.app.export import Format
from usage_viewer.gui.clipboard.copy_controller import Chosen, CopyController, proposed_name
from usage_viewer.gui.table.table_model import Presentation
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.widgets.theme import use_scheme
from usage_viewer.gui.window import help_dialogs as help_sheets
from usage_viewer.gui.window.actions import Actions, connect, shortcut_rows
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.workspace import Workspace

Facts = Callable[[], Sequence[tuple[str, str]]]


class Commands(QObject):
    """`facts` are what *About* says of what is open."""

    failed = Signal(object)  # UsageViewerError

    def __init__(
        self,
        workspace: Workspace,
        page: MainPage,
        actions: Actions,
        copying: CopyController,
        remembered: SettingsController,
        facts: Facts,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace, self._page, self._actions = workspace, page, actions
        self._copying, self._remembered = copying, remembered
        self._facts, self._window = facts, window
        self._connect_copies()
        self._connect_rest()

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
        copying.began.connect(lambda: page.status.say("Copying…"))
        copying.done.connect(page.status.say)
        copying.failed.connect(self.failed)

    def _connect_rest(self) -> None:
        actions, workspace, window = self._actions, self._workspace, self._window
        connect(actions.refresh, workspace.refresh)
        connect(actions.cancel, workspace.cancel)
        connect(actions.clear_filters, lambda: workspace.show_view(workspace.view.without_filters()))
        connect(actions.erase, self._erase)
        connect(actions.shortcuts, lambda: help_sheets.shortcut_sheet(shortcut_rows(actions), window).open())
        connect(actions.about, lambda: help_sheets.about_box(self._facts(), window).open())
        actions.quit.triggered.connect(window.close)
        actions.cancel.setEnabled(False)
        self._page.table.selection_stats_changed.connect(self._page.status.show_selection)

    # Copies and files

    def _with_chosen(self, act: Callable[[Chosen], None]) -> None:
        """Acts on the selected rows, or on all rows if none are selected."""
        last = self._workspace.last
        if last is None or not last.table.rows:
            self._page.status.say("There is nothing to copy")
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
        name, kind = QFileDialog.getSaveFileName(self._window, "Save as", str(Path.home() / proposal), kinds)
        if not name:
            return
        path = Path(name)
        if not path.suffix:
            path = path.with_suffix(kind.rpartition("*")[2].rstrip(")"))
        self._with_chosen(lambda chosen: self._copying.save(chosen, path))

    def _erase(self) -> None:
        FormDialog(
            self._window,
            "Delete downloaded data",
            "Delete all usage and names of this organization from this computer? They can be loaded again. "
            "The admin key stays.",
            "&Delete downloaded data",
            self._workspace.erase,
            removes=True,
        ).open()

    # Looks

    def restore_looks(self) -> None:
        """As they were remembered; from then on each change is."""
        actions, settings = self._actions, self._remembered.settings
        actions.bars.setChecked(settings.bars)
        actions.abbreviated.setChecked(settings.abbreviated)
        actions.scheme[str(settings.colour_scheme)].setChecked(True)
        for action in (actions.bars, actions.abbreviated, *actions.scheme.values()):
            action.toggled.connect(self._on_looks)
        self._apply_looks()

    def _on_looks(self, checked: bool) -> None:
        chosen = [name for name, action in self._actions.scheme.items() if action.isChecked()]
        if not chosen:
            return  # between the scheme that was on and the one that comes on
        self._remembered.looks(
            bars=self._actions.bars.isChecked(), abbreviated=self._actions.abbreviated.isChecked(), scheme=chosen[0]
        )
        self._apply_looks()

    def _apply_looks(self) -> None:
        settings = self._remembered.settings
        self._page.table.set_presentation(Presentation(settings.abbreviated, settings.bars))
        use_scheme(str(settings.colour_scheme))
