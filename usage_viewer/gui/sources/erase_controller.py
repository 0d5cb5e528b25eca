"""Asks, then deletes the keys, data and settings of every organization and closes the window."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace

CHANNEL = "erase"
TEXT = (
    "This deletes from this computer: the admin keys of all organizations, all downloaded usage and names, and the "
    "settings. Usage Viewer then closes. Tables and snapshots that you saved stay, and your OpenAI account is not "
    "affected."
)

Erase = Callable[[], list[UsageViewerError]]
"""Erases, and returns what could not be removed. Raises StoreLocked, before anything is removed."""


class EraseController(QObject):
    failed = Signal(object)  # UsageViewerError: the window stays open

    def __init__(
        self, erase: Erase, workspace: Workspace, remembered: SettingsController, tasks: Tasks, window: QWidget
    ) -> None:
        super().__init__(window)
        self._erase, self._workspace, self._remembered = erase, workspace, remembered
        self._tasks, self._window = tasks, window

    def ask(self) -> None:
        title = "Delete all data and keys"
        FormDialog(self._window, title, TEXT, f"&{title}", self._begin, removes=True).open()

    def _begin(self) -> None:
        self._workspace.close()  # nothing may hold the files, or write them again
        self._remembered.pause()
        self._tasks.start(CHANNEL, lambda task: self._erase(), self._on_erased, self._on_refused)

    def _on_erased(self, faults: list[UsageViewerError]) -> None:
        if faults:
            self.failed.emit(faults[0])
        else:
            self._window.close()

    def _on_refused(self, error: UsageViewerError) -> None:
        self._remembered.go_on()
        self.failed.emit(error)
