"""Applies and stores the appearance of figures and colours."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from usage_viewer.gui.table.table_model import Presentation
from usage_viewer.gui.table.table_view import TableView
from usage_viewer.gui.widgets.theme import raise_contrast, use_scheme
from usage_viewer.gui.window.actions import Actions
from usage_viewer.gui.workspace.settings_controller import SettingsController


class AppearanceController(QObject):
    """Connects the commands for bars, short numbers and colours with the table and the settings."""

    def __init__(self, settings: SettingsController, actions: Actions, table: TableView) -> None:
        super().__init__(actions)
        self._settings, self._actions, self._table = settings, actions, table
        stored = settings.current
        actions.bars.setChecked(stored.bars)
        actions.abbreviated.setChecked(stored.abbreviated)
        actions.scheme[str(stored.colour_scheme)].setChecked(True)
        for action in (actions.bars, actions.abbreviated, *actions.scheme.values()):
            action.toggled.connect(self._on_toggled)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_scheme_changed)
        self._apply()

    def _on_system_scheme_changed(self) -> None:
        raise_contrast()

    def _on_toggled(self, checked: bool) -> None:
        chosen = [name for name, action in self._actions.scheme.items() if action.isChecked()]
        if not chosen:
            return  # the group unchecks the last scheme before it checks the new one
        self._settings.save_appearance(
            bars=self._actions.bars.isChecked(), abbreviated=self._actions.abbreviated.isChecked(), scheme=chosen[0]
        )
        self._apply()

    def _apply(self) -> None:
        stored = self._settings.current
        self._table.set_presentation(Presentation(stored.abbreviated, stored.bars))
        use_scheme(str(stored.colour_scheme))
