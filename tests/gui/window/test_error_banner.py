"""Tests the texts and buttons of the error banner."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from usage_viewer.domain.errors import KeyRefused
from usage_viewer.domain.network_errors import TimedOut
from usage_viewer.gui.widgets.theme import dark_palette
from usage_viewer.gui.window.error_banner import ErrorBanner


@pytest.fixture
def banner(qtbot: QtBot) -> ErrorBanner:
    banner = ErrorBanner()
    qtbot.addWidget(banner)
    banner.resize(600, 60)
    return banner


def _buttons(banner: ErrorBanner) -> list[QPushButton]:
    return [one for one in banner.findChildren(QPushButton) if one.isVisibleTo(banner)]


def test_buttons_call_their_current_action(banner: ErrorBanner, qtbot: QtBot) -> None:
    done: list[str] = []
    banner.show_error(KeyRefused("x"), [("&One", lambda: done.append("one")), ("&Two", lambda: done.append("two"))])
    assert [button.text() for button in _buttons(banner)] == ["&One", "&Two"]
    qtbot.mouseClick(_buttons(banner)[1], Qt.MouseButton.LeftButton)
    banner.show_error(TimedOut(), [("&Three", lambda: done.append("three"))])
    assert [button.text() for button in _buttons(banner)] == ["&Three"]
    assert "did not respond in time" in _buttons(banner)[0].accessibleDescription()
    qtbot.mouseClick(_buttons(banner)[0], Qt.MouseButton.LeftButton)
    assert done == ["two", "three"]


def test_close_button_hides_the_banner(banner: ErrorBanner, qtbot: QtBot) -> None:
    banner.show_error(TimedOut(), [])
    assert banner.isVisible()
    qtbot.mouseClick(banner.findChildren(QToolButton)[0], Qt.MouseButton.LeftButton)
    assert not banner.isVisible()
    assert banner.error is None


def test_cross_follows_the_palette(banner: ErrorBanner) -> None:
    banner.show_error(TimedOut(), [])
    (cross,) = banner.findChildren(QToolButton)
    banner.setPalette(dark_palette())
    picture = cross.icon().pixmap(16).toImage()
    shown = [picture.pixelColor(x, y) for x in range(16) for y in range(16)]
    drawn = [colour for colour in shown if colour.alpha() > 200]
    assert drawn
    assert min(colour.lightness() for colour in drawn) > 200


def test_long_detail_wraps(banner: ErrorBanner) -> None:
    banner.show_error(TimedOut("word " * 100), [("Re&try", lambda: None)])
    assert banner.minimumSizeHint().width() < 600
    assert banner.heightForWidth(600) > 100


def test_markup_from_the_server_is_shown_as_text(banner: ErrorBanner) -> None:
    banner.show_error(TimedOut("<b>bold</b>"), [])
    labels = banner.findChildren(QLabel)
    assert any("<b>bold</b>" in label.text() for label in labels)
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in labels)
