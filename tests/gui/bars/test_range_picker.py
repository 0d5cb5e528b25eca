from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.bars.range_picker import RangePicker
from usage_viewer.gui.bars.range_popup import RangePopup

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


def test_button_shows_preset_and_dates(picker: RangePicker, wanted: list[ViewState]) -> None:
    assert picker.button.choice == "Last 30 days · 24 Oct – 22 Nov 2026"
    picker.show_view(VIEW.with_range(days("2026-11-03", "2026-11-03")), NOW)
    assert picker.button.choice == "3 Nov 2026"
    assert not wanted


def test_dates_are_in_time_zone_of_view(picker: RangePicker) -> None:
    late = int(datetime(2026, 11, 22, 23, tzinfo=UTC).timestamp())
    picker.show_view(VIEW.with_zone("Asia/Tokyo").with_range(DateRange(Preset.TODAY)), late)
    assert picker.button.choice == "Today · 23 Nov 2026"


def test_arrows_move_range_by_its_length(picker: RangePicker, wanted: list[ViewState], qtbot: QtBot) -> None:
    assert not picker.forward.isEnabled()  # the future has no usage
    qtbot.mouseClick(picker.back, LEFT)
    assert wanted == [VIEW.with_range(days("2026-09-24", "2026-10-23"))]
    picker.show_view(wanted[-1], NOW)
    qtbot.mouseClick(picker.forward, LEFT)
    assert wanted[-1] == VIEW


def test_alt_and_shift_with_arrow_keys_move_range(
    picker: RangePicker, wanted: list[ViewState], qtbot: QtBot
) -> None:
    alt = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(picker, Qt.Key.Key_Left, alt)
    qtbot.waitUntil(lambda: len(wanted) == 1)
    picker.show_view(wanted[-1], NOW)
    qtbot.keyClick(picker, Qt.Key.Key_Right, alt)
    qtbot.waitUntil(lambda: len(wanted) == 2)
    assert [view.range for view in wanted] == [days("2026-09-24", "2026-10-23"), VIEW.range]


def test_reopened_popup_shows_view_and_not_former_draft(
    picker: RangePicker, popup: RangePopup, qtbot: QtBot
) -> None:
    retype(qtbot, popup, "soon", "later")
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    qtbot.keyClick(picker.button, Qt.Key.Key_Return)
    assert popup.start.text() == "2026-10-24"
    assert popup.apply_button.isEnabled()


def test_controls_have_accessible_names(picker: RangePicker, popup: RangePopup) -> None:
    parts = [picker.back, picker.button, picker.forward, popup.start, popup.end, popup.presets]
    assert all(part.accessibleName() for part in [*parts, popup.start_calendar, popup.end_calendar])
    assert all(part.accessibleDescription() for part in parts[:5])
    assert picker.back.pos() != QPoint() or picker.button.x() > picker.back.x()


def test_days_of_adjusted_view_replace_requested_days(picker: RangePicker) -> None:
    """At 23:30 UTC, the next day has begun in Berlin, but a dataset of UTC days still ends with the present day."""
    late = int(datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp())
    picker.show_view(VIEW.with_zone("Europe/Berlin"), late)
    assert "23 Nov 2026" in picker.button.choice
    picker.show_adjusted_view(VIEW)
    assert "22 Nov 2026" in picker.button.choice
