"""Shows a chart, and turns the pointer and the keys into requests to filter, to open or to choose a range."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleInterface,
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAccessibleWidget, QApplication, QSizePolicy, QWidget

from usage_viewer.gui.chart.chart_emphasis import NOWHERE, Emphasis, Place
from usage_viewer.gui.chart.chart_face import BarsFace, ChartFace, Surface, face_of, keys_of_steps
from usage_viewer.gui.chart.chart_layout import most_buckets
from usage_viewer.gui.chart.chart_readout import Readout
from usage_viewer.gui.chart.chart_texts import ChartTexts
from usage_viewer.gui.widgets.theme import muted_colour
from usage_viewer.gui.workspace.locale_week import week_start

_REPAINTING = (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.LayoutDirectionChange)
_MIRRORED = {Qt.Key.Key_Left: Qt.Key.Key_Right, Qt.Key.Key_Right: Qt.Key.Key_Left}
_ADD = Qt.KeyboardModifier.ControlModifier
_SELECT = Qt.KeyboardModifier.AltModifier
_BRUSH = Qt.KeyboardModifier.ShiftModifier


class ChartView(QWidget):
    """Paints the chart once and keeps the picture; what stands out is painted over it.

    A place's `across` is a bucket, its `down` a series. Enter does what a click does, Space what Alt and a click
    do.
    """

    activated = Signal(object, bool)  # Place with a series; whether to add it to the filter
    opened = Signal(object, int)  # Chart, bucket
    range_chosen = Signal(int, int)  # first and last bucket
    selected = Signal(object)  # Place
    taken_back = Signal()  # Esc, with nothing to cancel in the chart
    moved = Signal(str)  # the place of the keyboard in words
    menu_requested = Signal(object, QPoint)  # Place, position on the screen
    width_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _install_accessible_chart()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Chart")
        self.texts: ChartTexts | None = None
        self._message = ""
        self._face: ChartFace | None = None
        self._picture: QPixmap | None = None
        self._emphasis = Emphasis()
        self._cursor = NOWHERE
        self._pressed: tuple[ChartTexts, Place, QPoint] | None = None
        self._clicked: tuple[ChartTexts, Place, QPoint] | None = None  # of a double click, the first click
        self._anchor: int | None = None  # where the range that is being chosen begins
        self.readout = Readout(self)

    # Content

    def show_chart(self, texts: ChartTexts) -> None:
        """Show a chart; the place of the keyboard is kept where it still exists.

        With the same buckets, such as while a fetch fills them, a range that is being chosen is kept, too.
        """
        if self.texts is None or not _same_buckets(self.texts, texts):
            self._anchor = self._pressed = None
        self.texts, self._message = texts, texts.chart.problem
        self._emphasis = Emphasis(NOWHERE, self._cursor_shown(), self._brush())
        self.readout.hide()
        self._drop_picture()
        self.setAccessibleName(f"Chart: {texts.figure}, {texts.subtitle}")

    def show_message(self, text: str) -> None:
        """Show a text in place of a chart."""
        self.texts, self._message = None, text
        self._emphasis, self._cursor, self._anchor = Emphasis(), NOWHERE, None
        self.readout.hide()
        self._drop_picture()
        self.setAccessibleName(f"Chart: {text}" if text else "Chart")

    @property
    def message(self) -> str:
        """Returns the text that is shown in place of a chart; "" for a chart."""
        return self._message

    @property
    def emphasis(self) -> Emphasis:
        """Returns what stands out."""
        return self._emphasis

    @property
    def face(self) -> ChartFace | None:
        """Returns the face, laid out for the size of the widget; None if there is nothing to draw."""
        if self._face is None and self.texts is not None:
            self._face = face_of(self.texts, self._surface())
            self._keep_cursor()
        return self._face

    @property
    def most_buckets(self) -> int:
        """Returns how many buckets the widget has room for."""
        return most_buckets(self.width())

    def set_selected(self, selected: NDArray[np.bool_] | None) -> None:
        """Let the parts of selected rows stand out, (series, buckets); None: no row is selected."""
        self._set_emphasis(Emphasis(self._emphasis.pointed, self._cursor_shown(), self._brush(), selected))

    def _surface(self) -> Surface:
        return Surface(
            self.width(),
            self.height(),
            self.font(),
            self.palette(),
            self.layoutDirection() == Qt.LayoutDirection.RightToLeft,
            week_start(self.locale()),
        )

    def _drop_picture(self) -> None:
        self._face = self._picture = None
        self.update()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        face = self.face
        painter = QPainter(self)
        painter.setFont(self.font())
        if face is None:
            painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
            painter.setPen(muted_colour(self.palette()))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(8, 0, -8, 0), flags, self._message)
        else:
            painter.drawPixmap(QPoint(), self._painted(face))
            face.paint_emphasis(painter, self._emphasis)
        painter.end()

    def _painted(self, face: ChartFace) -> QPixmap:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(self.palette().color(QPalette.ColorRole.Base))
            painter = QPainter(self._picture)
            painter.setFont(self.font())
            face.paint(painter)
            painter.end()
        return self._picture

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._drop_picture()
        self.readout.hide()
        if event.size().width() != event.oldSize().width():
            self.width_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in _REPAINTING:
            self._drop_picture()

    def _set_emphasis(self, emphasis: Emphasis) -> None:
        self._emphasis = emphasis
        self.update()

    # The pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        face = self.face
        if face is None:
            return
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(event.position().toPoint())
            return
        self._point(face.hit(event.position()))

    def _point(self, place: Place) -> None:
        if place == self._emphasis.pointed:
            return
        emphasis = self._emphasis
        self._set_emphasis(Emphasis(place, self._cursor_shown(), self._brush(), emphasis.selected))
        self._show_readout(place if place.across is not None else NOWHERE)

    def _show_readout(self, place: Place) -> None:
        if self._face is None or place.across is None:
            self.readout.hide()
            return
        box = self._face.box(place)
        area = QRect(round(box.x), round(box.y), max(round(box.width), 1), max(round(box.height), 1))
        self.readout.show_lines(self._face.readout(place), place.down, area)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.face is not None and self.texts is not None:
            place = self._face.hit(event.position()) if self._face is not None else NOWHERE
            self._pressed = self.texts, place, event.position().toPoint()
            if place.across is not None:
                self._cursor = place
            event.accept()
        else:
            event.ignore()  # the page has uses for other buttons

    def _drag(self, point: QPoint) -> None:
        face, pressed = self.face, self._pressed
        if pressed is None or not isinstance(face, BarsFace) or pressed[1].across is None:
            return
        if self._anchor is None and abs(point.x() - pressed[2].x()) < QApplication.startDragDistance():
            return
        self._anchor = pressed[1].across
        self._cursor = Place(face.layout.bucket_at(point.x(), clamp=True))
        self._show_brush()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if event.button() != Qt.MouseButton.LeftButton or pressed is None:
            return
        self._clicked = pressed
        if self._anchor is not None:
            self._choose_range()
        elif event.modifiers() & _SELECT and pressed[1] != NOWHERE:
            self.selected.emit(pressed[1])
        elif pressed[1].down is not None and isinstance(self._face, BarsFace):
            self.activated.emit(pressed[1], bool(event.modifiers() & _ADD))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the bucket of the first click: its filter may have moved the bars since."""
        before = self._clicked
        if event.button() == Qt.MouseButton.LeftButton and before is not None and before[1].across is not None:
            self.opened.emit(before[0].chart, before[1].across)
        elif event.button() != Qt.MouseButton.LeftButton:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        self._point(NOWHERE)
        self.readout.hide()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        face = self.face
        if face is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self.menu_requested.emit(face.hit(QPointF(event.pos())), event.globalPos())
        else:
            self.menu_requested.emit(self._cursor, self.mapToGlobal(self._menu_point(face)))

    def _menu_point(self, face: ChartFace) -> QPoint:
        if self._cursor.across is None:
            return self.rect().center()
        box = face.box(self._cursor)
        return QPoint(round(box.x + box.width / 2), round(box.y + box.height / 2))

    # The keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            key = _MIRRORED.get(key, key)
        if key == Qt.Key.Key_Escape:
            self._take_back()
        elif self.face is None:
            super().keyPressEvent(event)
        elif key in keys_of_steps():
            self._step(key, brush=bool(event.modifiers() & _BRUSH))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter(add=bool(event.modifiers() & _ADD))
        elif key == Qt.Key.Key_Space and self._cursor != NOWHERE:
            self.selected.emit(self._cursor)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep Esc, which the window would take for a command, while the chart has the focus."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def _step(self, key: Qt.Key, *, brush: bool) -> None:
        face = self.face
        assert face is not None
        before = self._cursor if self._cursor.across is not None else face.first()
        if before.across is None:
            return
        self._cursor = face.step(before, key) if self._cursor.across is not None else before
        if brush and isinstance(face, BarsFace):
            self._anchor = before.across if self._anchor is None else self._anchor
            self._show_brush()
        else:
            self._anchor = None
            self._show_cursor()
        self.moved.emit(self._spoken())

    def _spoken(self) -> str:
        face, texts = self.face, self.texts
        if face is None or texts is None or self._cursor.across is None:
            return ""
        if self._anchor is None:
            return face.say(self._cursor)
        low, high = sorted((self._anchor, self._cursor.across))
        return f"{texts.bucket(low)} to {texts.bucket(high)}"

    def _enter(self, *, add: bool) -> None:
        if self._anchor is not None:
            self._choose_range()
        elif not isinstance(self.face, BarsFace) or self.texts is None:
            return
        elif self._cursor.down is not None:
            self.activated.emit(self._cursor, add)
        elif self._cursor.across is not None:
            self.opened.emit(self.texts.chart, self._cursor.across)

    def _take_back(self) -> None:
        """Cancel the range that is being chosen, or else take back the last change that the chart made."""
        if self._anchor is not None:
            self._anchor = self._pressed = None
            self._show_cursor()
        else:
            self.taken_back.emit()

    def _choose_range(self) -> None:
        first, last = self._brush() or (0, 0)
        self._anchor = None
        self._show_cursor()
        self.range_chosen.emit(min(first, last), max(first, last))

    def _brush(self) -> tuple[int, int] | None:
        if self._anchor is None or self._cursor.across is None:
            return None
        return self._anchor, self._cursor.across

    def _show_brush(self) -> None:
        self.readout.hide()
        self._set_emphasis(Emphasis(NOWHERE, self._cursor_shown(), self._brush(), self._emphasis.selected))

    def _show_cursor(self) -> None:
        pointed = NOWHERE if self._cursor.down is None else Place(None, self._cursor.down)
        if not isinstance(self._face, BarsFace) or not self.hasFocus():
            pointed = NOWHERE
        self._set_emphasis(Emphasis(pointed, self._cursor_shown(), None, self._emphasis.selected))
        self._show_readout(self._cursor if self.hasFocus() else NOWHERE)

    def _cursor_shown(self) -> Place:
        return self._cursor if self.hasFocus() else NOWHERE

    def _keep_cursor(self) -> None:
        """Drop a place that the new chart doesn't have."""
        if isinstance(self._face, BarsFace) and self._cursor.across is not None:
            groups, count = self._face.layout.top.shape
            if self._cursor.across >= count or (self._cursor.down or 0) >= max(groups, 1):
                self._cursor = NOWHERE

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_cursor()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._anchor = None
        self._show_cursor()

    def hideEvent(self, event: QHideEvent) -> None:
        self.readout.hide()


def _same_buckets(before: ChartTexts, after: ChartTexts) -> bool:
    first, second = before.chart.series, after.chart.series
    if first is None or second is None:
        return False
    return np.array_equal(first.buckets.periods.bounds, second.buckets.periods.bounds)


@cache
def _install_accessible_chart() -> None:
    """Install the factory once in a process: Qt would ask each installed one."""
    QAccessible.installFactory(_accessible_chart)


def _accessible_chart(key: str, widget: object) -> QAccessibleInterface | None:
    """Tell screen readers that the widget is a chart."""
    if isinstance(widget, ChartView):
        return QAccessibleWidget(widget, QAccessible.Role.Chart)  # a name given here would stay the first one
    return None
