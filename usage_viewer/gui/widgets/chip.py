"""`Chip`: a pill that is on or off, or opens something; it can be removed, and dragged within its row."""

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolButton, QWidget

from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.theme import UNIT, is_dark, mixed, quiet

WIDEST = 36 * UNIT
REMOVE_KEYS = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class Chip(QToolButton):
    """`active` chips are filled and have a close button; the others are outlined, with a plus where `addable`.

    `clicked` is the press (mouse, Space, Enter); Delete removes; Ctrl+Left and Ctrl+Right shift a `movable` chip.
    """

    removed = Signal()
    shifted = Signal(int)  # one place to the left (-1) or to the right (1)
    dragged = Signal(QPoint)  # the mouse's place in the parent
    dropped = Signal(bool)  # False: given up with Esc

    def __init__(self, parent: QWidget | None = None, *, movable: bool = False, addable: bool = False) -> None:
        super().__init__(parent)
        self.active = True
        self._movable = movable
        self._addable = addable
        self._pressed_at: QPoint | None = None
        self.dragging = False
        self.close_button = ChipClose(self)
        self.close_button.clicked.connect(self.removed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def show_state(self, text: str, *, active: bool, remove_text: str = "") -> None:
        """What is written on it, whether it is on, and the close button's accessible name."""
        if text == self.text() and active == self.active:
            return
        self.active = active
        self.setText(text)
        self.setShortcut("")  # an ampersand in a name takes no key
        self.close_button.setAccessibleName(remove_text)
        self.close_button.setToolTip(tip(remove_text))
        self.close_button.setVisible(active)
        self.updateGeometry()
        self._place_close()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        height = metrics.height() + UNIT
        left, right = self._margins(height)
        return QSize(min(metrics.horizontalAdvance(self.text()) + left + right + 2, WIDEST), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(6 * UNIT, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_close()

    def _place_close(self) -> None:
        side = self.height() - 8
        x = 5 if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else self.width() - side - 5
        self.close_button.setGeometry(x, 4, side, side)

    # Keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if self.dragging and event.key() == Qt.Key.Key_Escape:
            self._end_drag(kept=False)
        elif self.active and event.key() in REMOVE_KEYS:
            self.removed.emit()
        elif self.active and self._movable and control and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.shifted.emit(-1 if event.key() == Qt.Key.Key_Left else 1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._movable and self.active:
            self._pressed_at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        if self._pressed_at is None:
            super().mouseMoveEvent(event)
            return
        far = (place - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
        if far and not self.dragging:
            self.dragging = True
            self.setDown(False)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.raise_()
        if self.dragging:
            self.dragged.emit(self.mapToParent(place))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None
        if self.dragging:
            self._end_drag(kept=True)
        else:
            super().mouseReleaseEvent(event)

    def _end_drag(self, *, kept: bool) -> None:
        self._pressed_at = None
        self.dragging = False
        self.unsetCursor()
        self.update()
        self.dropped.emit(kept)

    # Looks

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, outline, text = self._colours()
        shape = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(outline, 1.0) if outline.alpha() else Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(shape.adjusted(0.5, 0.5, -0.5, -0.5), shape.height() / 2, shape.height() / 2)
        painter.setPen(text)
        inner = self._text_place()
        painter.drawText(
            inner,
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextSingleLine,
            self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, inner.width()),
        )
        if not self.active and self._addable:
            self._draw_plus(painter, text)
        if self.hasFocus():
            draw_focus(painter, self.palette(), shape, shape.height() / 2)
        painter.end()

    def _margins(self, height: int) -> tuple[int, int]:
        """Before and after the text: room for the plus, and for the close button."""
        plus = not self.active and self._addable
        return UNIT + 2 + (UNIT + 2 if plus else 0), height - 4 if self.active else UNIT + 2

    def _text_place(self) -> QRect:
        left, right = self._margins(self.height())
        place = self.rect().adjusted(left, 0, -right, 0)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            place.moveLeft(right)
        return place

    def _draw_plus(self, painter: QPainter, colour: QColor) -> None:
        x = UNIT + 4.5
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            x = self.width() - x
        middle, arm = QPointF(x, self.height() / 2), 3.5
        painter.setPen(QPen(colour, 1.3, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(middle - QPointF(arm, 0), middle + QPointF(arm, 0))
        painter.drawLine(middle - QPointF(0, arm), middle + QPointF(0, arm))

    def _colours(self) -> tuple[QColor, QColor, QColor]:
        """Fill, outline and text."""
        palette = self.palette()
        window, front = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        strength = 0.09 if self.isDown() or self.dragging else 0.05 if self.underMouse() else 0.0
        if not self.isEnabled():
            return QColor(0, 0, 0, 0), mixed(window, front, 0.3), front  # the palette's disabled text
        if not self.active:
            fill = mixed(window, front, strength) if strength else QColor(0, 0, 0, 0)
            return fill, mixed(window, front, 0.2), front if strength else quiet(palette)
        accent = palette.color(QPalette.ColorRole.Highlight)
        tint = mixed(window, accent, 0.34 if is_dark(palette) else 0.16)
        return mixed(tint, front, strength), mixed(tint, accent, 0.45 if not self.dragging else 1.0), front


class ChipClose(QToolButton):
    """The small cross in a chip; by keyboard, the chip itself takes Delete."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        front = palette.color(QPalette.ColorRole.WindowText)
        if self.underMouse():
            veil = QColor(front)
            veil.setAlphaF(0.22 if self.isDown() else 0.13)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(veil)
            painter.drawEllipse(QRectF(self.rect()))
        middle, arm = QRectF(self.rect()).center(), 2.75
        painter.setPen(QPen(front if self.underMouse() else quiet(palette), 1.3, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
        painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))
        painter.end()


def draw_focus(painter: QPainter, palette: QPalette, shape: QRectF, radius: float) -> None:
    """A ring in the accent colour: where the keyboard is."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2.0))
    painter.drawRoundedRect(shape, radius, radius)
