"""Shows above the table what failed, why and what can be done; the window stays usable below it."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.strip import Action, Strip
from usage_viewer.gui.widgets.theme import error_colour


class ErrorBanner(Strip):
    """Hidden while `error` is None."""

    changed = Signal()  # another error, or none

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(error_colour, parent)
        self.error: UsageViewerError | None = None
        self._close = QToolButton(self, autoRaise=True)
        self._close.setIcon(icon("close", self))
        self._close.setToolTip("Hide this message")
        self._close.setAccessibleName("Hide this message")
        self._close.setAccessibleDescription("Hides the message; the problem remains")
        self._close.clicked.connect(self.clear)
        self._row.addWidget(self._close)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the cross in the colours of another palette."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_close"):
            self._close.setIcon(icon("close", self))

    def show_error(self, error: UsageViewerError, actions: list[Action]) -> None:
        """Show an error with at most three buttons."""
        self.error = error
        self.show_message(error.title, f"{error.hint} {visible(error.detail)}".strip(), actions)
        self.setAccessibleName(f"{error.title}. {error.hint}")
        self.changed.emit()

    def clear(self) -> None:
        """Hide the message."""
        self.error = None
        super().clear()
        self.changed.emit()
