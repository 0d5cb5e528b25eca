"""Shows notices above the table: how the result differs from the view, and what is not available."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from usage_viewer.gui.widgets.theme import UNIT, blend, plain_label


class NoticeBar(QWidget):
    """Has one text per topic; hidden while there is none."""

    changed = Signal(str)  # the new text of a topic, "" if it was removed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts: dict[str, str] = {}
        self._label = plain_label("", self, wrap=True)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        column.addWidget(self._label)
        self.setVisible(False)

    @property
    def text(self) -> str:
        """Returns the visible text."""
        return self._label.text()

    def set_notice(self, topic: str, text: str) -> None:
        """Replace the text of a topic; "" removes it."""
        if self._texts.get(topic, "") == text:
            return
        self._texts[topic] = text
        shown = "\n".join(one for one in self._texts.values() if one)
        self._label.setText(shown)
        self.setAccessibleName(shown)
        self.setVisible(bool(shown))
        self.changed.emit(text)

    def clear(self) -> None:
        """Remove all notices."""
        for topic in list(self._texts):
            self.set_notice(topic, "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tints the background."""
        palette = self.palette()
        base, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), blend(base, text, 0.06))
