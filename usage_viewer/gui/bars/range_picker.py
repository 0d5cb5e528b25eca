"""The range of dates in the bar: what is shown, one step back or forward, and the way to choose another."""

from PySide6.QtCore import QEvent, QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from usage_viewer.domain.date_range import DateRange, has_begun, shift_range
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.bars.range_popup import RangePopup
from usage_viewer.gui.formatting.ranges import range_text
from usage_viewer.gui.widgets.chip import draw_focus
from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.theme import UNIT


class StepButton(QToolButton):
    """An arrow beside the range."""

    def __init__(self, parent: QWidget, drawing: str, *, name: str, shortcut: str) -> None:
        super().__init__(parent)
        self._drawing = drawing
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setIconSize(QSize(16, 16))
        self.setIcon(icon(drawing, self))
        self.setAccessibleName(name)
        self.setShortcut(shortcut)
        key = self.shortcut().toString(self.shortcut().SequenceFormat.NativeText)
        self.setToolTip(f"{name} ({key})")
        self.setAccessibleDescription(f"Moves the range by its own length. {key}")

    def sizeHint(self) -> QSize:
        height = self.fontMetrics().height() + UNIT + 4
        return QSize(height - 2, height)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.setIcon(icon(self._drawing, self))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_focus(painter, self.palette(), QRectF(self.rect()).adjusted(1, 1, -1, -1), 5)
            painter.end()


class RangePicker(QWidget):
    view_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._now = ViewState(), 0
        self.back = StepButton(self, "chevron-left", name="Previous range", shortcut="Alt+Left")
        self.button = DropdownButton(self, name="Range", shortcut="Alt+R", widest=60 * UNIT)
        self.forward = StepButton(self, "chevron-right", name="Next range", shortcut="Alt+Right")
        self.popup = RangePopup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for part in (self.back, self.button, self.forward):
            row.addWidget(part)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Range")
        self.button.clicked.connect(self.open_popup)
        self.back.clicked.connect(lambda: self._step(-1))
        self.forward.clicked.connect(lambda: self._step(1))
        self.popup.chosen.connect(self._request)

    def show_view(self, view: ViewState, now: int) -> None:
        """`now`: epoch seconds."""
        self._view, self._now = view, now
        self.show_answered(view)
        self.back.setEnabled(self._stepped(-1) is not None)
        self.forward.setEnabled(self._stepped(1) is not None)

    def show_answered(self, view: ViewState) -> None:
        """The days of the view that was answered: where a dataset has UTC days alone, today may be another one."""
        text = range_text(*view.range.wall(self._now, view.tzinfo), QLocale())
        if view.range.preset is None:
            self.button.show_choice(text)
        else:
            self.button.show_choice(view.range.preset.label, suffix=f"· {text}")

    def open_popup(self) -> None:
        self.popup.show_range(self._view.range, self._now, self._view.tzinfo)
        self.popup.open_under(self.button)

    def _stepped(self, step: int) -> DateRange | None:
        """None where there is nothing that way."""
        zone = self._view.tzinfo
        moved = shift_range(self._view.range, step, self._now, zone)
        return moved if moved is not None and has_begun(moved, self._now, zone) else None

    def _step(self, step: int) -> None:
        moved = self._stepped(step)
        if moved is not None:
            self._request(moved)

    def _request(self, chosen: DateRange) -> None:
        if chosen != self._view.range:
            self.view_requested.emit(self._view.with_range(chosen))
