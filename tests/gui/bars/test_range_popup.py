from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtWidgets import QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.bars.range_calendar import RangeCalendar
from usage_viewer.gui.bars.range_picker import RangePicker
from usage_viewer.gui.bars.range_popup import PRESETS, RangePopup
from usage_viewer.gui.widgets.form_dialog import FormDialog

LEFT = Qt.MouseButton.LeftButton
NOW = int(datetime(2026, 11, 22, 14, tzinfo=UTC).timestamp())
VIEW = ViewState()


def days(first: str, last: str) -> DateRange:
    return DateRange.days(date.fromisoformat(first), date.fromisoformat(last))


@pytest.fixture
def picker(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> RangePicker:
    picker = RangePicker()
    picker.view_requested.connect(wanted.append)
    picker.show_view(VIEW, NOW)
    shown(picker, 600)
    return picker


@pytest.fixture
def popup(picker: RangePicker, qtbot: QtBot) -> RangePopup:
    qtbot.mouseClick(picker.button, LEFT)
    assert picker.popup.isVisible()
    return picker.popup


def retype(qtbot: QtBot, popup: RangePopup, start: str, end: str) -> None:
    for line, text in ((popup.start, start), (popup.end, end)):
        line.setFocus()
        line.selectAll()
        qtbot.keyClick(line, Qt.Key.Key_Delete)
        qtbot.keyClicks(line, text)


def click_day(qtbot: QtBot, calendar: RangeCalendar, day: date) -> None:
    """Clicks a day of the month that the calendar shows."""
    table = calendar.findChild(QTableView)
    assert table is not None
    first = QDate(day.year, day.month, 1)
    # If the month begins with the first day of a week, Qt shows a whole week of the month before.
    leading_days = (first.dayOfWeek() - calendar.firstDayOfWeek().value) % 7 or 7
    row, column = divmod(leading_days + day.day - 1, 7)
    position = table.visualRect(table.model().index(row + 1, column)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=position)


def test_click_on_preset_applies_it(popup: RangePopup, wanted: list[ViewState], qtbot: QtBot) -> None:
    item = popup.presets.item(PRESETS.index(Preset.LAST_MONTH))
    qtbot.mouseClick(popup.presets.viewport(), LEFT, pos=popup.presets.visualItemRect(item).center())
    assert wanted == [VIEW.with_range(DateRange(Preset.LAST_MONTH))]
    assert not popup.isVisible()


def test_preset_is_chosen_by_keyboard(popup: RangePopup, wanted: list[ViewState], qtbot: QtBot) -> None:
    assert popup.presets.hasFocus()
    assert popup.presets.currentRow() == PRESETS.index(Preset.LAST_30_DAYS)
    qtbot.keyClick(popup.presets, Qt.Key.Key_Up)
    assert (popup.start.text(), popup.end.text()) == ("2026-11-16", "2026-11-22")
    assert not wanted
    qtbot.keyClick(popup.presets, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_range(DateRange(Preset.LAST_7_DAYS))]


def test_popup_lists_presets(popup: RangePopup) -> None:
    assert [popup.presets.item(row).text() for row in range(popup.presets.count())] == [
        *("Today", "Yesterday", "This week", "Last week", "Last 7 days", "Last 30 days", "Last 90 days"),
        *("This month", "Last month", "This quarter", "Last quarter", "This year", "Last 12 months"),
    ]


@pytest.mark.parametrize("line", ["start", "end"])
@pytest.mark.parametrize(
    ("text", "preset"), [("last week", Preset.LAST_WEEK), ("This Quarter", Preset.THIS_QUARTER)]
)
def test_typed_preset_is_applied(
    popup: RangePopup, wanted: list[ViewState], qtbot: QtBot, line: str, text: str, preset: Preset
) -> None:
    field: QLineEdit = getattr(popup, line)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    assert popup.presets.currentRow() == PRESETS.index(preset)
    other = popup.start if line == "end" else popup.end
    assert date.fromisoformat(other.text()) <= date(2026, 11, 22)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_range(DateRange(preset))]


def test_date_typed_after_a_preset_replaces_it(popup: RangePopup, wanted: list[ViewState], qtbot: QtBot) -> None:
    retype(qtbot, popup, "last week", "2026-11-19")
    assert popup.presets.currentRow() == -1
    assert popup.start.text() == "2026-11-09"
    qtbot.keyClick(popup.end, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_range(days("2026-11-09", "2026-11-19"))]


def test_date_typed_at_the_presets_goes_to_the_first_field(
    popup: RangePopup, wanted: list[ViewState], qtbot: QtBot
) -> None:
    popup.presets.setFocus()
    qtbot.keyClick(popup.presets, "2")
    focused = popup.focusWidget()
    assert focused is popup.start
    qtbot.keyClicks(popup.start, "026-11-03")
    assert popup.start.text() == "2026-11-03"
    qtbot.keyClick(popup.start, Qt.Key.Key_Return)
    assert [view.range.start for view in wanted] == [days("2026-11-03", "2026-11-26").start]


def test_presets_need_no_scroll_bar(popup: RangePopup) -> None:
    assert not popup.presets.verticalScrollBar().isVisible()


def test_week_begins_with_the_first_day_of_the_locale(picker: RangePicker) -> None:
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    picker.show_view(VIEW.with_range(DateRange(Preset.THIS_WEEK)), NOW)
    assert picker.button.choice == "This week · Nov 22, 2026"
    picker.show_view(VIEW.with_range(DateRange(Preset.LAST_WEEK)), NOW)
    assert picker.button.choice == "Last week · Nov 15 – Nov 21, 2026"
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    picker.show_view(VIEW.with_range(DateRange(Preset.THIS_WEEK)), NOW)
    assert picker.button.choice == "This week · 16 – 22 Nov 2026"


def test_arrows_go_from_this_week_to_last_week_and_back(
    picker: RangePicker, wanted: list[ViewState], qtbot: QtBot
) -> None:
    picker.show_view(VIEW.with_range(DateRange(Preset.THIS_WEEK)), NOW)
    assert not picker.forward.isEnabled()
    qtbot.mouseClick(picker.back, LEFT)
    picker.show_view(wanted[-1], NOW)
    qtbot.mouseClick(picker.forward, LEFT)
    assert [view.range.preset for view in wanted] == [Preset.LAST_WEEK, Preset.THIS_WEEK]


def test_esc_discards_draft(popup: RangePopup, wanted: list[ViewState], qtbot: QtBot) -> None:
    retype(qtbot, popup, "2026-11-03", "2026-11-04")
    qtbot.keyClick(popup.end, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    assert not wanted


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-03", "2026-11-04", days("2026-11-03", "2026-11-04")),
        ("3 Nov", "yesterday", days("2026-11-03", "2026-11-21")),
        ("-7d", "today", days("2026-11-15", "2026-11-22")),
        ("03/11/2026", "4/11/26", days("2026-11-03", "2026-11-04")),
        (
            "2026-11-03T14:00",
            "2026-11-03T16:00",
            DateRange(None, datetime.fromisoformat("2026-11-03T14:00"), datetime.fromisoformat("2026-11-03T16:00")),
        ),
    ],
)
def test_range_can_be_typed(
    popup: RangePopup, wanted: list[ViewState], qtbot: QtBot, start: str, end: str, expected: DateRange
) -> None:
    retype(qtbot, popup, start, end)
    assert popup.presets.currentRow() == -1
    qtbot.keyClick(popup.end, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_range(expected)]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("soon", "today", "“soon” is not a date"),
        ("", "today", "A date is missing"),
        ("2026-02-30", "today", "This day does not exist"),
        ("today", "yesterday", "The end is not after the start"),
        ("<b>x</b>", "today", "“<b>x</b>” is not a date"),
    ],
)
def test_invalid_text_shows_error_and_cannot_be_applied(
    popup: RangePopup, wanted: list[ViewState], qtbot: QtBot, start: str, end: str, message: str
) -> None:
    retype(qtbot, popup, start, end)
    assert popup.message.text().startswith(message)
    assert popup.message.textFormat() == Qt.TextFormat.PlainText
    assert not popup.apply_button.isEnabled()
    qtbot.keyClick(popup.end, Qt.Key.Key_Return)
    assert popup.isVisible()
    assert not wanted
    retype(qtbot, popup, "2026-11-03", "2026-11-03")
    assert popup.message.text() == "3 Nov 2026 · 1 day"
    assert popup.apply_button.isEnabled()


def test_buttons_have_the_order_of_dialogs(popup: RangePopup, qtbot: QtBot) -> None:
    dialog = FormDialog(popup, "Title", "Text", "&Act", lambda: None)
    qtbot.addWidget(dialog)
    dialog.show()
    popup.show()
    dialog_order = dialog.button.x() < dialog.cancel.x()
    assert (popup.apply_button.x() < popup.cancel_button.x()) == dialog_order


def test_calendars_choose_first_and_last_day(popup: RangePopup, wanted: list[ViewState], qtbot: QtBot) -> None:
    click_day(qtbot, popup.start_calendar, date(2026, 10, 27))
    click_day(qtbot, popup.end_calendar, date(2026, 11, 10))
    assert (popup.start.text(), popup.end.text()) == ("2026-10-27", "2026-11-10")
    qtbot.mouseClick(popup.apply_button, LEFT)
    assert wanted == [VIEW.with_range(days("2026-10-27", "2026-11-10"))]


def test_range_keeps_length_if_ends_are_swapped(popup: RangePopup, qtbot: QtBot) -> None:
    retype(qtbot, popup, "2026-11-10", "2026-11-12")
    click_day(qtbot, popup.end_calendar, date(2026, 11, 3))
    assert (popup.start.text(), popup.end.text()) == ("2026-11-01", "2026-11-03")
    click_day(qtbot, popup.start_calendar, date(2026, 11, 20))
    assert (popup.start.text(), popup.end.text()) == ("2026-11-20", "2026-11-22")
