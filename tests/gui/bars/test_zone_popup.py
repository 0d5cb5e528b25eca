from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.bars.menu_choices import ZoneChoice
from usage_viewer.gui.bars.zone_popup import ZoneModel, zone_label

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier
VIEW = ViewState(per=Granularity.DAY, order=(SortKey("period"),))


@pytest.fixture
def zone(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> ZoneChoice:
    choice = ZoneChoice(recent=("Asia/Tokyo",))
    choice.view_requested.connect(wanted.append)
    choice.show_view(VIEW)
    shown(choice, 160)
    return choice


def test_typing_finds_zone(zone: ZoneChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.mouseClick(zone, LEFT)
    assert zone.popup.isVisible()
    qtbot.keyClicks(zone.popup.search, "new york")
    qtbot.keyClick(zone.popup.search, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_zone("America/New_York")]
    assert zone.recent == ("America/New_York", "Asia/Tokyo")
    zone.show_view(wanted[0])
    assert zone.choice == "America/New York"


def test_utc_local_time_and_recent_zones_are_first(zone: ZoneChoice, qtbot: QtBot) -> None:
    qtbot.keyClick(zone, Qt.Key.Key_Return)
    model = zone.popup.model
    assert [model.zone(row) for row in range(3)] == ["UTC", "local", "Asia/Tokyo"]
    assert model.index(1, 0).data().startswith("Local time")
    assert model.rowCount() > 400
    assert len({model.zone(row) for row in range(model.rowCount())}) == model.rowCount()


def test_down_and_enter_choose_zone(zone: ZoneChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    zone.open_popup()
    search = zone.popup.search
    qtbot.keyClick(search, Qt.Key.Key_Up)
    qtbot.keyClick(search, Qt.Key.Key_Down)
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_zone("local")]
    assert zone.recent == ("Asia/Tokyo",)


def test_click_chooses_zone(zone: ZoneChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    zone.open_popup()
    position = zone.popup.list.visualRect(zone.popup.model.index(2, 0)).center()
    qtbot.mouseClick(zone.popup.list.viewport(), LEFT, pos=position)
    assert wanted == [VIEW.with_zone("Asia/Tokyo")]
    assert not zone.popup.isVisible()


def test_search_without_match_chooses_nothing(zone: ZoneChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    zone.open_popup()
    qtbot.keyClicks(zone.popup.search, "Atlantis")
    qtbot.keyClick(zone.popup.search, Qt.Key.Key_Down)
    qtbot.keyClick(zone.popup.search, Qt.Key.Key_Return)
    assert not wanted
    zone.open_popup()
    assert not zone.popup.no_match.isVisible()
    qtbot.keyClicks(zone.popup.search, "Atlantis")
    assert zone.popup.no_match.isVisible()
    assert zone.popup.no_match.text() == "No match"


def test_each_zone_is_listed_with_its_offset(zone: ZoneChoice, qtbot: QtBot) -> None:
    zone.open_popup()
    model = zone.popup.model
    row = model.row_of("Asia/Kolkata")
    assert model.index(row, 0).data() == "Asia/Kolkata  UTC+05:30"
    assert model.index(0, 0).data() == "UTC"
    qtbot.keyClicks(zone.popup.search, "+5:30")
    assert model.zone(0) == "Asia/Colombo"


def test_esc_keeps_current_zone(zone: ZoneChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    zone.open_popup()
    qtbot.keyClicks(zone.popup.search, "Berlin")
    qtbot.keyClick(zone.popup.search, Qt.Key.Key_Escape)
    assert not zone.popup.isVisible()
    assert not wanted


def test_zone_model_lists_and_narrows(qtmodeltester: ModelTester) -> None:
    model = ZoneModel()
    model.set_zones(["UTC", "local", "Europe/Berlin", "America/New_York"], "Europe/Berlin")
    qtmodeltester.check(model)
    model.narrow("BERLIN")
    assert [model.zone(row) for row in range(model.rowCount())] == ["local", "Europe/Berlin"]
    assert model.row_of("America/New_York") == -1
    qtmodeltester.check(model)


def test_label_of_local_zone() -> None:
    assert zone_label("local", "America/New_York") == "Local time (America/New York)"
    assert zone_label("local", "") == "Local time"
