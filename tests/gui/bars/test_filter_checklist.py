from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
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
    """Return a function that opens the checklist of projects for a view."""
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


def test_without_filter_all_values_are_ticked(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    assert checklist.count.text() == "4 of 4"
    assert checklist.all.checkState() == Qt.CheckState.Checked
    assert checklist.include.isChecked()
    apply(qtbot, checklist)
    assert not wanted
    assert not checklist.isVisible()


def test_checklist_shows_current_filter(opened: Callable[..., FilterChecklist]) -> None:
    checklist = opened(excluded("proj_b", "proj_gone"))
    assert checklist.exclude.isChecked()
    assert checklist.count.text() == "2 of 5"
    assert checklist.all.checkState() == Qt.CheckState.PartiallyChecked
    assert checklist.title.text() == "Project"


def test_space_toggles_tick_and_enter_applies(
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


def test_esc_discards_ticks(opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot) -> None:
    checklist = opened()
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    qtbot.keyClick(checklist.list, Qt.Key.Key_Escape)
    assert not checklist.isVisible()
    assert not wanted
    assert opened().count.text() == "4 of 4"


def test_ctrl_a_ticks_all_or_none(
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


def test_filter_without_values_can_be_applied_and_removed(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClick(checklist.list, Qt.Key.Key_A, CONTROL)
    assert checklist.message.text() == "No value is ticked: the table will be empty."
    apply(qtbot, checklist)
    assert wanted == [included()]
    checklist = opened(wanted[0])
    assert checklist.count.text() == "0 of 4"
    qtbot.keyClick(checklist.list, Qt.Key.Key_A, CONTROL)
    apply(qtbot, checklist)
    assert wanted[1] == VIEW


def test_click_on_box_or_beside_it_toggles_once(opened: Callable[..., FilterChecklist], qtbot: QtBot) -> None:
    checklist = opened()
    row = checklist.list.visualRect(checklist.model.index(0, 0))
    qtbot.mouseClick(checklist.list.viewport(), LEFT, pos=QPoint(row.left() + 9, row.center().y()))
    assert checklist.count.text() == "3 of 4"
    qtbot.mouseClick(checklist.list.viewport(), LEFT, pos=row.center())
    assert checklist.count.text() == "4 of 4"


def test_all_box_ticks_all_or_none(opened: Callable[..., FilterChecklist], qtbot: QtBot) -> None:
    checklist = opened(included("proj_a"))
    assert checklist.all.checkState() == Qt.CheckState.PartiallyChecked
    box = QPoint(8, checklist.all.height() // 2)
    for count, state in (("4 of 4", Qt.CheckState.Checked), ("0 of 4", Qt.CheckState.Unchecked)):
        qtbot.mouseClick(checklist.all, LEFT, pos=box)
        assert (checklist.count.text(), checklist.all.checkState()) == (count, state)


def test_exclude_filters_out_ticked_values(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.mouseClick(checklist.exclude, LEFT, pos=QPoint(8, checklist.exclude.height() // 2))
    assert checklist.count.text() == "0 of 4"  # nothing is excluded
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    apply(qtbot, checklist)
    assert wanted == [excluded("proj_a")]


def test_change_to_exclude_keeps_ticks(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened(included("proj_a", "proj_b"))
    qtbot.mouseClick(checklist.exclude, LEFT, pos=QPoint(8, checklist.exclude.height() // 2))
    assert checklist.count.text() == "2 of 4"
    apply(qtbot, checklist)
    assert wanted == [excluded("proj_a", "proj_b")]


def test_change_to_exclude_and_back_is_no_filter(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    for button in (checklist.exclude, checklist.include):
        qtbot.mouseClick(button, LEFT, pos=QPoint(8, button.height() // 2))
    assert checklist.count.text() == "4 of 4"
    apply(qtbot, checklist)
    assert not wanted


@pytest.mark.parametrize("text", ["beta", "proj_b", "BET"])
def test_search_matches_name_or_id_and_enter_filters_by_matches(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot, text: str
) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, text)
    assert checklist.model.rowCount() == 1
    assert checklist.all.text() == "&All (1 match)"
    assert checklist.message.text() == "Enter: show only this one"
    qtbot.keyClick(checklist.search, Qt.Key.Key_Return)
    assert wanted == [included("proj_b")]


def test_hint_counts_several_matches_and_follows_mode(opened: Callable[..., FilterChecklist], qtbot: QtBot) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, "proj")
    assert checklist.all.text() == "&All (3 matches)"
    assert checklist.message.text() == "Enter: show only these 3"
    checklist = opened(excluded("proj_b"))
    qtbot.keyClicks(checklist.search, "proj")
    assert checklist.message.text() == "Enter: exclude these 3"


def test_search_does_not_change_filter_after_tick(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened(included("proj_a"))
    qtbot.keyClicks(checklist.search, "beta")
    qtbot.keyClick(checklist.search, Qt.Key.Key_Down)
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    apply(qtbot, checklist)
    assert wanted == [included("proj_a", "proj_b")]


def test_search_without_match_changes_nothing(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, "zzz")
    assert checklist.message.text() == "No match."
    assert not checklist.all.isEnabled()
    qtbot.keyClick(checklist.search, Qt.Key.Key_Return)
    assert not wanted


def test_search_finds_none_value(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    qtbot.keyClicks(checklist.search, "none")
    qtbot.keyClick(checklist.search, Qt.Key.Key_Return)
    assert wanted == [included(None)]


def test_dimension_without_values_keeps_filter(
    opened: Callable[..., FilterChecklist], wanted: list[ViewState], qtbot: QtBot
) -> None:
    checklist = opened()
    checklist.show_filter(included(), "project_id", [], NAMES)
    assert checklist.message.text() == "There are no values in this range."
    apply(qtbot, checklist)
    assert not wanted


def test_controls_have_accessible_names(opened: Callable[..., FilterChecklist]) -> None:
    checklist = opened()
    assert checklist.accessibleName() == "Filter by Project"
    assert checklist.search.accessibleName() == "Search the values of Project"
    assert checklist.list.accessibleName() == "Values of Project"
    assert "&" in checklist.include.text() + checklist.exclude.text()


def test_tick_in_long_list_keeps_scroll_position(opened: Callable[..., FilterChecklist], qtbot: QtBot) -> None:
    checklist = opened()
    checklist.show_filter(VIEW, "user_id", [f"user_{number:05}" for number in range(20_000)], NAMES)
    bar = checklist.list.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 19_000, timeout=3000)
    checklist.list.setCurrentIndex(checklist.model.index(15_000, 0))
    checklist.list.scrollTo(checklist.list.currentIndex())
    position, height = bar.value(), bar.maximum()
    qtbot.keyClick(checklist.list, Qt.Key.Key_Space)
    assert checklist.count.text() == "19,999 of 20,000"
    heights: list[int] = []
    bar.rangeChanged.connect(lambda low, high: heights.append(high))
    QTest.qWait(50)
    assert not heights  # the rows were not laid out again
    assert (bar.value(), bar.maximum()) == (position, height)
