"""The button at the left of the top row that says whose usage is shown, and opens the choice."""

from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.theme import UNIT


class OrganizationButton(DropdownButton):
    """Hidden while there is only one; the menu of all commands has the choice always."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Organization", shortcut="Alt+U", widest=26 * UNIT)
        self._menu: QMenu | None = None
        self.clicked.connect(self.open_menu)
        self.setVisible(False)

    def set_menu(self, menu: QMenu) -> None:
        self._menu = menu

    def show_label(self, label: str, count: int) -> None:
        """`count`: of all that there are."""
        self.show_choice(label or "Organization")
        self.setVisible(count > 1)

    def open_menu(self) -> None:
        if self._menu is not None:
            self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
