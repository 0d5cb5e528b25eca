from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view import Filter, ViewState
from usage_viewer.gui.bars.filter_checklist import FilterChecklist

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
VIEW = ViewState()
VALUES = ["proj_a", "proj_b", "proj_c", None]
NAMES = Names.of([Name("project", "proj_a", "alpha"), Name("project", "proj_b", "beta")])


@pytest.fixture
def opened(
    shown: Callable[[QWidget, int], None], wanted: list[ViewState]
) -> Callable[..., FilterChecklist]:  # fmt: skip
    """Opens the checklist of projects on a view."""
    anchor = QWidget()
    shown(anchor, 300)
    checklist = FilterChecklist(anchor)
    checklist.view_requested.connect(wanted.append)

    def show(view: ViewState = VIEW) -> FilterChecklist:
        checklist.show_filter(view, "project_id", VALUES, NAMES)
        checklist.open_under(anchor)
        return checklist

    return show


def included(*values: str | None) -> ViewState:
    return VIEW.with_filter(Filter("project_id", frozenset(values)))


def excluded(*values: str | None) -> ViewState:
    return VIEW.with_filter(Filter("project_id", frozenset(values), exclude=True))


def apply(qtbot: QtBot, checklist: FilterChecklist) -> None:
    qtbot.keyClick(checklist.list, Qt.Key.Key_Return)


def test_without_a_filter_all_is_ticked_and_applying_changes_nothing(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    assert checklist.count.text() == "4 of 4"
    assert checklist.all.checkState() == Qt.CheckState.Checked
    assert checklist.include.isChecked()
    apply(qtbot, checklist)
    assert not wanted
    assert not checklist.isVisible()


def test_shows_the_filter_that_there_is(opened: Callable[..., FilterChecklist]) -> None:
    checklist = opened(excluded("proj_b", "proj_gone"))
    assert checklist.exclude.isChecked()
    assert checklist.count.text() == "2 of 5"
    assert checklist.all.checkState() == Qt.CheckState.PartiallyChecked
    assert checklist.title.text() == "Project"


def test_space_ticks_and_enter_applies(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    assert checklist.search.hasFocus()
    qtbot.keyClick(checklist.search, Qt.Key.Key_Down)  # to the list
    assert checklist.list.hasFocus()
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    qtbot.keyClick(checklist.list, Qt.Key.Key_Down)
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    assert checklist.count.text() == "2 of 4"
    apply(qtbot, checklist)
    assert wanted == [included("proj_c", None)]


def test_esc_discards(opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot) -> None:
    checklist = opened()
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    qtbot.keyClick(checklist.list, Qt.Key.Key_Escape)
    assert not checklist.isVisible()
    assert not wanted
    assert opened().count.text() == "4 of 4"


def test_control_a_ticks_all_or_none(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClick(checklist.search, Qt.Key.Key_A, CONTROL)
    assert checklist.count.text() == "0 of 4"
    qtbot.keyClick(checklist.list, Qt.Key.Key_A, CONTROL)
    assert checklist.count.text() == "4 of 4"
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    qtbot.keyClick(checklist.list, Qt.Key.Key_A, CONTROL)
    assert checklist.count.text() == "4 of 4"


def test_nothing_can_be_ticked_and_that_can_be_undone(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClick(checklist.list, Qt.Key.Key_A, CONTROL)
    assert checklist.message.text() == "Nothing is ticked: nothing will be shown."
    apply(qtbot, checklist)
    assert wanted == [included()]
    checklist = opened(wanted[0])
    assert checklist.count.text() == "0 of 4"
    qtbot.keyClick(checklist.list, Qt.Key.Key_A, CONTROL)
    apply(qtbot, checklist)
    assert wanted[1] == VIEW


def test_a_click_on_the_box_and_a_click_beside_it_tick_once(
    opened: Callable[..., FilterChecklist], qtbot: QtBot
) -> None:
    checklist = opened()
    row = checklist.list.visualRect(checklist.model.index(0, 0))
    qtbot.mouseClick(checklist.list.viewport(), LEFT, pos=QPoint(row.left() + 9, row.center().y()))
    assert checklist.count.text() == "3 of 4"
    qtbot.mouseClick(checklist.list.viewport(), LEFT, pos=row.center())
    assert checklist.count.text() == "4 of 4"


def test_the_box_above_ticks_all_or_none(opened: Callable[..., FilterChecklist], qtbot: QtBot) -> None:
    checklist = opened(included("proj_a"))
    assert checklist.all.checkState() == Qt.CheckState.PartiallyChecked
    box = QPoint(8, checklist.all.height() // 2)
    for count, state in (("4 of 4", Qt.CheckState.Checked), ("0 of 4", Qt.CheckState.Unchecked)):
        qtbot.mouseClick(checklist.all, LEFT, pos=box)
        assert (checklist.count.text(), checklist.all.checkState()) == (count, state)


def test_exclude_drops_what_is_ticked(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.mouseClick(checklist.exclude, LEFT, pos=QPoint(8, checklist.exclude.height() // 2))
    assert checklist.count.text() == "0 of 4"  # nothing is excluded
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    apply(qtbot, checklist)
    assert wanted == [excluded("proj_a")]


def test_turning_the_way_keeps_the_ticks(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened(included("proj_a", "proj_b"))
    qtbot.mouseClick(checklist.exclude, LEFT, pos=QPoint(8, checklist.exclude.height() // 2))
    assert checklist.count.text() == "2 of 4"
    apply(qtbot, checklist)
    assert wanted == [excluded("proj_a", "proj_b")]


def test_turning_there_and_back_is_no_filter(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    for way in (checklist.exclude, checklist.include):
        qtbot.mouseClick(way, LEFT, pos=QPoint(8, way.height() // 2))
    assert checklist.count.text() == "4 of 4"
    apply(qtbot, checklist)
    assert not wanted


@pytest.mark.parametrize("text", ["beta", "proj_b", "BET"])
def test_a_search_narrows_by_name_or_id_and_enter_keeps_what_it_found(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot, text: str
) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, text)
    assert checklist.model.rowCount() == 1
    assert checklist.message.text() == "Enter keeps the 1 found."
    qtbot.keyClick(checklist.search, Qt.Key.Key_Return)
    assert wanted == [included("proj_b")]


def test_a_search_only_helps_to_find_once_something_is_ticked(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened(included("proj_a"))
    qtbot.keyClicks(checklist.search, "beta")
    qtbot.keyClick(checklist.search, Qt.Key.Key_Down)
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    apply(qtbot, checklist)
    assert wanted == [included("proj_a", "proj_b")]


def test_a_search_that_finds_nothing_changes_nothing(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, "zzz")
    assert checklist.message.text() == "Nothing is called so."
    assert not checklist.all.isEnabled()
    qtbot.keyClick(checklist.search, Qt.Key.Key_Return)
    assert not wanted


def test_none_is_a_value_like_others(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, "none")
    qtbot.keyClick(checklist.search, Qt.Key.Key_Return)
    assert wanted == [included(None)]


def test_without_any_value_it_says_so_and_keeps_the_filter(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    checklist.show_filter(included(), "project_id", [], NAMES)
    assert checklist.message.text() == "There are no values in this range."
    apply(qtbot, checklist)
    assert not wanted


def test_everything_has_a_name(opened: Callable[..., FilterChecklist]) -> None:
    checklist = opened()
    assert checklist.accessibleName() == "Filter by Project"
    assert checklist.search.accessibleName() == "Search the values of Project"
    assert checklist.list.accessibleName() == "Values of Project"
    assert "&" in checklist.include.text() + checklist.exclude.text()


def test_a_tick_far_down_a_long_list_leaves_it_where_it_is(
    opened: Callable[..., FilterChecklist], qtbot: QtBot
) -> None:
    checklist = opened()
    checklist.show_filter(VIEW, "user_id", [f"user_{number:05}" for number in range(20_000)], NAMES)
    bar = checklist.list.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 19_000, timeout=3000)
    checklist.list.setCurrentIndex(checklist.model.index(15_000, 0))
    checklist.list.scrollTo(checklist.list.currentIndex())
    place, height = bar.value(), bar.maximum()
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    assert checklist.count.text() == "19,999 of 20,000"
    heights: list[int] = []
    bar.rangeChanged.connect(lambda low, high: heights.append(high))
    QTest.qWait(50)
    assert not heights  # no layout began anew
    assert (bar.value(), bar.maximum()) == (place, height)
