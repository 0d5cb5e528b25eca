from collections.abc import Callable
from datetime import date

import pytest
from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QSpinBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.bars.range_calendar import RangeCalendar


@pytest.fixture
def calendar(shown: Callable[[QWidget, int], None]) -> RangeCalendar:
    calendar = RangeCalendar(None, name="First day")
    calendar.show_range(date(2026, 10, 24), date(2026, 11, 22), date(2026, 10, 24))
    shown(calendar, 300)
    return calendar


def test_range_is_tinted_in_displayed_month(calendar: RangeCalendar) -> None:
    def is_tinted(month: int, day: int) -> bool:
        return calendar.dateTextFormat(QDate(2026, month, day)).background().style() != Qt.BrushStyle.NoBrush

    assert [is_tinted(10, day) for day in (23, 24, 31)] == [False, True, True]
    calendar.showNextMonth()
    assert [is_tinted(11, day) for day in (1, 22, 23)] == [True, True, False]


def test_show_range_emits_no_signal(calendar: RangeCalendar, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(calendar.selectionChanged):
        calendar.show_range(date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 2))
    assert calendar.chosen_day == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("day", "nearest"),
    [(QDate(-4714, 1, 1), date(2000, 1, 1)), (QDate(9999, 12, 31), date(2999, 12, 31))],
)
def test_calendar_is_limited_to_years_that_can_be_typed(calendar: RangeCalendar, day: QDate, nearest: date) -> None:
    year = calendar.findChild(QSpinBox, "qt_calendar_yearedit")
    assert isinstance(year, QSpinBox)
    assert (year.minimum(), year.maximum()) == (2000, 2999)
    calendar.setSelectedDate(day)
    assert calendar.chosen_day == nearest


def test_first_day_of_week_follows_locale(calendar: RangeCalendar) -> None:
    assert calendar.firstDayOfWeek() == Qt.DayOfWeek.Monday
    QLocale.setDefault(QLocale("en_US"))
    assert RangeCalendar(calendar, name="Last day").firstDayOfWeek() == Qt.DayOfWeek.Sunday


def test_arrows_have_names_and_follow_palette(calendar: RangeCalendar) -> None:
    back = calendar.findChild(QToolButton, "qt_calendar_prevmonth")
    assert back is not None
    assert back.accessibleName() == "Previous month"
    before = back.icon().pixmap(16).toImage()
    calendar.setPalette(QPalette(QColor("#2b2d31"), QColor("#1f2124")))
    assert back.icon().pixmap(16).toImage() != before
