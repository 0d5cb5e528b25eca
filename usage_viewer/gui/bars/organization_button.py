"""Defines the button that shows the current organization and opens the list of organizations."""

from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.popup import open_menu
from usage_viewer.gui.widgets.theme import UNIT


class OrganizationButton(DropdownButton):
    """Shows the organization in the top row. Hidden while there is only one; the main menu has the same list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Organization", shortcut="Alt+U", max_width=26 * UNIT)
        self._menu: QMenu | None = None
        self.clicked.connect(self.open_menu)
        self.setVisible(False)

    def set_menu(self, menu: QMenu) -> None:
        """Set the menu that a click opens."""
        self._menu = menu

    def show_label(self, label: str, count: int) -> None:
        """Show the current organization's label; `count` is the number of organizations."""
        self.show_choice(label or "Organization")
        self.setVisible(count > 1)

    def open_menu(self) -> None:
        """Open the menu under the button."""
        if self._menu is not None:
            open_menu(self._menu, self.mapToGlobal(self.rect().bottomLeft()))
