"""Shows presets, two calendars and two text fields to choose a range; input errors are shown in place."""

from datetime import date, datetime, time, timedelta, tzinfo

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.domain.date_parsing import parse_day_or_time, parse_range, preset_named
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.zones import zone_of
from usage_viewer.gui.bars.range_calendar import RangeCalendar
from usage_viewer.gui.formatting.ranges import date_style, range_text
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.popup import Popup, buttons_in_order
from usage_viewer.gui.widgets.theme import UNIT, error_colour, muted_colour, plain_label
from usage_viewer.gui.workspace.locale_week import week_start

PRESETS = tuple(Preset)


class RangePopup(Popup):
    """Edits a range. The two text fields hold the draft; the calendars and presets write into them."""

    chosen = Signal(object)  # DateRange

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Range")
        self._now, self._zone, self._today = 0, zone_of("UTC"), date(2000, 1, 1)
        self._preset: Preset | None = None
        self._draft: DateRange | None = None
        self.presets = QListWidget(self)
        self.presets.setAccessibleName("Presets")
        self.presets.addItems([preset.label for preset in PRESETS])
        self.presets.setFixedWidth(self.presets.sizeHintForColumn(0) + 4 * UNIT)
        for row in range(len(PRESETS)):
            self.presets.item(row).setSizeHint(QSize(0, self.fontMetrics().height() + UNIT))
        row_height = self.fontMetrics().height() + UNIT
        self.presets.setMinimumHeight(len(PRESETS) * row_height + 2 * self.presets.frameWidth())
        self.start = self._create_date_field("First day or start time")
        self.end = self._create_date_field("Last day or end time")
        self.start_calendar = RangeCalendar(self, name="First day")
        self.end_calendar = RangeCalendar(self, name="Last day")
        self.message = plain_label("", self, wrap=True)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.message.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self.message.setAccessibleName("Selected range")
        self.apply_button = QPushButton("&Apply", self)
        self.cancel_button = QPushButton("&Cancel", self)
        self._lay_out()
        self._connect()

    def _create_date_field(self, name: str) -> QLineEdit:
        field = LineEdit(self)
        field.setAccessibleName(name)
        field.setAccessibleDescription(
            "For example 2026-11-03, 3 Nov, yesterday, -7d, last week or 2026-11-03T14:00"
        )
        field.setMaxLength(64)
        return field

    def _lay_out(self) -> None:
        halves = QHBoxLayout()
        halves.setSpacing(UNIT + 4)
        halves.addWidget(self.presets)
        for text, field, calendar in (
            ("&From", self.start, self.start_calendar),
            ("&To", self.end, self.end_calendar),
        ):
            half, head, label = QVBoxLayout(), QHBoxLayout(), plain_label(text, self)
            label.setBuddy(field)
            label.setMinimumWidth(label.sizeHint().width() + 4)  # the size hint cuts off the last letter
            head.addWidget(label)
            head.addWidget(field, 1)
            half.setSpacing(UNIT)
            half.addLayout(head)
            half.addWidget(calendar, 1)
            halves.addLayout(half, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.message, 1)
        foot.addWidget(buttons_in_order(self, self.apply_button, self.cancel_button))
        self.column.addLayout(halves)
        self.column.addLayout(foot)

    def _connect(self) -> None:
        self.presets.installEventFilter(self)
        self.presets.itemClicked.connect(lambda item: self.apply())
        self.presets.currentRowChanged.connect(self._on_preset_changed)
        self.start.textEdited.connect(lambda: self._on_text_edited(self.end))
        self.end.textEdited.connect(lambda: self._on_text_edited(self.start))
        self.start_calendar.clicked.connect(self._on_start_day_chosen)
        self.start_calendar.selectionChanged.connect(self._on_start_day_chosen)
        self.end_calendar.clicked.connect(self._on_end_day_chosen)
        self.end_calendar.selectionChanged.connect(self._on_end_day_chosen)
        self.start_calendar.activated.connect(lambda day: self.end_calendar.setFocus())
        self.apply_button.clicked.connect(self.apply)
        self.cancel_button.clicked.connect(self.close)

    def show_range(self, chosen: DateRange, now: int, zone: tzinfo) -> None:
        """Begin to edit a range; presets and relative dates are computed from `now` (epoch seconds) in `zone`."""
        self._now, self._zone = now, zone
        self._today = datetime.fromtimestamp(now, zone).date()
        self._set_draft(chosen)
        self._select_preset(chosen.preset)
        (self.presets if chosen.preset else self.start).setFocus()

    def apply(self) -> None:
        """Emit the draft and close; do nothing while the draft has an error."""
        if self._draft is None:
            return
        draft = self._draft
        self.close()
        self.chosen.emit(draft)

    # User actions

    def _on_preset_changed(self, row: int) -> None:
        if row >= 0:
            self._set_draft(DateRange(PRESETS[row]))

    def _on_text_edited(self, other: QLineEdit) -> None:
        """Use the edited text; `other` is the other field, which follows if either had the name of a preset."""
        self._select_preset(None)
        self._replace_preset(other)
        style = date_style(QLocale())
        try:
            self._draft = parse_range(self.start.text(), self.end.text(), self._today, style)
        except InputError as error:
            self._draft = None
            self._show_message(f"{error.title}. {error.hint}", error=True)
            return
        if self._draft.preset is not None:
            self._select_preset(self._draft.preset)
            self._show_day(other, self._draft)
        self._show_draft()

    def _replace_preset(self, field: QLineEdit) -> None:
        """Replace a preset's name in a field by its first or last day: the other field was edited since."""
        preset = preset_named(field.text())
        if preset is not None:
            self._show_day(field, DateRange(preset))

    def _show_day(self, field: QLineEdit, chosen: DateRange) -> None:
        """Show the first or the last day of a preset in one of the fields."""
        start, end = chosen.wall(self._now, self._zone, week_start(QLocale()))
        field.setText((start if field is self.start else end - timedelta(days=1)).date().isoformat())

    def _on_start_day_chosen(self) -> None:
        """Set the first day. If it comes after the last day, the range keeps its length and moves."""
        first, (old_first, last) = self.start_calendar.chosen_day, self._draft_days()
        if first > last:
            last = first + (last - old_first)
        self._set_days(first, last)

    def _on_end_day_chosen(self) -> None:
        """Set the last day. If it comes before the first day, the range keeps its length and moves."""
        last, (first, old_last) = self.end_calendar.chosen_day, self._draft_days()
        if last < first:
            first = last - (old_last - first)
        self._set_days(first, last)

    def _set_days(self, first: date, last: date) -> None:
        self._select_preset(None)
        self._set_draft(DateRange.days(first, last))

    # Display

    def _select_preset(self, preset: Preset | None) -> None:
        blocked = self.presets.blockSignals(True)
        if preset is None:
            self.presets.setCurrentRow(-1)
            self.presets.clearSelection()
        else:
            self.presets.setCurrentRow(PRESETS.index(preset))
        self.presets.blockSignals(blocked)

    def _set_draft(self, chosen: DateRange) -> None:
        self._draft = chosen
        start, end = chosen.wall(self._now, self._zone, week_start(QLocale()))
        whole_days = start.time() == end.time() == time()
        if whole_days:
            self.start.setText(start.date().isoformat())
            self.end.setText((end.date() - timedelta(days=1)).isoformat())
        else:
            self.start.setText(start.isoformat(timespec="minutes"))
            self.end.setText(end.isoformat(timespec="minutes"))
        self._show_draft()

    def _draft_days(self) -> tuple[date, date]:
        """Return the first and last day of the text fields; for a text with an error, the day of its calendar."""
        days = []
        for field, calendar in ((self.start, self.start_calendar), (self.end, self.end_calendar)):
            try:
                parsed = parse_day_or_time(field.text(), self._today, date_style(QLocale()))
            except InputError:
                parsed = calendar.chosen_day
            days.append(parsed.date() if isinstance(parsed, datetime) else parsed)
        return days[0], max(days)

    def _show_draft(self) -> None:
        """Show the draft in the calendars and below them in words."""
        assert self._draft is not None
        start, end = self._draft.wall(self._now, self._zone, week_start(QLocale()))
        last = (end - timedelta(minutes=1)).date()
        self.start_calendar.show_range(start.date(), last, start.date())
        self.end_calendar.show_range(start.date(), last, last)
        count = (last - start.date()).days + 1
        days = "1 day" if count == 1 else f"{QLocale().toString(count)} days"
        self._show_message(f"{range_text(start, end, QLocale())} · {days}", error=False)

    def _show_message(self, text: str, *, error: bool) -> None:
        palette = self.message.palette()
        colour = error_colour(self.palette()) if error else muted_colour(self.palette())
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        self.message.setPalette(palette)
        self.message.setText(text)
        self.apply_button.setEnabled(not error)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Type a date into the first field: no preset begins with a digit."""
        typed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.text()
        if watched is not self.presets or not typed or not typed.isdigit():
            return super().eventFilter(watched, event)
        self.start.setFocus()
        self.start.selectAll()
        QCoreApplication.sendEvent(self.start, event)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._draft is None:
            return
        super().keyPressEvent(event)
