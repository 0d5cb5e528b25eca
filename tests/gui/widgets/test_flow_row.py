from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.flow_row import FlowRow

GAP = 4


def items(count: int) -> list[QWidget]:
    made: list[QWidget] = []
    for number in range(count):
        button = QPushButton(f"Button {number}")
        button.setFixedSize(90, 20 + number % 2 * 4)
        made.append(button)
    return made


def test_wraps_where_it_must_and_its_height_follows(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow(gap=GAP)
    row.set_items(items(5))
    shown(row, 600)
    assert len({item.geometry().center().y() // 4 for item in row.items}) == 1
    assert row.heightForWidth(600) == 24
    row.resize(200, 200)
    assert [item.x() for item in row.items] == [0, 94, 0, 94, 0]
    assert row.heightForWidth(200) == 24 + GAP + 24 + GAP + 20
    assert max(item.geometry().bottom() + 1 for item in row.items) == row.heightForWidth(200)


def test_a_layout_gives_it_the_height_it_needs(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    page = QWidget()
    column = QVBoxLayout(page)
    row = FlowRow(page, gap=GAP)
    row.set_items(items(6))
    column.addWidget(row)
    column.addStretch(1)
    shown(page, 700)
    assert row.height() == 24
    page.resize(250, 400)
    qtbot.waitUntil(lambda: row.height() == row.heightForWidth(row.width()) > 24)


def test_an_item_wider_than_the_row_is_cut_to_it(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow()
    row.set_items(items(2))
    shown(row, 60)
    row.resize(50, 100)
    assert all(item.geometry().right() < 50 or item.minimumWidth() == 90 for item in row.items)
    assert row.items[1].y() > row.items[0].y()


def test_what_is_no_longer_an_item_is_hidden_and_comes_back(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow()
    first, second = items(2)
    row.set_items([first, second])
    shown(row, 300)
    row.set_items([second])
    assert not first.isVisible()
    assert second.x() == 0
    row.set_items([second, first])
    assert first.isVisible()
    assert first.x() > second.x()


def test_the_tab_key_goes_in_the_order_of_the_items(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    row = FlowRow()
    made = items(3)
    row.set_items(made)
    shown(row, 400)
    row.set_items([made[2], made[0], made[1]])
    made[2].setFocus()
    qtbot.keyClick(made[2], Qt.Key.Key_Tab)
    assert made[0].hasFocus()


def test_it_begins_at_the_right_where_text_does(shown: Callable[[QWidget, int], None]) -> None:
    row = FlowRow()
    row.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    row.set_items(items(2))
    shown(row, 300)
    assert row.items[0].x() > row.items[1].x()
    assert row.items[0].geometry().right() == 299


def test_a_text_that_grows_moves_the_others(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    row = FlowRow()
    first, second = QPushButton("a"), QPushButton("b")
    row.set_items([first, second])
    shown(row, 600)
    before = second.x()
    first.setText("a much longer text than before")
    qtbot.waitUntil(lambda: second.x() > before)
