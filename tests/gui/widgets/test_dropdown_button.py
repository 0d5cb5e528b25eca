from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.dropdown_button import DropdownButton


@pytest.fixture
def button(shown: Callable[[QWidget, int], None]) -> DropdownButton:
    button = DropdownButton(None, name="Period", shortcut="Alt+P")
    button.show_choice("day", prefix="By")
    shown(button, 160)
    return button


def test_focused_button_looks_different(button: DropdownButton) -> None:
    button.setFocus()
    focused = button.grab().toImage()
    button.clearFocus()
    assert button.grab().toImage() != focused


def test_long_choice_is_limited_in_width(button: DropdownButton) -> None:
    button.show_choice("x" * 200)
    assert button.sizeHint().width() <= 320
    assert button.minimumSizeHint().width() <= 80


def test_button_shows_choice(button: DropdownButton) -> None:
    assert button.choice == "By day"
    assert button.accessibleName() == "Period: By day"
    assert "Alt+P" in button.toolTip()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Down])
def test_space_enter_and_down_click_button(button: DropdownButton, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitSignal(button.clicked):
        qtbot.keyClick(button, key)


def test_part_cut_to_few_characters_is_not_drawn(button: DropdownButton) -> None:
    button.show_choice("Last 30 days")
    button.resize(button.sizeHint())
    without_suffix = button.grab().toImage()
    button.show_choice("Last 30 days", suffix="· 24 Oct – 22 Nov 2026")
    assert button.grab().toImage() == without_suffix
    button.resize(button.sizeHint())
    assert button.grab().toImage() != without_suffix


def test_prefix_gives_way_to_the_choice(button: DropdownButton) -> None:
    button.show_choice("minute", prefix="")
    narrow = button.sizeHint()
    button.resize(narrow)
    alone = button.grab().toImage()
    button.show_choice("minute", prefix="By")
    assert button.grab().toImage() == alone
    button.resize(narrow.width() + 40, narrow.height())
    whole = button.grab().toImage()
    button.show_choice("minute", prefix="")
    assert button.grab().toImage() != whole
