"""A line over the table that names what failed, why and what to do; the window stays usable under it."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.icons import icon
from usage_viewer.gui.theme import UNIT, error_colour, mixed, plain_label, scaled

Action = tuple[str, Callable[[], None]]


class Banner(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error: UsageViewerError | None = None
        self._title = plain_label("", self)
        self._title.setFont(scaled(self.font(), 1.0, bold=True))
        self._hint = plain_label("", self, wrap=True)
        self._hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        texts = QVBoxLayout()
        texts.setSpacing(UNIT // 4)
        texts.addWidget(self._title)
        texts.addWidget(self._hint)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(UNIT)
        self._close = QToolButton(self, autoRaise=True)
        self._close.setIcon(icon("close", self))
        self._close.setToolTip("Hide this message")
        self._close.setAccessibleName("Hide this message")
        self._close.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * UNIT, UNIT, UNIT, UNIT)
        row.setSpacing(2 * UNIT)
        row.addLayout(texts, 1)
        row.addLayout(self._buttons)
        row.addWidget(self._close)
        self.setVisible(False)

    def show_error(self, error: UsageViewerError, actions: list[Action]) -> None:
        self.error = error
        self._title.setText(error.title)
        self._hint.setText(f"{error.hint} {error.detail}".strip())
        self._set_actions(actions)
        self.setAccessibleName(f"{error.title}. {error.hint}")
        self.setVisible(True)

    def clear(self) -> None:
        self.error = None
        self.setVisible(False)

    def _set_actions(self, actions: list[Action]) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for text, act in actions:
            button = QPushButton(text, self)
            button.clicked.connect(lambda _checked=False, act=act: act())
            self._buttons.addWidget(button)
            button.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        colour = error_colour(self.palette())
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), mixed(self.palette().color(QPalette.ColorRole.Window), colour, 0.12))
            painter.fillRect(0, 0, UNIT // 2, self.height(), colour)
