"""Confirms and deletes the downloaded data of one organization, or everything of all organizations."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.workspace.app_context import AppContext
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace

CHANNEL = "erase"
CONFIRMATION = "delete"
DOWNLOADED_DATA = (
    "Delete all usage and names of {organization} from this computer? They can be loaded again, as far back as "
    "OpenAI keeps them. The admin key stays."
)
EVERYTHING = (
    "This deletes from this computer: the admin keys of all organizations, all downloaded usage and names, and the "
    "settings. Usage Viewer then closes. Tables and snapshots that you saved stay, and your OpenAI account is not "
    "affected."
)


class EraseController(QObject):
    """Deletes only after the user has confirmed it in a dialog."""

    failed = Signal(object)  # UsageViewerError; the window stays open

    def __init__(
        self,
        context: AppContext,
        workspace: Workspace,
        settings: SettingsController,
        tasks: Tasks,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._erase_all = context.erase_all if context.options.own_data else None
        self._workspace, self._settings, self._tasks, self._window = workspace, settings, tasks, window

    @property
    def can_erase_all(self) -> bool:
        """Returns whether this window may delete everything."""
        return self._erase_all is not None

    def confirm_downloaded_data(self) -> None:
        """Asks whether to delete the open organization's downloaded data, then deletes it."""
        title = "Delete downloaded data"
        act = self._workspace.erase
        profile = self._workspace.profile
        label = "" if profile is None else profile.label
        text = DOWNLOADED_DATA.format(organization=visible(label) if label else "this organization")
        FormDialog(self._window, title, text, f"&{title}", act, to_type=CONFIRMATION).open()

    def confirm_everything(self) -> None:
        """Asks whether to delete keys, data and settings, then deletes them and closes the window."""
        title = "Delete all data and keys"
        FormDialog(self._window, title, EVERYTHING, f"&{title}", self._start, to_type=CONFIRMATION).open()

    def _start(self) -> None:
        erase_all = self._erase_all
        assert erase_all is not None
        self._workspace.close()  # nothing may keep the files open or write them again
        self._settings.pause()
        self._tasks.start(CHANNEL, lambda task: erase_all(), self._on_erased, self._on_refused)

    def _on_erased(self, errors: list[UsageViewerError]) -> None:
        if errors:
            self.failed.emit(errors[0])
        else:
            self._window.close()

    def _on_refused(self, error: UsageViewerError) -> None:
        self._settings.resume()
        self.failed.emit(error)
