"""Tests that menu entries get letters of their own."""

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.mnemonics import mend_letters, with_letters


def test_first_letters_of_words_are_preferred() -> None:
    assert with_letters(["Costs", "Completions", "Code interpreter"]) == [
        "&Costs",
        "C&ompletions",
        "Code &interpreter",
    ]


def test_texts_are_shown_as_written_and_more_texts_than_letters_get_none() -> None:
    assert with_letters(["R&D", "r", "rr"]) == ["&R&&D", "r", "rr"]
    assert with_letters(["…", ""]) == ["…", ""]


def test_only_entries_with_a_taken_letter_change(qtbot: QtBot) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    below = menu.addMenu("Copy &as")
    for text in ("&Copy", "Sort &ascending", "&Columns", "Undo"):
        menu.addAction(text)
    for text in ("&TSV", "&Text"):
        below.addAction(text)
    mend_letters(menu)
    assert [action.text() for action in menu.actions()] == [
        "Copy &as",
        "&Copy",
        "&Sort ascending",
        "C&olumns",
        "Undo",
    ]
    assert [action.text() for action in below.actions()] == ["&TSV", "T&ext"]
    letters = [QKeySequence.mnemonic(action.text()).toString() for action in menu.actions()]
    assert len(set(letters)) == len(letters)
