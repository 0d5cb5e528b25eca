from PySide6.QtGui import QTextDocumentFragment

from usage_viewer.gui.widgets.plain_text import menu_text, tip


def test_tooltip_shows_text_literally() -> None:
    for text in ("<img src=x>", "a & b", '"quoted"', "R&amp;D"):
        assert QTextDocumentFragment.fromHtml(tip(text)).toPlainText() == text


def test_empty_text_has_no_tooltip() -> None:
    assert tip("") == ""


def test_ampersand_in_menu_text_is_no_mnemonic() -> None:
    assert menu_text("R&D") == "R&&D"


def test_invisible_characters_are_escaped_in_each_line() -> None:
    shown = QTextDocumentFragment.fromHtml(tip("one\u202e\ntwo\x07")).toPlainText()
    assert shown == "one⟨U+202E⟩\ntwo␇"
    assert menu_text("R\u200b&D") == "R⟨U+200B⟩&&D"
