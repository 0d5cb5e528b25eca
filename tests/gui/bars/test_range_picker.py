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


def test_reads_as_preset_and_dates(picker: RangePicker, wanted: list[ViewState]) -> None:
    assert picker.button.choice == "Last 30 days · 24 Oct – 22 Nov 2026"
    picker.show_view(VIEW.with_range(days("2026-11-03", "2026-11-03")), NOW)
    assert picker.button.choice == "3 Nov 2026"
    assert not wanted


def test_the_dates_are_those_of_the_views_zone(picker: RangePicker) -> None:
    late = int(datetime(2026, 11, 22, 23, tzinfo=UTC).timestamp())
    picker.show_view(VIEW.with_zone("Asia/Tokyo").with_range(DateRange(Preset.TODAY)), late)
    assert picker.button.choice == "Today · 23 Nov 2026"


def test_the_arrows_move_the_range_by_its_length(
    picker: RangePicker, wanted: list[ViewState], qtbot: QtBot
) -> None:
    assert not picker.forward.isEnabled()  # the future has no usage
    qtbot.mouseClick(picker.back, LEFT)
    assert wanted == [VIEW.with_range(days("2026-09-24", "2026-10-23"))]
    picker.show_view(wanted[-1], NOW)
    qtbot.mouseClick(picker.forward, LEFT)
    assert wanted[-1] == VIEW


def test_alt_and_arrows_do_so_too(picker: RangePicker, wanted: list[ViewState], qtbot: QtBot) -> None:
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(picker, Qt.Key.Key_Left, alt)
    qtbot.waitUntil(lambda: len(wanted) == 1)
    picker.show_view(wanted[-1], NOW)
    qtbot.keyClick(picker, Qt.Key.Key_Right, alt)
    qtbot.waitUntil(lambda: len(wanted) == 2)
    assert [view.range for view in wanted] == [days("2026-09-24", "2026-10-23"), VIEW.range]


def test_opening_again_shows_the_view_not_the_draft(picker: RangePicker, popup: RangePopup, qtbot: QtBot) -> None:
    retype(qtbot, popup, "soon", "later")
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    qtbot.keyClick(picker.button, Qt.Key.Key_Return)
    assert popup.start.text() == "2026-10-24"
    assert popup.apply_button.isEnabled()


def test_everything_has_a_name(picker: RangePicker, popup: RangePopup) -> None:
    parts = [picker.back, picker.button, picker.forward, popup.start, popup.end, popup.presets]
    assert all(part.accessibleName() for part in [*parts, popup.start_calendar, popup.end_calendar])
    assert all(part.accessibleDescription() for part in parts[:5])
    assert picker.back.pos() != QPoint() or picker.button.x() > picker.back.x()


def test_the_days_are_those_that_were_answered(picker: RangePicker) -> None:
    """Half an hour before midnight it is tomorrow in Berlin; a dataset of UTC days still ends with today."""
    late = int(datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp())
    picker.show_view(VIEW.with_zone("Europe/Berlin"), late)
    assert "23 Nov 2026" in picker.button.choice
    picker.show_answered(VIEW)
    assert "22 Nov 2026" in picker.button.choice
