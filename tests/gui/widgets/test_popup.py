from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.popup import Popup, position_under


class CountingPopup(Popup):
    """Counts how often the draft is applied."""

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
def popup(anchor: QWidget) -> CountingPopup:
    popup = CountingPopup(anchor, "Counting")
    for part in (QLineEdit(popup), QPushButton("Cancel", popup), QCheckBox("All", popup)):
        popup.column.addWidget(part)
    popup.open_under(anchor)
    return popup


@pytest.mark.parametrize("kind", [QLineEdit, QCheckBox])
def test_enter_applies_draft(popup: CountingPopup, qtbot: QtBot, kind: type[QWidget]) -> None:
    part = popup.findChild(kind)
    assert part is not None
    part.setFocus()
    qtbot.keyClick(part, Qt.Key.Key_Return)
    assert popup.applied == 1
    assert not popup.isVisible()


def test_enter_on_button_clicks_button(popup: CountingPopup, qtbot: QtBot) -> None:
    button = popup.findChild(QPushButton)
    assert button is not None
    button.setFocus()
    with qtbot.waitSignal(button.clicked):
        qtbot.keyClick(button, Qt.Key.Key_Return)
    assert popup.applied == 0


def test_esc_closes_without_applying(popup: CountingPopup, qtbot: QtBot) -> None:
    line = popup.findChild(QLineEdit)
    assert line is not None
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert popup.applied == 0
    assert not popup.isVisible()


def test_popup_opens_under_anchor_and_stays_on_screen(anchor: QWidget) -> None:
    screen = anchor.screen().availableGeometry()
    anchor.move(screen.topLeft() + QPoint(50, 50))
    below = anchor.mapToGlobal(QPoint(0, anchor.height() + 2))
    assert position_under(anchor, 200, 100) == below
    for corner in (screen.topRight(), screen.bottomLeft(), screen.bottomRight() - QPoint(20, 20)):
        anchor.move(corner)
        position = position_under(anchor, 300, 200)
        assert screen.adjusted(-1, -1, 1, 1).contains(QRect(position.x(), position.y(), 300, 200))


def test_popup_of_disabled_control_closes(popup: CountingPopup, anchor: QWidget) -> None:
    anchor.setEnabled(False)
    assert not popup.isVisible(), "a disabled panel would hear no key, not even Escape"
    assert popup.applied == 0
    anchor.setEnabled(True)
    popup.open_under(anchor)
    assert popup.isVisible()
    assert popup.isEnabled()
