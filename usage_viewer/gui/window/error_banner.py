"""Shows above the table what failed, why and what can be done; the window stays usable below it."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.theme import UNIT, blend, error_colour, plain_label, scaled_font

Action = tuple[str, Callable[[], None]]
MAX_ACTIONS = 3


class ErrorBanner(QWidget):
    """Hidden while `error` is None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error: UsageViewerError | None = None
        self._title = plain_label("", self)
        self._title.setFont(scaled_font(self.font(), 1.0, bold=True))
        self._hint = plain_label("", self, wrap=True)
        self._hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        texts = QVBoxLayout()
        texts.setSpacing(UNIT // 4)
        texts.addWidget(self._title)
        texts.addWidget(self._hint)
        # Built first, so that Tab reaches them before the close button.
        self._buttons = [QPushButton(self) for _ in range(MAX_ACTIONS)]
        self._acts: list[Callable[[], None]] = []
        for place, button in enumerate(self._buttons):
            button.clicked.connect(lambda _checked=False, place=place: self._acts[place]())
        self._close = QToolButton(self, autoRaise=True)
        self._close.setIcon(icon("close", self))
        self._close.setToolTip("Hide this message")
        self._close.setAccessibleName("Hide this message")
        self._close.setAccessibleDescription("Hides the message; the problem remains")
        self._close.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * UNIT, UNIT, UNIT, UNIT)
        row.setSpacing(UNIT)
        row.addLayout(texts, 1)
        for button in self._buttons:
            row.addWidget(button)
        row.addWidget(self._close)
        self.setVisible(False)

    def show_error(self, error: UsageViewerError, actions: list[Action]) -> None:
        """Show an error with at most three buttons."""
        self.error = error
        self._title.setText(error.title)
        self._hint.setText(f"{error.hint} {visible(error.detail)}".strip())
        self._set_actions(actions)
        self.setAccessibleName(f"{error.title}. {error.hint}")
        self.setVisible(True)

    def clear(self) -> None:
        """Hides the message."""
        self.error = None
        self.setVisible(False)

    def _set_actions(self, actions: list[Action]) -> None:
        self._acts = [act for _, act in actions]
        for button in self._buttons[len(actions) :]:
            button.setVisible(False)
        for button, (text, _) in zip(self._buttons, actions, strict=False):
            button.setText(text)
            button.setAccessibleDescription(f"About: {self._title.text()}")
            button.setVisible(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tints the background and draws a stripe in the error colour."""
        colour = error_colour(self.palette())
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), blend(self.palette().color(QPalette.ColorRole.Window), colour, 0.12))
            painter.fillRect(0, 0, UNIT // 2, self.height(), colour)
