from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.flow_row import FlowRow

GAP = 4


def create_items(count: int) -> list[QWidget]:
    buttons: list[QWidget] = []
    for number in range(count):
        button = QPushButton(f"Button {number}")
        button.setFixedSize(90, 20 + number % 2 * 4)
        buttons.append(button)
    return buttons


def test_narrow_row_wraps_and_becomes_higher(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow(gap=GAP)
    row.set_items(create_items(5))
    shown(row, 600)
    assert len({item.geometry().center().y() // 4 for item in row.items}) == 1
    assert row.heightForWidth(600) == 24
    row.resize(200, 200)
    assert [item.x() for item in row.items] == [0, 94, 0, 94, 0]
    assert row.heightForWidth(200) == 24 + GAP + 24 + GAP + 20
    assert max(item.geometry().bottom() + 1 for item in row.items) == row.heightForWidth(200)


def test_layout_gives_row_the_height_for_its_width(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    page = QWidget()
    column = QVBoxLayout(page)
    row = FlowRow(page, gap=GAP)
    row.set_items(create_items(6))
    column.addWidget(row)
    column.addStretch(1)
    shown(page, 700)
    assert row.height() == 24
    page.resize(250, 400)
    qtbot.waitUntil(lambda: row.height() == row.heightForWidth(row.width()) > 24)


def test_item_wider_than_row_is_cut_to_row(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow()
    row.set_items(create_items(2))
    shown(row, 60)
    row.resize(50, 100)
    assert all(item.geometry().right() < 50 or item.minimumWidth() == 90 for item in row.items)
    assert row.items[1].y() > row.items[0].y()


def test_removed_item_is_hidden_until_added_again(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow()
    first, second = create_items(2)
    row.set_items([first, second])
    shown(row, 300)
    row.set_items([second])
    assert not first.isVisible()
    assert second.x() == 0
    row.set_items([second, first])
    assert first.isVisible()
    assert first.x() > second.x()


def test_tab_key_follows_order_of_items(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    row = FlowRow()
    first, second, third = create_items(3)
    row.set_items([first, second, third])
    shown(row, 400)
    row.set_items([third, first, second])
    third.setFocus()
    qtbot.keyClick(third, Qt.Key.Key_Tab)
    assert first.hasFocus()


def test_right_to_left_row_begins_at_right(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow()
    row.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    row.set_items(create_items(2))
    shown(row, 300)
    assert row.items[0].x() > row.items[1].x()
    assert row.items[0].geometry().right() == 299


def test_item_that_becomes_wider_moves_next_item(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    row = FlowRow()
    first, second = QPushButton("a"), QPushButton("b")
    row.set_items([first, second])
    shown(row, 600)
    before = second.x()
    first.setText("a much longer text than before")
    qtbot.waitUntil(lambda: second.x() > before)
