"""Shows saved views by their keys and menu, saves the shown view, and opens the dialog that edits the list."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.domain.view import ViewState
from usage_viewer.gui.widgets.plain_text import menu_text
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.saved_view_list import SavedViewList
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.app.settings.saved_views import SavedView

TOPIC = "saved view"
LONGEST_PROPOSAL = 60
"""Characters of a name that is proposed; a name can't be longer."""


class SavedViewsController(QObject):
    """Fills the menu of saved views; a view that is shown is one step of the history."""

    dialog_opened = Signal(object)  # SavedViewsDialog

    def __init__(
        self, path: Path | None, workspace: Workspace, page: MainPage, actions: Actions, window: QWidget
    ) -> None:
        super().__init__(window)
        self._workspace, self._page, self._actions, self._window = workspace, page, actions, window
        self.list = SavedViewList(path, self)
        self._explained: ViewState | None = None
        for position, action in enumerate(actions.saved_view):
            connect(action, partial(self._show_position, position))
        connect(actions.save_view, self.ask_for_name)
        connect(actions.edit_views, self.edit)
        actions.saved_views.aboutToShow.connect(self.list.reload)
        self.list.changed.connect(self._fill)
        workspace.view_changed.connect(self._on_view_changed)
        actions.saved_views.addActions([actions.save_view, actions.edit_views])
        workspace.shown.connect(self._load, Qt.ConnectionType.SingleShotConnection)

    def _load(self) -> None:
        """Read the views for the first time, after the first table is shown."""
        if self.list.note:
            self._page.status.show_message(self.list.note)

    def show(self, saved: "SavedView") -> None:
        """Show a saved view for the open organizations, and say above the table what it lacks."""
        from usage_viewer.app.settings.saved_views import open_view

        profile = self._workspace.profile
        opened = open_view(saved, profile.member_ids if profile is not None else ())
        self._explained = opened.view
        self._page.notes.set_notice(TOPIC, "\n".join(opened.notes))
        self._workspace.show_view(opened.view, is_whole=True)
        self._page.status.show_message(saved.name)

    def ask_for_name(self) -> None:
        """Ask for a name and save the shown view under it."""
        from usage_viewer.gui.window.saved_views_dialog import SaveViewDialog

        view = self._workspace.view
        SaveViewDialog(self._window, proposed_view_name(view), partial(self._save, view)).open()

    def edit(self) -> None:
        """Open the list of all saved views."""
        from usage_viewer.gui.window.saved_views_dialog import SavedViewsDialog

        self.list.reload()
        dialog = SavedViewsDialog(self.list, self._workspace.view, self._window)
        dialog.chosen.connect(self.show)
        dialog.finished.connect(lambda _: self._page.focus_table())
        dialog.open()
        self.dialog_opened.emit(dialog)

    def _save(self, view: ViewState, name: str) -> None:
        from usage_viewer.app.settings.saved_views import add, new_view

        self.list.change(lambda views: add(views, new_view(name, view)))
        self._page.status.show_message(f"Saved as {self.list.views[-1].name}")

    def _show_position(self, position: int) -> None:
        self.list.reload()
        saved = self.list.at(position)
        if saved is None:
            self._page.status.show_message(f"There is no saved view {position + 1}")
        else:
            self.show(saved)

    def _on_view_changed(self, view: ViewState) -> None:
        if view != self._explained:
            self._page.notes.set_notice(TOPIC, "")

    def _fill(self) -> None:
        """List all views in the menu; the first nine have keys."""
        menu, slots = self._actions.saved_views, self._actions.saved_view
        for action in menu.actions():
            menu.removeAction(action)
        for position, saved in enumerate(self.list.views):
            if position < len(slots):
                slots[position].setText(menu_text(saved.name))
                menu.addAction(slots[position])
            else:
                connect(menu.addAction(menu_text(saved.name)), partial(self.show, saved))
        menu.addSeparator()
        menu.addActions([self._actions.save_view, self._actions.edit_views])


def proposed_view_name(view: ViewState) -> str:
    """Return a name like "Completions by Model, last 30 days", which the user can change."""
    data, chosen = view.dataset, view.range
    labels = [data.dimension(name).label for name in view.grouping]
    text = f"{data.label} by {' and '.join(labels)}" if labels else data.label
    if chosen.preset is not None:
        text = f"{text}, {chosen.preset.label.lower()}"
    return text if len(text) <= LONGEST_PROPOSAL else data.label
