"""`DropdownButton`: a flat button that says what is chosen and opens the choice; the bar's common look."""

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from usage_viewer.gui.widgets.chip import draw_focus
from usage_viewer.gui.widgets.theme import UNIT, mixed, quiet

SHORTEST = 5
"""Characters: less of a cut text says nothing."""

_ALIGN = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextSingleLine


class DropdownButton(QToolButton):
    """A quiet `prefix`, the choice, a quiet `suffix` and a chevron: `per Day ▾`. Enter, Space and Down press it."""

    def __init__(self, parent: QWidget | None, *, name: str, shortcut: str, widest: int = 40 * UNIT) -> None:
        super().__init__(parent)
        self._parts = ("", "", "")
        self._tip: str | None = None  # nothing has been shown yet
        self._name = name
        self._widest = widest
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setShortcut(shortcut)
        self.show_choice("")

    def show_choice(self, choice: str, *, prefix: str = "", suffix: str = "", tip: str = "") -> None:
        shown = (prefix, choice, suffix)
        if shown == self._parts and tip == self._tip:
            return
        self._parts, self._tip = shown, tip
        text = " ".join(part for part in self._parts if part)
        key = self.shortcut().toString(self.shortcut().SequenceFormat.NativeText)
        self.setAccessibleName(f"{self._name}: {text}")
        self.setAccessibleDescription(f"Opens the choice. {key}")
        self.setToolTip(tip or f"{self._name} ({key})")
        self.updateGeometry()
        self.update()

    @property
    def choice(self) -> str:
        """All that is written on it."""
        return " ".join(part for part in self._parts if part)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        texts = sum(metrics.horizontalAdvance(part) + self._space() for part in self._parts if part)
        return QSize(min(texts + UNIT * 3 + 2, self._widest), metrics.height() + UNIT + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 10 * UNIT), self.sizeHint().height())

    def _space(self) -> int:
        return self.fontMetrics().horizontalAdvance(" ") + 1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, shape = self.palette(), QRectF(self.rect()).adjusted(1, 1, -1, -1)
        window, front = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        strength = 0.12 if self.isDown() else 0.07 if self.underMouse() and self.isEnabled() else 0.0
        if strength:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(mixed(window, front, strength))
            painter.drawRoundedRect(shape, 5, 5)
        faint = quiet(palette)
        if not self.isEnabled():
            faint = front  # the palette's disabled text
        room = self.rect().adjusted(UNIT, 0, -UNIT * 2 - 2, 0)
        for part, colour in zip(self._parts, (faint, front, faint), strict=True):
            if part and room.width() > 0:
                painter.setPen(colour)
                text = self.fontMetrics().elidedText(part, Qt.TextElideMode.ElideRight, room.width())
                if len(text) > SHORTEST or text == part:
                    painter.drawText(self._mirrored(room), _ALIGN, text)
                room.setLeft(room.left() + self.fontMetrics().horizontalAdvance(part) + self._space())
        self._draw_chevron(painter, QPen(faint, 1.4, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        if self.hasFocus():
            draw_focus(painter, palette, shape, 5)
        painter.end()

    def _mirrored(self, place: QRect) -> QRect:
        return self.style().visualRect(self.layoutDirection(), self.rect(), place)

    def _draw_chevron(self, painter: QPainter, pen: QPen) -> None:
        place = self._mirrored(QRect(self.width() - UNIT * 2 - 2, 0, UNIT + 4, self.height()))
        middle = QRectF(place).center() + QPointF(0, 0.5)
        painter.setPen(pen)
        painter.drawPolyline(
            QPolygonF([middle + QPointF(-3.5, -1.75), middle + QPointF(0, 1.75), middle + QPointF(3.5, -1.75)])
        )
