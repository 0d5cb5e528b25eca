"""Shows the range of dates in the bar, with arrows to the previous and next range and a popup to choose another."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from usage_viewer.domain.date_range import DateRange, Preset, has_begun, shift_range
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.ranges import range_text
from usage_viewer.gui.widgets.chip import draw_focus_ring
from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.theme import UNIT
from usage_viewer.gui.workspace.locale_week import week_start

if TYPE_CHECKING:
    from usage_viewer.gui.bars.range_popup import RangePopup

_LONG_RANGE = datetime.fromisoformat("2028-09-28"), datetime.fromisoformat("2029-11-28")
"""Days whose text is about as long as that of any other days."""


class StepButton(QToolButton):
    """Shows an arrow that moves the range one step."""

    def __init__(self, parent: QWidget, icon_name: str, *, name: str, shortcut: str) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(16, 16))
        self.setIcon(icon(icon_name, self))
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
            self.setIcon(icon(self._icon_name, self))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_focus_ring(painter, self.palette(), QRectF(self.rect()).adjusted(1, 1, -1, -1), 5)
            painter.end()


class RangePicker(QWidget):
    """Shows the range of the view and requests views with another range."""

    view_requested = Signal(object)  # ViewState

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._now = ViewState(), 0
        self.back = StepButton(self, "chevron-left", name="Previous range", shortcut="Alt+Shift+Left")
        self.button = DropdownButton(self, name="Range", shortcut="Alt+R", max_width=60 * UNIT)
        self.forward = StepButton(self, "chevron-right", name="Next range", shortcut="Alt+Shift+Right")
        days = range_text(*_LONG_RANGE, QLocale())
        self.button.reserve(f"{preset.label} · {days}" for preset in Preset)
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

    @cached_property
    def popup(self) -> "RangePopup":
        """The popup, which is built when it is first opened: it takes as long as the other bars together."""
        from usage_viewer.gui.bars.range_popup import RangePopup

        popup = RangePopup(self)
        popup.chosen.connect(self._request)
        return popup

    def show_view(self, view: ViewState, now: int) -> None:
        """Show the range of a view; the days of a preset are computed from `now` (epoch seconds)."""
        self._view, self._now = view, now
        self.show_adjusted_view(view)
        self.back.setEnabled(self._neighbour(-1) is not None)
        self.forward.setEnabled(self._neighbour(1) is not None)

    def show_adjusted_view(self, view: ViewState) -> None:
        """Show the days of an adjusted view.

        They differ from the requested days if the dataset only has UTC days, and today is a different date in UTC.
        """
        text = range_text(*view.range.wall(self._now, view.tzinfo, week_start(QLocale())), QLocale())
        if view.range.preset is None:
            self.button.show_choice(text)
        else:
            self.button.show_choice(view.range.preset.label, suffix=f"· {text}")

    def open_popup(self) -> None:
        """Open the popup that chooses a range."""
        self.popup.show_range(self._view.range, self._now, self._view.tzinfo)
        self.popup.open_under(self.button)

    def _neighbour(self, step: int) -> DateRange | None:
        """Return the previous (-1) or next (1) range; None if it is out of reach or begins in the future."""
        zone, first_day = self._view.tzinfo, week_start(QLocale())
        moved = shift_range(self._view.range, step, self._now, zone, first_day)
        return moved if moved is not None and has_begun(moved, self._now, zone, first_day) else None

    def _step(self, step: int) -> None:
        neighbour = self._neighbour(step)
        if neighbour is not None:
            self._request(neighbour)

    def _request(self, chosen: DateRange) -> None:
        if chosen != self._view.range:
            self.view_requested.emit(self._view.with_range(chosen))
