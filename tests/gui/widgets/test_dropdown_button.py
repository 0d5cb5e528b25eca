from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.dropdown_button import DropdownButton


@pytest.fixture
def button(shown: Callable[[QWidget, int], None]) -> DropdownButton:
    button = DropdownButton(None, name="Period", shortcut="Alt+P")
    button.show_choice("Day", prefix="per")
    shown(button, 160)
    return button


def test_the_focus_can_be_seen(button: DropdownButton) -> None:
    button.setFocus()
    focused = button.grab().toImage()
    button.clearFocus()
    assert button.grab().toImage() != focused


def test_a_long_choice_is_cut_in_a_narrow_place(button: DropdownButton) -> None:
    button.show_choice("x" * 200)
    assert button.sizeHint().width() <= 320
    assert button.minimumSizeHint().width() <= 80


def test_says_what_is_chosen(button: DropdownButton) -> None:
    assert button.choice == "per Day"
    assert button.accessibleName() == "Period: per Day"
    assert "Alt+P" in button.toolTip()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Down])
def test_keys_press_it(button: DropdownButton, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitSignal(button.clicked):
        qtbot.keyClick(button, key)


def test_a_rest_of_a_text_that_says_nothing_is_left_out(button: DropdownButton) -> None:
    button.show_choice("Last 30 days")
    button.resize(button.sizeHint())
    alone = button.grab().toImage()
    button.show_choice("Last 30 days", suffix="· 24 Oct – 22 Nov 2026")
    assert button.grab().toImage() == alone
    button.resize(button.sizeHint())
    assert button.grab().toImage() != alone
