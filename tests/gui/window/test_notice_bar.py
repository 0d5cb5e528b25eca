"""What the quiet line says."""

from pytestqt.qtbot import QtBot

from usage_viewer.gui.window.notice_bar import NoticeBar


def test_it_is_there_only_while_it_has_something_to_say(qtbot: QtBot) -> None:
    line = NoticeBar()
    qtbot.addWidget(line)
    assert line.isHidden()
    line.say("view", "Shown in UTC.")
    assert not line.isHidden()
    assert (line.text, line.accessibleName()) == ("Shown in UTC.", "Shown in UTC.")
    line.say("names", "No names.")
    assert line.text == "Shown in UTC.\nNo names."
    line.say("view", "")
    assert line.text == "No names."
    line.clear()
    assert (line.text, line.isHidden()) == ("", True)


def test_it_can_be_drawn(qtbot: QtBot) -> None:
    line = NoticeBar()
    qtbot.addWidget(line)
    line.say("view", "<b>not bold</b>")
    assert not line.grab().isNull()
