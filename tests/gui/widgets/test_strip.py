"""Tests the strip: its message, its buttons and its colours."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.strip import Strip
from usage_viewer.gui.widgets.theme import dark_palette, note_colour, warning_colour


@pytest.fixture
def strip(qtbot: QtBot) -> Strip:
    """Return a strip without a message."""
    strip = Strip(warning_colour)
    qtbot.addWidget(strip)
    strip.resize(600, 60)
    return strip


def _buttons(strip: Strip) -> list[QPushButton]:
    return [button for button in strip.findChildren(QPushButton) if button.isVisibleTo(strip)]


def test_strip_is_hidden_until_it_has_a_message(strip: Strip) -> None:
    assert not strip.isVisible()
    assert strip.title == ""
    strip.show_message("Incomplete", "Missing: 1 Nov.", [])
    assert strip.isVisible()
    assert (strip.title, strip.accessibleName()) == ("Incomplete", "Incomplete. Missing: 1 Nov.")
    strip.clear()
    assert not strip.isVisible()
    assert strip.title == ""


def test_button_calls_the_action_of_the_last_message(strip: Strip, qtbot: QtBot) -> None:
    done: list[str] = []
    strip.show_message("One", "", [("&A", lambda: done.append("a")), ("&B", lambda: done.append("b"))])
    strip.show_message("Two", "", [("&C", lambda: done.append("c"))])
    (button,) = _buttons(strip)
    assert (button.text(), button.accessibleDescription()) == ("&C", "About: Two")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == ["c"]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_of_strips_can_be_read(dark: bool) -> None:
    light = QPalette()
    light.setColor(QPalette.ColorRole.Window, QColor("#efefef"))
    palette = dark_palette() if dark else light
    window = palette.color(QPalette.ColorRole.Window)
    for colour in (warning_colour(palette), note_colour(palette)):
        brighter, darker = sorted((_luminance(colour), _luminance(window)), reverse=True)
        assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: QColor) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
