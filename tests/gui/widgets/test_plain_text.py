from PySide6.QtGui import QTextDocumentFragment

from usage_viewer.gui.widgets.plain_text import menu_text, tip


def test_a_tip_reads_as_written() -> None:
    for text in ("<img src=x>", "a & b", '"quoted"', "R&amp;D"):
        assert QTextDocumentFragment.fromHtml(tip(text)).toPlainText() == text


def test_no_text_is_no_tip() -> None:
    assert tip("") == ""


def test_an_ampersand_is_no_mnemonic() -> None:
    assert menu_text("R&D") == "R&&D"


def test_what_can_not_be_seen_is_written_out_line_by_line() -> None:
    shown = QTextDocumentFragment.fromHtml(tip("one\u202e\ntwo\x07")).toPlainText()
    assert shown == "one⟨U+202E⟩\ntwo␇"
    assert menu_text("R\u200b&D") == "R⟨U+200B⟩&&D"
