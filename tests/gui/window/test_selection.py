"""Tests that the table and the workspace have the same selected rows."""

from PySide6.QtCore import Qt

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.row_keys import RowKeys, keys_of
from usage_viewer.gui.workspace.workspace import NO_ROWS

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def _keys(window: WindowUnderTest, *rows: int) -> RowKeys:
    """Return the keys of visible rows."""
    model = window.page.model
    return keys_of(model.table, [int(model.rows[row]) for row in rows])


def test_table_writes_its_selection(rig: WindowRig, user: User) -> None:
    window = rig.start()
    user.key(Qt.Key.Key_Home, CTRL)
    user.key(Qt.Key.Key_Down, SHIFT, times=2)
    rig.qtbot.waitUntil(lambda: window.workspace.selection == _keys(window, 0, 1, 2))


def test_table_follows_a_selection_made_elsewhere(rig: WindowRig) -> None:
    window = rig.start()
    changes: list[RowKeys] = []
    window.workspace.selection_changed.connect(changes.append)
    wanted = _keys(window, 1, 2, 4)
    window.workspace.select(wanted)
    assert window.page.table.selected_rows() == [(1, 2), (4, 4)]
    rig.qtbot.waitUntil(lambda: "3 rows" in window.page.status.text)
    assert changes == [wanted]


def test_selection_survives_another_order(rig: WindowRig, user: User) -> None:
    window = rig.start()
    wanted = _keys(window, 0, 3)
    window.workspace.select(wanted)
    rig.settle(window, lambda: user.sort(window, "output_tokens"))
    rig.qtbot.wait(60)
    assert sorted(window.workspace.selection.parts) == sorted(wanted.parts)
    rows = [row for first, last in window.page.table.selected_rows() for row in range(first, last + 1)]
    assert _keys(window, *rows) == window.workspace.selection


def test_selection_of_another_grouping_is_dropped(rig: WindowRig) -> None:
    window = rig.start()
    window.workspace.select(_keys(window, 0))
    rig.show(window, window.view.with_grouping(["project_id"]))
    rig.qtbot.waitUntil(lambda: window.workspace.selection == NO_ROWS)
    assert window.page.table.selected_rows() == []
