"""Explains in place of the table why there are no rows, and offers what can help."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from usage_viewer.gui.widgets.theme import UNIT, plain_label, scaled_font


class EmptyState(QFrame):
    """Shows a title, a text, a progress bar and a button, each only if it is needed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._act: Callable[[], None] | None = None
        self._title = plain_label("", self)
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title.setFont(scaled_font(self.font(), 1.3, bold=True))
        self._text = plain_label("", self, wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._busy = QProgressBar(self, textVisible=False)
        self._busy.setRange(0, 0)
        self._busy.setFixedSize(24 * UNIT, UNIT // 2)
        self._busy.setAccessibleName("Loading")
        self._button = QPushButton(self)
        self._button.clicked.connect(self._on_clicked)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addStretch(2)
        column.addWidget(self._title)
        column.addWidget(self._text)
        for widget in (self._busy, self._button):
            row = QHBoxLayout()
            row.addStretch()
            row.addWidget(widget)
            row.addStretch()
            column.addLayout(row)
        column.addStretch(3)
        self.setAutoFillBackground(True)

    @property
    def title(self) -> str:
        """Returns the visible title."""
        return self._title.text()

    def show_message(
        self,
        title: str,
        text: str = "",
        *,
        busy: bool = False,
        button: str = "",
        act: Callable[[], None] | None = None,
    ) -> None:
        """Replace everything that is shown; `act` is called by the button."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._busy.setVisible(busy)
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._act = act
        self.setAccessibleName(f"{title}. {text}".strip())

    def _on_clicked(self) -> None:
        if self._act is not None:
            self._act()
