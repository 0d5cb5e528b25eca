from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.popup import Popup, place_under


class Applying(Popup):
    applied = 0

    def apply(self) -> None:
        self.applied += 1
        super().apply()


@pytest.fixture
def anchor(shown: Callable[[QWidget, int], None]) -> QWidget:
    widget = QWidget()
    shown(widget, 100)
    return widget


@pytest.fixture
def popup(anchor: QWidget) -> Applying:
    popup = Applying(anchor)
    for part in (QLineEdit(popup), QPushButton("Cancel", popup), QCheckBox("All", popup)):
        popup.column.addWidget(part)
    popup.open_under(anchor)
    return popup


@pytest.mark.parametrize("kind", [QLineEdit, QCheckBox])
def test_enter_applies(popup: Applying, qtbot: QtBot, kind: type[QWidget]) -> None:
    part = popup.findChild(kind)
    assert part is not None
    part.setFocus()
    qtbot.keyClick(part, Qt.Key.Key_Return)
    assert popup.applied == 1
    assert not popup.isVisible()


def test_enter_on_a_button_presses_that_button(popup: Applying, qtbot: QtBot) -> None:
    button = popup.findChild(QPushButton)
    assert button is not None
    button.setFocus()
    with qtbot.waitSignal(button.clicked):
        qtbot.keyClick(button, Qt.Key.Key_Return)
    assert popup.applied == 0


def test_esc_closes(popup: Applying, qtbot: QtBot) -> None:
    line = popup.findChild(QLineEdit)
    assert line is not None
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert popup.applied == 0
    assert not popup.isVisible()


def test_it_opens_under_its_anchor_and_stays_on_the_screen(anchor: QWidget) -> None:
    room = anchor.screen().availableGeometry()
    anchor.move(room.topLeft() + QPoint(50, 50))
    below = anchor.mapToGlobal(QPoint(0, anchor.height() + 2))
    assert place_under(anchor, 200, 100) == below
    for corner in (room.topRight(), room.bottomLeft(), room.bottomRight() - QPoint(20, 20)):
        anchor.move(corner)
        place = place_under(anchor, 300, 200)
        assert room.adjusted(-1, -1, 1, 1).contains(QRect(place.x(), place.y(), 300, 200))
