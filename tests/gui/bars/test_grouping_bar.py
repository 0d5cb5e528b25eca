from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.view import ViewState
from usage_viewer.gui.bars.grouping_bar import GroupingBar

LEFT = Qt.MouseButton.LeftButton
VIEW = ViewState(grouping=("model", "project_id", "user_id"))


@pytest.fixture
def bar(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> GroupingBar:
    bar = GroupingBar()
    bar.view_requested.connect(wanted.append)
    bar.show_view(VIEW)
    shown(bar, 1000)
    return bar


def reading_order(bar: GroupingBar) -> list[str]:
    positions = {name: (chip.y(), chip.x()) for name, chip in bar.chips.items()}
    return sorted(positions, key=lambda name: positions[name])


def drag(bar: GroupingBar, name: str, to: QPoint, *, drop: bool = True) -> None:
    """Drags a chip from its centre to a position in the row; without `drop` the button stays pressed."""
    chip = bar.chips[name]
    row = chip.parentWidget()
    assert row is not None
    start = chip.geometry().center()
    QTest.mousePress(chip, LEFT, pos=chip.rect().center())
    for step in range(1, 11):
        position = start + (to - start) * (step / 10)
        QTest.mouseMove(chip, chip.mapFrom(row, position))
    if drop:
        QTest.mouseRelease(chip, LEFT, pos=chip.mapFrom(row, to))


def test_grouped_dimensions_are_first_and_no_view_is_requested(bar: GroupingBar, wanted: list[ViewState]) -> None:
    assert reading_order(bar)[:3] == ["model", "project_id", "user_id"]
    assert set(bar.chips) == {item.name for item in VIEW.dataset.dimensions}
    assert [name for name, chip in bar.chips.items() if chip.active] == ["project_id", "user_id", "model"]
    assert not wanted


@pytest.mark.parametrize("name", ["batch", "project_id"])
def test_click_toggles_dimension(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot, name: str) -> None:
    qtbot.mouseClick(bar.chips[name], LEFT)
    assert wanted == [VIEW.toggled(name)]


def test_click_moves_and_resizes_no_chip(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    bar.view_requested.connect(bar.show_view)
    places = {name: chip.geometry() for name, chip in bar.chips.items()}
    for name in ("batch", "service_tier", "project_id", "batch", "model", "project_id"):
        qtbot.mouseClick(bar.chips[name], LEFT)
        assert {other: chip.geometry() for other, chip in bar.chips.items()} == places
        shown = [other for other in reading_order(bar) if bar.chips[other].active]
        assert wanted[-1].grouping == tuple(shown)


def test_dimension_added_elsewhere_leaves_ungrouped_chips_in_place(bar: GroupingBar) -> None:
    before = reading_order(bar)
    bar.show_view(VIEW.with_grouping(("batch", "model", "user_id")))
    assert [name for name in reading_order(bar) if name in ("batch", "model", "user_id")] == [
        "batch",
        "model",
        "user_id",
    ]
    assert reading_order(bar).index("api_source") == before.index("api_source")


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_space_and_enter_toggle_dimension(
    bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot, key: Qt.Key
) -> None:
    qtbot.keyClick(bar.chips["batch"], key)
    assert wanted == [VIEW.toggled("batch")]


def test_close_button_removes_dimension(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.mouseClick(bar.chips["model"].close_button, LEFT)
    assert wanted == [VIEW.with_grouping(("project_id", "user_id"))]


def test_delete_removes_active_dimension_only(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.keyClick(bar.chips["batch"], Qt.Key.Key_Delete)
    assert not wanted
    qtbot.keyClick(bar.chips["user_id"], Qt.Key.Key_Delete)
    assert wanted == [VIEW.toggled("user_id")]


def test_ctrl_with_arrow_keys_moves_chip(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(bar.chips["model"], Qt.Key.Key_Right, control)
    qtbot.keyClick(bar.chips["user_id"], Qt.Key.Key_Left, control)
    qtbot.keyClick(bar.chips["model"], Qt.Key.Key_Left, control)  # already the first
    assert [view.grouping for view in wanted] == [
        ("project_id", "model", "user_id"),
        ("model", "user_id", "project_id"),
    ]


def test_moved_chip_keeps_focus(bar: GroupingBar, qtbot: QtBot) -> None:
    bar.view_requested.connect(bar.show_view)
    chip = bar.chips["model"]
    chip.setFocus()
    for expected in (("project_id", "model", "user_id"), ("project_id", "user_id", "model")):
        qtbot.keyClick(chip, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        assert reading_order(bar)[:3] == list(expected)
        assert chip.hasFocus()


def test_drop_changes_order(bar: GroupingBar, wanted: list[ViewState]) -> None:
    drag(bar, "model", bar.chips["user_id"].geometry().center() + QPoint(12, 0))
    assert wanted == [VIEW.with_grouping(("project_id", "user_id", "model"))]


def test_drag_rearranges_chips_and_esc_restores_order(
    bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot
) -> None:
    drag(bar, "user_id", QPoint(0, bar.chips["model"].geometry().center().y()), drop=False)
    assert reading_order(bar)[:3] == ["user_id", "model", "project_id"]
    qtbot.keyClick(bar.chips["user_id"], Qt.Key.Key_Escape)
    assert reading_order(bar)[:3] == ["model", "project_id", "user_id"]
    QTest.mouseRelease(bar.chips["user_id"], LEFT)
    assert not wanted


def test_new_view_does_not_disturb_drag(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    drag(bar, "user_id", QPoint(0, bar.chips["model"].geometry().center().y()), drop=False)
    bar.show_view(VIEW, unavailable={"api_source": "Refused."})
    assert reading_order(bar)[:3] == ["user_id", "model", "project_id"]
    QTest.mouseRelease(bar.chips["user_id"], LEFT)
    assert wanted == [VIEW.with_grouping(("user_id", "model", "project_id"))]


def test_small_mouse_move_is_click(bar: GroupingBar, wanted: list[ViewState]) -> None:
    drag(bar, "model", bar.chips["model"].geometry().center() + QPoint(2, 0))
    assert wanted == [VIEW.toggled("model")]


def test_drag_away_and_back_changes_nothing(bar: GroupingBar, wanted: list[ViewState]) -> None:
    chip = bar.chips["model"]
    centre = chip.geometry().center()
    drag(bar, "model", QPoint(5000, centre.y()), drop=False)
    assert reading_order(bar)[2] == "model"
    row = chip.parentWidget()
    assert row is not None
    QTest.mouseMove(chip, chip.mapFrom(row, centre))
    QTest.mouseRelease(chip, LEFT)
    assert not wanted
    assert reading_order(bar)[:3] == list(VIEW.grouping)


def test_chips_wrap_in_narrow_window_and_move_between_lines(bar: GroupingBar, wanted: list[ViewState]) -> None:
    view = VIEW.with_grouping([item.name for item in VIEW.dataset.dimensions])
    bar.show_view(view)
    bar.resize(300, 160)
    lines = {chip.y() for chip in bar.chips.values()}
    assert len(lines) > 1
    assert all(chip.geometry().right() < 300 for chip in bar.chips.values())
    first, last = reading_order(bar)[0], reading_order(bar)[-1]
    drag(bar, last, bar.chips[first].geometry().center() - QPoint(15, 0))
    assert wanted[-1].grouping[0] == last
    bar.show_view(view)
    drag(bar, first, bar.chips[last].geometry().center() + QPoint(60, 30))
    assert wanted[-1].grouping[-1] == first


def test_unavailable_dimension_is_disabled_with_reason(
    bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot
) -> None:
    bar.show_view(VIEW, unavailable={"api_source": "Your organization's API doesn't know <API source>."})
    chip = bar.chips["api_source"]
    assert not chip.isEnabled()
    assert "&lt;API source&gt;" in chip.toolTip()
    assert "doesn't know" in chip.accessibleDescription()
    qtbot.mouseClick(chip, LEFT)
    assert not wanted
    bar.show_view(VIEW)
    assert not chip.isEnabled()
    bar.show_view(VIEW, unavailable={})
    assert chip.isEnabled()


def test_unavailable_dimension_can_be_removed_from_grouping(
    bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot
) -> None:
    bar.show_view(VIEW, unavailable={"model": "Refused."})
    qtbot.mouseClick(bar.chips["model"], LEFT)
    assert wanted == [VIEW.toggled("model")]


def test_dataset_determines_chips(bar: GroupingBar) -> None:
    costs = VIEW.with_dataset("costs")
    bar.show_view(costs)
    assert set(bar.chips) == {item.name for item in costs.dataset.dimensions}


def test_tab_key_reaches_all_chips_in_reading_order(bar: GroupingBar, qtbot: QtBot) -> None:
    bar.show_view(VIEW.with_grouping(("user_id", "batch")))
    bar.focus_first()
    focused = []
    for _ in bar.chips:
        focus = bar.focusWidget()
        focused.append(next(name for name, chip in bar.chips.items() if chip is focus))
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert focused == reading_order(bar)
    assert all(chip.accessibleName() and chip.accessibleDescription() for chip in bar.chips.values())
    assert bar.chips["batch"].close_button.accessibleName() == "Stop grouping by Batch"


def test_each_click_adds_or_removes_one_dimension(bar: GroupingBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    bar.view_requested.connect(bar.show_view)
    bar.show_view(VIEW.with_grouping(()))
    names = [item.name for item in VIEW.dataset.dimensions]
    for name in names:
        qtbot.mouseClick(bar.chips[name], LEFT)
    assert set(wanted[-1].grouping) == set(names)
    assert wanted[-1].grouping == tuple(reading_order(bar))
    for name in names:
        qtbot.mouseClick(bar.chips[name], LEFT)
    assert wanted[-1].grouping == ()
