"""Tests the notice bar."""

from pytestqt.qtbot import QtBot

from usage_viewer.gui.window.notice_bar import NoticeBar


def test_notice_bar_is_visible_only_with_a_text(qtbot: QtBot) -> None:
    line = NoticeBar()
    qtbot.addWidget(line)
    assert line.isHidden()
    line.set_notice("view", "Shown in UTC.")
    assert not line.isHidden()
    assert (line.text, line.accessibleName()) == ("Shown in UTC.", "Shown in UTC.")
    line.set_notice("names", "No names.")
    assert line.text == "Shown in UTC.\nNo names."
    line.set_notice("view", "")
    assert line.text == "No names."
    line.clear()
    assert (line.text, line.isHidden()) == ("", True)


def test_notice_bar_paints(qtbot: QtBot) -> None:
    line = NoticeBar()
    qtbot.addWidget(line)
    line.set_notice("view", "<b>not bold</b>")
    assert not line.grab().isNull()
