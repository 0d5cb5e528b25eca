"""Defines `Strip`, a coloured message above the table with buttons that help."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from usage_viewer.gui.widgets.theme import UNIT, blend, plain_label, scaled_font

Action = tuple[str, Callable[[], object]]
"""The text of a button and what it does."""

MAX_ACTIONS = 3


class Strip(QWidget):
    """Shows a title, a text and at most three buttons; hidden while there is no message.

    `colour` returns the colour of the stripe for a palette.
    """

    shown = Signal(str)  # another message

    def __init__(self, colour: Callable[[QPalette], QColor], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = colour
        self._title = plain_label("", self)
        self._title.setFont(scaled_font(self.font(), 1.0, bold=True))
        self._text = plain_label("", self, wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        texts = QVBoxLayout()
        texts.setSpacing(UNIT // 4)
        texts.addWidget(self._title)
        texts.addWidget(self._text)
        self._buttons = [QPushButton(self) for _ in range(MAX_ACTIONS)]
        self._acts: list[Callable[[], object]] = []
        for place, button in enumerate(self._buttons):
            button.clicked.connect(lambda _checked=False, place=place: self._acts[place]())
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2 * UNIT, UNIT, UNIT, UNIT)
        self._row.setSpacing(UNIT)
        self._row.addLayout(texts, 1)
        for button in self._buttons:
            self._row.addWidget(button)
        self.setVisible(False)

    @property
    def title(self) -> str:
        """The title of the message; "" while there is none."""
        return self._title.text() if not self.isHidden() else ""

    def show_message(self, title: str, text: str, actions: Sequence[Action]) -> None:
        """Show a message with its buttons."""
        is_new = self.isHidden() or (title, text) != (self._title.text(), self._text.text())
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._acts = [act for _, act in actions]
        for button in self._buttons[len(actions) :]:
            button.setVisible(False)
        for button, (label, _) in zip(self._buttons, actions, strict=False):
            button.setText(label)
            button.setAccessibleDescription(f"About: {title}")
            button.setVisible(True)
        message = f"{title}. {text}".strip()
        self.setAccessibleName(message)
        self.setVisible(True)
        if is_new:
            self.shown.emit(message)

    def clear(self) -> None:
        """Hide the message."""
        self.setVisible(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tint the background and draw the stripe."""
        colour = self._colour(self.palette())
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), blend(self.palette().color(QPalette.ColorRole.Window), colour, 0.12))
            painter.fillRect(0, 0, UNIT // 2, self.height(), colour)
