"""Defines `DropdownButton`, the flat button of the bars that shows the current choice and opens a list."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from usage_viewer.gui.widgets.chip import draw_focus_ring
from usage_viewer.gui.widgets.theme import UNIT, blend, muted_colour

MIN_ELIDED_LENGTH = 5
"""Characters. A part that would be cut to this length or less is not drawn: the rest could not be understood."""

_ALIGN = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextSingleLine


class DropdownButton(QToolButton):
    """Shows a muted prefix, the choice, a muted suffix and a chevron, for example `By day ▾`.

    Enter, Space and Down press the button. `name` is the name of the setting, such as "Time zone"; the accessible
    name begins with it. `max_width` is in pixels.
    """

    def __init__(self, parent: QWidget | None, *, name: str, shortcut: str, max_width: int = 40 * UNIT) -> None:
        super().__init__(parent)
        self._parts = ("", "", "")
        self._tip: str | None = None  # None until the first `show_choice`
        self._name = name
        self._max_width = max_width
        self._reserved: tuple[str, ...] = ()
        self._cuts = False
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, Space and letters still go to the table
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setShortcut(shortcut)
        self.show_choice("")

    def show_choice(self, choice: str, *, prefix: str = "", suffix: str = "", tip: str = "") -> None:
        """Show the current choice; without `tip`, the tooltip is the button's name and shortcut."""
        parts = (prefix, choice, suffix)
        if parts == self._parts and tip == self._tip:
            return
        self._parts, self._tip = parts, tip
        key = self.shortcut().toString(self.shortcut().SequenceFormat.NativeText)
        self.setAccessibleName(f"{self._name}: {self.choice}")
        self.setAccessibleDescription(f"Opens the choices. {key}")
        named = f"{self._name}: {self.choice}" if self._cuts else self._name
        self.setToolTip(tip or f"{named} ({key})")
        self.updateGeometry()
        self.update()

    def reserve(self, texts: Iterable[str], *, at_most: bool = False) -> None:
        """Make the button wide enough for each of these texts, so that another choice moves no other button.

        With `at_most` it never gets wider; a longer text is cut, and the tooltip has it.
        """
        self._reserved, self._cuts = tuple(texts), at_most
        self.updateGeometry()

    @property
    def choice(self) -> str:
        """Return the whole text on the button: prefix, choice and suffix."""
        return " ".join(part for part in self._parts if part)

    def sizeHint(self) -> QSize:
        widths = [self.fontMetrics().horizontalAdvance(text) + 3 * self._space() for text in self._reserved]
        if not (widths and self._cuts):
            widths.append(self._text_width())
        width = max(widths)
        return QSize(
            min(width + UNIT * 3 + 2, self._max_width),
            self.fontMetrics().height() + UNIT + 4,
        )

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._text_width() + UNIT * 3 + 2, 10 * UNIT), self.sizeHint().height())

    def _text_width(self) -> int:
        return sum(self.fontMetrics().horizontalAdvance(part) + self._space() for part in self._parts if part)

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
        window, text_colour = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        strength = 0.12 if self.isDown() else 0.07 if self.underMouse() and self.isEnabled() else 0.0
        if strength:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(window, text_colour, strength))
            painter.drawRoundedRect(shape, 5, 5)
        # A disabled button has one colour: the palette's colour of disabled text.
        muted = muted_colour(palette) if self.isEnabled() else text_colour
        free = self.rect().adjusted(UNIT, 0, -UNIT * 2 - 2, 0)
        for part, colour in zip(self._parts_within(free.width()), (muted, text_colour, muted), strict=True):
            if part and free.width() > 0:
                painter.setPen(colour)
                text = self.fontMetrics().elidedText(part, Qt.TextElideMode.ElideRight, free.width())
                if len(text) > MIN_ELIDED_LENGTH or text == part:
                    painter.drawText(self._mirrored(free), _ALIGN, text)
                free.setLeft(free.left() + self.fontMetrics().horizontalAdvance(part) + self._space())
        self._draw_chevron(painter, QPen(muted, 1.4, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        if self.hasFocus():
            draw_focus_ring(painter, palette, shape, 5)
        painter.end()

    def _parts_within(self, width: int) -> tuple[str, str, str]:
        """Return the parts to draw in a width: the prefix gives way to the choice."""
        prefix, choice, suffix = self._parts
        whole = sum(self.fontMetrics().horizontalAdvance(part) for part in (prefix, choice)) + self._space()
        return ("" if whole > width else prefix), choice, suffix

    def _mirrored(self, rect: QRect) -> QRect:
        """Return `rect`, mirrored within the button in a right-to-left layout."""
        return self.style().visualRect(self.layoutDirection(), self.rect(), rect)

    def _draw_chevron(self, painter: QPainter, pen: QPen) -> None:
        rect = self._mirrored(QRect(self.width() - UNIT * 2 - 2, 0, UNIT + 4, self.height()))
        centre = QRectF(rect).center() + QPointF(0, 0.5)
        painter.setPen(pen)
        painter.drawPolyline(
            QPolygonF([centre + QPointF(-3.5, -1.75), centre + QPointF(0, 1.75), centre + QPointF(3.5, -1.75)])
        )
