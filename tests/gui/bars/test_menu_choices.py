from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.bars.menu_choices import DatasetChoice, GranularityChoice, ZoneChoice

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier
VIEW = ViewState(per=Granularity.DAY, order=(SortKey("period"),))


def test_no_choice_changes_the_width(qtbot: QtBot) -> None:
    dataset, granularity = DatasetChoice(), GranularityChoice()
    qtbot.addWidget(dataset)
    qtbot.addWidget(granularity)
    widths = set()
    for name in DATASETS:
        dataset.show_view(ViewState(dataset_name=name, grouping=()))
        widths.add(dataset.sizeHint().width())
    assert len(widths) == 1
    widths = set()
    for per in Granularity:
        granularity.show_view(VIEW.with_per(per))
        widths.add(granularity.sizeHint().width())
    assert len(widths) == 1


@pytest.fixture
def granularity(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> GranularityChoice:
    choice = GranularityChoice()
    choice.view_requested.connect(wanted.append)
    choice.show_view(VIEW)
    shown(choice, 160)
    return choice


@pytest.fixture
def chosen_names() -> list[str]:
    """Return the names of the datasets that the control has requested."""
    return []


@pytest.fixture
def dataset(shown: Callable[[QWidget, int], None], chosen_names: list[str]) -> DatasetChoice:
    choice = DatasetChoice()
    choice.dataset_chosen.connect(chosen_names.append)
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
    """Open the menu with the mouse and click the entry of `action`."""
    qtbot.mouseClick(button, LEFT)
    menu = action.parent()
    assert isinstance(menu, QMenu)
    assert menu.isVisible()
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


@pytest.mark.parametrize(
    ("chosen", "text"),
    [(Granularity.HOUR, "By hour"), (Granularity.MONTH, "By month"), (Granularity.TOTAL, "Total")],
)
def test_granularity_is_chosen_from_menu(
    granularity: GranularityChoice, wanted: list[ViewState], qtbot: QtBot, chosen: Granularity, text: str
) -> None:
    assert granularity.choice == "By day"
    choose(qtbot, granularity, granularity.menu_actions[chosen])
    assert wanted == [VIEW.with_per(chosen)]
    assert granularity.choice == "By day"  # until the view changes
    assert granularity.menu_actions[Granularity.DAY].isChecked()
    granularity.show_view(wanted[0])
    assert granularity.choice == text
    assert granularity.menu_actions[chosen].isChecked()


def test_current_choice_requests_no_view(
    granularity: GranularityChoice, wanted: list[ViewState], qtbot: QtBot
) -> None:
    choose(qtbot, granularity, granularity.menu_actions[Granularity.DAY])
    assert not wanted


def test_granularity_is_chosen_by_keyboard(
    granularity: GranularityChoice, wanted: list[ViewState], qtbot: QtBot
) -> None:
    granularity.setFocus()
    qtbot.keyClick(granularity, Qt.Key.Key_Down)
    menu = granularity.menu_actions[Granularity.DAY].parent()
    assert isinstance(menu, QMenu)
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert wanted == [VIEW.with_per(Granularity.WEEK)]


def test_shortcut_opens_menu(granularity: GranularityChoice, qtbot: QtBot) -> None:
    menu = granularity.menu_actions[Granularity.DAY].parent()
    assert isinstance(menu, QMenu)
    qtbot.keyClick(granularity, Qt.Key.Key_P, ALT)
    qtbot.waitUntil(menu.isVisible)
    menu.close()


def test_granularity_that_dataset_lacks_is_disabled_with_reason(granularity: GranularityChoice) -> None:
    granularity.show_view(VIEW.with_dataset("costs"))
    for finer in (Granularity.MINUTE, Granularity.HOUR):
        assert not granularity.menu_actions[finer].isEnabled()
        assert "Costs are only available by day." in granularity.menu_actions[finer].toolTip()
    assert granularity.menu_actions[Granularity.WEEK].isEnabled()
    granularity.show_view(VIEW)
    assert granularity.menu_actions[Granularity.HOUR].isEnabled()


def test_dataset_is_chosen_from_menu_of_all(dataset: DatasetChoice, chosen_names: list[str], qtbot: QtBot) -> None:
    assert list(dataset.menu_actions) == list(DATASETS)
    assert dataset.choice == "Completions"
    choose(qtbot, dataset, dataset.menu_actions["costs"])
    assert chosen_names == ["costs"]


def test_unavailable_dataset_is_disabled_with_reason(
    dataset: DatasetChoice, chosen_names: list[str], qtbot: QtBot
) -> None:
    dataset.set_unavailable({"images": "The server answered 404 & no more."})
    action = dataset.menu_actions["images"]
    assert not action.isEnabled()
    assert "404 &amp; no more" in action.toolTip()
    choose(qtbot, dataset, action)
    assert not chosen_names
    dataset.set_unavailable({})
    assert action.isEnabled()


def test_accessible_name_has_choice(
    granularity: GranularityChoice, dataset: DatasetChoice, zone: ZoneChoice
) -> None:
    names = [choice.accessibleName() for choice in (granularity, dataset, zone)]
    assert names == ["Time breakdown: By day", "Dataset: Completions", "Time zone: UTC"]
    assert all(choice.accessibleDescription() for choice in (granularity, dataset, zone))


def test_at_most_five_recent_zones_are_kept(shown: Callable[[QWidget, int], None]) -> None:
    choice = ZoneChoice(recent=[f"Etc/GMT+{number}" for number in range(1, 9)])
    shown(choice, 200)
    assert len(choice.recent) == 5


def test_adjusted_view_replaces_requested_choice(granularity: GranularityChoice, zone: ZoneChoice) -> None:
    requested = VIEW.with_dataset("costs").with_per(Granularity.HOUR).with_zone("Asia/Tokyo")
    for choice in (granularity, zone):
        choice.show_view(requested)
        choice.show_adjusted_view(requested.with_per(Granularity.DAY).with_zone("UTC"))
    assert (granularity.choice, zone.choice) == ("By day", "UTC")
    assert granularity.menu_actions[Granularity.DAY].isChecked()
