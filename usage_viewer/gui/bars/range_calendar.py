"""Defines the calendar that shows a range and chooses one of its two ends."""

from datetime import date

from PySide6.QtCore import QDate, QEvent, QLocale, Qt
from PySide6.QtGui import QBrush, QPalette, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QToolButton, QWidget

from usage_viewer.domain.date_parsing import FIRST_YEAR, LAST_YEAR
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.theme import blend


class RangeCalendar(QCalendarWidget):
    """Shows one month with the days of the range tinted. The selected day is one end of the range."""

    def __init__(self, parent: QWidget | None, *, name: str) -> None:
        super().__init__(parent)
        self._range: tuple[date, date] | None = None
        self.setAccessibleName(name)
        self.setLocale(QLocale())
        self.setFirstDayOfWeek(QLocale().firstDayOfWeek())
        self.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.setHorizontalHeaderFormat(QCalendarWidget.HorizontalHeaderFormat.ShortDayNames)
        self.setGridVisible(False)
        # The years that can be typed too. Without a limit, the keyboard reaches years that `date` does not support.
        self.setDateRange(QDate(FIRST_YEAR, 1, 1), QDate(LAST_YEAR, 12, 31))
        self.setMinimumSize(252, 216)
        self.currentPageChanged.connect(self._tint)
        self._follow_palette()

    @property
    def chosen_day(self) -> date:
        """Return the selected day."""
        day = self.selectedDate()
        return date(day.year(), day.month(), day.day())

    def show_range(self, first: date, last: date, chosen: date) -> None:
        """Select `chosen` and tint the days from `first` to `last`, without emitting a signal."""
        blocked = self.blockSignals(True)
        self.setSelectedDate(QDate(chosen.year, chosen.month, chosen.day))
        self.blockSignals(blocked)
        self._range = (first, last)
        self._tint()

    def _tint(self) -> None:
        """Tint the days of the range, but only in the displayed month: a range may be centuries long."""
        self.setDateTextFormat(QDate(), QTextCharFormat())
        if self._range is None:
            return
        palette = self.palette()
        base, accent = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Highlight)
        tint = QTextCharFormat()
        tint.setBackground(QBrush(blend(base, accent, 0.22)))
        month_start = QDate(self.yearShown(), self.monthShown(), 1)
        day = max(QDate(*self._range[0].timetuple()[:3]), month_start)
        last = min(QDate(*self._range[1].timetuple()[:3]), month_start.addMonths(1).addDays(-1))
        while day <= last:
            self.setDateTextFormat(day, tint)
            day = day.addDays(1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._follow_palette()
            self._tint()

    def _follow_palette(self) -> None:
        """Apply the palette: weekends look like other days, the header like the popup, the arrows are our icons."""
        weekday = QTextCharFormat()
        weekday.setForeground(QBrush(self.palette().color(QPalette.ColorRole.Text)))
        for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            self.setWeekdayTextFormat(day, weekday)
        header = QTextCharFormat()
        header.setForeground(QBrush(self.palette().color(QPalette.ColorRole.Text)))
        header.setBackground(QBrush(self.palette().color(QPalette.ColorRole.Base)))
        self.setHeaderTextFormat(header)
        bar = self.findChild(QWidget, "qt_calendar_navigationbar")
        if bar is not None:
            bar.setBackgroundRole(QPalette.ColorRole.Base)
        for name, icon_name, text in (
            ("qt_calendar_prevmonth", "chevron-left", "Previous month"),
            ("qt_calendar_nextmonth", "chevron-right", "Next month"),
            ("qt_calendar_monthbutton", "", "Month"),
            ("qt_calendar_yearbutton", "", "Year"),
        ):
            button = self.findChild(QToolButton, name)
            if button is not None:
                button.setAutoRaise(True)
                button.setAccessibleName(text)
                colours = button.palette()
                for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.HighlightedText):
                    colours.setColor(role, self.palette().color(QPalette.ColorRole.Text))
                button.setPalette(colours)
                if icon_name:
                    button.setIcon(icon(icon_name, self))
