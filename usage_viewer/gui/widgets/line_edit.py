"""Names the parts of a line edit for screen readers."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit

_CLEAR = "_q_qlineeditclearaction"
"""The name that Qt gives to the action of the button that clears the text."""


def name_clear_button(edit: QLineEdit) -> None:
    """Name the button that clears the text: Qt gives it an icon alone."""
    action = edit.findChild(QAction, _CLEAR)
    if isinstance(action, QAction):
        action.setText("Clear the search")
