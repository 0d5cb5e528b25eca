"""Shows the chosen dataset with the filters, order, columns, grouping and period that it had last."""

from PySide6.QtCore import QObject

from usage_viewer.domain.dataset_switch import explain_switch, switch_dataset
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.workspace import Workspace

TOPIC = "dataset"


class DatasetController(QObject):
    """Explains above the table which filters of the former dataset are not used, until the next one is shown."""

    def __init__(self, workspace: Workspace, settings: SettingsController, page: MainPage) -> None:
        super().__init__(page)
        self._workspace, self._settings, self._page = workspace, settings, page
        self._explained = ""
        page.dataset.dataset_chosen.connect(self._on_chosen)
        workspace.view_changed.connect(self._on_view_changed)

    def _on_chosen(self, name: str) -> None:
        before = self._workspace.view
        after = switch_dataset(before, name, self._settings.profile.views)
        self._explained = name
        self._page.notes.set_notice(TOPIC, "\n".join(explain_switch(before, after)))
        self._workspace.show_view(after)

    def _on_view_changed(self, view: ViewState) -> None:
        if view.dataset_name != self._explained:
            self._page.notes.set_notice(TOPIC, "")
