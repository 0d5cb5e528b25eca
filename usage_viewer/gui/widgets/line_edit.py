"""Defines `LineEdit`, the text field of all pages, popups and dialogs."""

from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLineEdit, QWidget

from usage_viewer.gui.widgets.theme import edge_colour

_CLEAR = "_q_qlineeditclearaction"
"""The name that Qt gives to the action of the button that clears the text."""


class LineEdit(QLineEdit):
    """Has an edge that can be seen, and a name for the button that clears it: Qt gives that an icon alone."""

    def __init__(self, parent: QWidget | None = None, **properties: Any) -> None:
        super().__init__(parent, **properties)
        clear = self.findChild(QAction, _CLEAR)
        if isinstance(clear, QAction):
            clear.setText("Clear the search")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the edge over the style's, which can hardly be seen; the style's ring shows the focus."""
        super().paintEvent(event)
        if not self.hasFocus():
            with QPainter(self) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(edge_colour(self.palette()), 1.0))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
