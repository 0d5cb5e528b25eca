"""Tests drilling down into rows of the real window with keys and the mouse."""

from PySide6.QtCore import Qt

from tests.rigs.window import Oracle, User, WindowRig, WindowUnderTest
from usage_viewer.domain.period import Granularity
from usage_viewer.gui.verification.record_dialog import RecordDialog

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def _drill(rig: WindowRig, user: User, window: WindowUnderTest) -> int:
    """Press Enter on the first row; return the input tokens that it shows."""
    model = window.page.model
    user.key(Qt.Key.Key_Home, CONTROL)
    number = model.table.figure("input_tokens").figures.listed()[int(model.rows[0])]
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    return int(number or 0)


def _total(window: WindowUnderTest) -> int:
    return int(window.page.model.table.figure("input_tokens").total or 0)


def test_enter_drills_down_to_the_hours_of_a_day(rig: WindowRig, user: User, oracle: Oracle) -> None:
    window = rig.start()
    rig.show(window, window.view.with_grouping(["project_id"]).only("batch", "false"))
    views, reached = [window.view], []
    for _ in range(5):
        assert _drill(rig, user, window) == _total(window)
        reached.append((*window.view.grouping, window.view.per.value))
        views.append(window.view)
    assert reached == [
        ("user_id", "total"), ("api_key_id", "total"), ("model", "total"), ("day",), ("hour",)
    ]  # fmt: skip
    assert window.view.filter_on("batch") is not None
    assert sum(row["input_tokens"] or 0 for row in oracle.sums(window.view).values()) == _total(window) > 0
    for view in reversed(views[:-1]):
        rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
        assert window.view == view


def test_enter_goes_on_in_the_first_row(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.show(window, window.view.with_grouping(["project_id"]))
    user.key(Qt.Key.Key_Home, CONTROL)
    for _ in range(3):
        rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert (window.view.grouping, len(window.view.filters)) == (("model",), 3)
    assert window.workspace.selection.parts == ()


def test_hour_is_not_divided_further(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.show(window, window.view.with_grouping([]).with_per(Granularity.DAY))
    _drill(rig, user, window)
    assert window.view.per is Granularity.HOUR
    view = window.view
    user.key(Qt.Key.Key_Home, CONTROL)
    user.key(Qt.Key.Key_Return)
    assert "divided further" in window.page.status.text
    assert window.view == view


def test_double_click_drills_into_the_row_at_the_pointer(rig: WindowRig) -> None:
    window = rig.start()
    table, model = window.page.table, window.page.model
    value = model.table.groups[0].value(int(model.rows[2]))
    place = table.visualRect(model.index(2, 1)).center()
    rig.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    rig.settle(window, lambda: rig.qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place))
    (chosen,) = window.view.filters
    assert (chosen.dimension, chosen.values) == ("model", frozenset([value]))
    assert window.view.per is Granularity.DAY


def test_control_enter_filters_and_shift_enter_lists_records(rig: WindowRig, user: User) -> None:
    window = rig.start()
    user.key(Qt.Key.Key_Home, CONTROL)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return, CONTROL))
    assert window.view.grouping == ("model",)
    assert len(window.view.filters) == 1
    user.key(Qt.Key.Key_Home, CONTROL)
    user.key(Qt.Key.Key_Return, SHIFT)
    rig.qtbot.waitUntil(lambda: any(dialog.isVisible() for dialog in window.findChildren(RecordDialog)))
