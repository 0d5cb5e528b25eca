"""Defines `Chip`, a pill-shaped button that can be switched on and off, removed, and dragged within its row."""

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

from usage_viewer.gui.widgets.contrast import SHAPE, nearest
from usage_viewer.gui.widgets.plain_text import explain
from usage_viewer.gui.widgets.theme import UNIT, blend, edge_colour, is_dark, muted_colour

MAX_WIDTH = 36 * UNIT
"""Pixels. A text that needs more is cut in the middle."""

REMOVE_KEYS = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class Chip(QToolButton):
    """Shows a short text in a rounded shape.

    An `active` chip is filled and has a close button. Any other chip is outlined; with `addable` it shows a plus.
    A mouse click, Space and Enter emit `clicked`; Delete asks to remove the chip; Ctrl+Left and Ctrl+Right ask to
    move a `movable` chip. For screen readers a chip that `toggles` is a button that is on or off.
    """

    remove_requested = Signal()
    move_requested = Signal(int)  # one position to the left (-1) or to the right (1)
    dragged = Signal(QPoint)  # the position of the mouse in the parent
    drag_ended = Signal(bool)  # True: dropped; False: cancelled with Esc

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        movable: bool = False,
        addable: bool = False,
        toggles: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setCheckable(toggles)
        self.active = True
        self._movable = movable
        self._addable = addable
        self._pressed_at: QPoint | None = None
        self.dragging = False
        self.close_button = ChipCloseButton(self)
        self.close_button.clicked.connect(self.remove_requested)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def show_state(self, text: str, *, active: bool, remove_text: str = "") -> None:
        """Set the text, whether the chip is on, and the accessible name of the close button."""
        if text == self.text() and active == self.active:
            return
        self.active = active
        self.setChecked(active)
        self.setText(text)
        self.setShortcut("")  # setText makes a shortcut from an ampersand, which may be part of a name
        self.close_button.setAccessibleName(remove_text)
        explain(self.close_button, remove_text)
        self.close_button.setVisible(active)
        self.updateGeometry()
        self._position_close_button()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        height = metrics.height() + UNIT
        left, right = self._margins(height)
        return QSize(min(metrics.horizontalAdvance(self.text()) + left + right + 2, MAX_WIDTH), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(6 * UNIT, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._position_close_button()

    def _position_close_button(self) -> None:
        side = self.height() - 8
        x = 5 if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else self.width() - side - 5
        self.close_button.setGeometry(x, 4, side, side)

    def nextCheckState(self) -> None:
        """Leave the state as it is on a click: it follows the view."""

    # Keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if self.dragging and event.key() == Qt.Key.Key_Escape:
            self._end_drag(dropped=False)
        elif self.active and event.key() in REMOVE_KEYS:
            self.remove_requested.emit()
        elif self.active and self._movable and control and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.move_requested.emit(-1 if event.key() == Qt.Key.Key_Left else 1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._movable and self.active:
            self._pressed_at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        if self._pressed_at is None:
            super().mouseMoveEvent(event)
            return
        distance = (position - self._pressed_at).manhattanLength()
        if distance >= QApplication.startDragDistance() and not self.dragging:
            self.dragging = True
            self.setDown(False)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.raise_()
        if self.dragging:
            self.dragged.emit(self.mapToParent(position))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None
        if self.dragging:
            self._end_drag(dropped=True)
        else:
            super().mouseReleaseEvent(event)

    def _end_drag(self, *, dropped: bool) -> None:
        self._pressed_at = None
        self.dragging = False
        self.unsetCursor()
        self.update()
        self.drag_ended.emit(dropped)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, outline, text = self._colours()
        shape = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(outline, 1.0) if outline.alpha() else Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(shape.adjusted(0.5, 0.5, -0.5, -0.5), shape.height() / 2, shape.height() / 2)
        painter.setPen(text)
        painter.drawText(
            self.text_rect,
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextSingleLine,
            self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.text_rect.width()),
        )
        if not self.active and self._addable:
            self._draw_plus(painter, text)
        if self.hasFocus():
            draw_focus_ring(painter, self.palette(), shape, shape.height() / 2)
        painter.end()

    def _margins(self, height: int) -> tuple[int, int]:
        """Return the pixels before the text (for the plus) and after it (for the close button)."""
        has_plus = not self.active and self._addable
        if self._addable:  # as wide with the plus as with the close button: a click moves no other chip
            both = UNIT + 2 + height - 4
            left = 2 * (UNIT + 2) if has_plus else UNIT + 2
            return left, both - left
        return UNIT + 2, height - 4 if self.active else UNIT + 2

    @property
    def text_rect(self) -> QRect:
        """Return the area of the text within the chip, in pixels."""
        left, right = self._margins(self.height())
        rect = self.rect().adjusted(left, 0, -right, 0)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            rect.moveLeft(right)
        return rect

    def _draw_plus(self, painter: QPainter, colour: QColor) -> None:
        x = UNIT + 4.5
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            x = self.width() - x
        centre, arm = QPointF(x, self.height() / 2), 3.5
        painter.setPen(QPen(colour, 1.3, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(centre - QPointF(arm, 0), centre + QPointF(arm, 0))
        painter.drawLine(centre - QPointF(0, arm), centre + QPointF(0, arm))

    def _colours(self) -> tuple[QColor, QColor, QColor]:
        """Return the colours of the fill, the outline and the text."""
        palette = self.palette()
        window, text_colour = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        strength = 0.09 if self.isDown() or self.dragging else 0.05 if self.underMouse() else 0.0
        if not self.isEnabled():  # the text has the palette's colour of disabled text
            return QColor(0, 0, 0, 0), blend(window, text_colour, 0.3), text_colour
        if not self.active:
            fill = blend(window, text_colour, strength) if strength else QColor(0, 0, 0, 0)
            return fill, edge_colour(palette), text_colour if strength else muted_colour(palette)
        accent = palette.color(QPalette.ColorRole.Highlight)
        tint = blend(window, accent, 0.34 if is_dark(palette) else 0.16)
        outline = nearest(blend(tint, accent, 0.45 if not self.dragging else 1.0), [(window, SHAPE)])
        return blend(tint, text_colour, strength), outline, text_colour


class ChipCloseButton(QToolButton):
    """Draws the small cross in a chip. It takes no focus: with the keyboard, Delete on the chip does the same."""

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
        text_colour = palette.color(QPalette.ColorRole.WindowText)
        if self.underMouse():
            background = QColor(text_colour)
            background.setAlphaF(0.22 if self.isDown() else 0.13)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(background)
            painter.drawEllipse(QRectF(self.rect()))
        centre, arm = QRectF(self.rect()).center(), 2.75
        painter.setPen(
            QPen(text_colour if self.underMouse() else muted_colour(palette), 1.3, c=Qt.PenCapStyle.RoundCap)
        )
        painter.drawLine(centre + QPointF(-arm, -arm), centre + QPointF(arm, arm))
        painter.drawLine(centre + QPointF(-arm, arm), centre + QPointF(arm, -arm))
        painter.end()


def draw_focus_ring(painter: QPainter, palette: QPalette, shape: QRectF, radius: float) -> None:
    """Draw a ring in the accent colour around the widget that has the keyboard focus; `radius` in pixels."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2.0))
    painter.drawRoundedRect(shape, radius, radius)
