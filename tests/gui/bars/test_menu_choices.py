from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import SortKey, ViewState
from usage_viewer.gui.bars.menu_choices import DatasetChoice, PerChoice, ZoneChoice

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier
VIEW = ViewState(per=Granularity.DAY, order=(SortKey("period"),))


@pytest.fixture
def per(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> PerChoice:
    choice = PerChoice()
    choice.view_requested.connect(wanted.append)
    choice.show_view(VIEW)
    shown(choice, 160)
    return choice


@pytest.fixture
def dataset(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> DatasetChoice:
    choice = DatasetChoice()
    choice.view_requested.connect(wanted.append)
    choice.show_view(VIEW)
    shown(choice, 160)
    return choice


@pytest.fixture
def zone(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> ZoneChoice:
    choice = ZoneChoice(recent=("Asia/Tokyo",))
    choice.view_requested.connect(wanted.append)
    choice.show_view(VIEW)
    shown(choice, 160)
    return choice


def choose(qtbot: QtBot, button: QWidget, action: QAction) -> None:
    """Opens the menu with the mouse and clicks the entry."""
    qtbot.mouseClick(button, LEFT)
    menu = action.parent()
    assert isinstance(menu, QMenu)
    assert menu.isVisible()
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


@pytest.mark.parametrize(
    ("chosen", "text"),
    [(Granularity.HOUR, "per Hour"), (Granularity.MONTH, "per Month"), (Granularity.TOTAL, "Whole range")],
)
def test_a_period_is_chosen_from_the_menu(
    per: PerChoice, wanted: list[ViewState], qtbot: QtBot, chosen: Granularity, text: str
) -> None:
    assert per.choice == "per Day"
    choose(qtbot, per, per.menu_actions[chosen])
    assert wanted == [VIEW.with_per(chosen)]
    assert per.choice == "per Day"  # until the view is shown
    assert per.menu_actions[Granularity.DAY].isChecked()
    per.show_view(wanted[0])
    assert per.choice == text
    assert per.menu_actions[chosen].isChecked()


def test_choosing_what_is_chosen_asks_for_nothing(per: PerChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    choose(qtbot, per, per.menu_actions[Granularity.DAY])
    assert not wanted


def test_by_keyboard_alone(per: PerChoice, wanted: list[ViewState], qtbot: QtBot) -> None:
    per.setFocus()
    qtbot.keyClick(per, Qt.Key.Key_Down)
    menu = per.menu_actions[Granularity.DAY].parent()
    assert isinstance(menu, QMenu)
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_per(Granularity.WEEK)]


def test_the_shortcut_opens_the_menu(per: PerChoice, qtbot: QtBot) -> None:
    menu = per.menu_actions[Granularity.DAY].parent()
    assert isinstance(menu, QMenu)
    qtbot.keyClick(per, Qt.Key.Key_P, ALT)
    qtbot.waitUntil(menu.isVisible)
    menu.close()


def test_a_period_that_the_dataset_does_not_have_is_grey_with_a_reason(per: PerChoice) -> None:
    per.show_view(VIEW.with_dataset("costs"))
    for finer in (Granularity.MINUTE, Granularity.HOUR):
        assert not per.menu_actions[finer].isEnabled()
        assert "Costs come by the day only." in per.menu_actions[finer].toolTip()
    assert per.menu_actions[Granularity.WEEK].isEnabled()
    per.show_view(VIEW)
    assert per.menu_actions[Granularity.HOUR].isEnabled()


def test_all_datasets_are_offered_and_one_is_chosen(
    dataset: DatasetChoice, wanted: list[ViewState], qtbot: QtBot
) -> None:
    assert list(dataset.menu_actions) == list(DATASETS)
    assert dataset.choice == "Completions"
    choose(qtbot, dataset, dataset.menu_actions["costs"])
    assert wanted == [VIEW.with_dataset("costs")]


def test_a_dataset_that_is_not_to_be_had_is_grey_with_a_reason(
    dataset: DatasetChoice, wanted: list[ViewState], qtbot: QtBot
) -> None:
    dataset.set_unavailable({"images": "The server answered 404 & no more."})
    action = dataset.menu_actions["images"]
    assert not action.isEnabled()
    assert "404 &amp; no more" in action.toolTip()
    choose(qtbot, dataset, action)
    assert not wanted
    dataset.set_unavailable({})
    assert action.isEnabled()


def test_names_tell_what_is_chosen(per: PerChoice, dataset: DatasetChoice, zone: ZoneChoice) -> None:
    names = [choice.accessibleName() for choice in (per, dataset, zone)]
    assert names == ["Period of a row: per Day", "Dataset: Completions", "Time zone: UTC"]
    assert all(choice.accessibleDescription() for choice in (per, dataset, zone))


def test_no_more_than_five_zones_are_recent(shown: Callable[[QWidget, int], None]) -> None:
    choice = ZoneChoice(recent=[f"Etc/GMT+{number}" for number in range(1, 9)])
    shown(choice, 200)
    assert len(choice.recent) == 5


def test_what_is_answered_stands_in_the_place_of_what_was_asked_for(per: PerChoice, zone: ZoneChoice) -> None:
    asked = VIEW.with_dataset("costs").with_per(Granularity.HOUR).with_zone("Asia/Tokyo")
    for choice in (per, zone):
        choice.show_view(asked)
        choice.show_answered(asked.with_per(Granularity.DAY).with_zone("UTC"))
    assert (per.choice, zone.choice) == ("per Day", "UTC")
    assert per.menu_actions[Granularity.DAY].isChecked()
