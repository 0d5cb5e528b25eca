"""Tests that the name, the filter and the format of a saved file agree."""

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, Qt
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from usage_viewer.app.export import Format
from usage_viewer.gui.clipboard.save_dialog import SaveDialog, agreeing_path, offered_formats


def test_name_follows_the_filter(qtbot: QtBot) -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    dialog = SaveDialog("all 46 rows", "costs-2026-10.v2")
    qtbot.addWidget(dialog)
    assert dialog.windowTitle() == "Save all 46 rows"
    dialog.show()
    name = dialog.findChildren(QLineEdit, "fileNameEdit")[0]
    kinds = dialog.findChildren(QComboBox, "fileTypeCombo")[0]
    assert kinds.count() == len(Format)
    for place in range(kinds.count()):
        kinds.setCurrentIndex(place)
        kinds.activated.emit(place)
        suffix = kinds.itemText(place).rpartition("*")[2].rstrip(")")
        assert name.text() == f"costs-2026-10.v2{suffix}"


@pytest.mark.parametrize(
    ("name", "form", "expected"),
    [
        ("a.csv", Format.CSV, ("a.csv", Format.CSV)),
        ("a.csv", Format.SEMICOLON_CSV, ("a.csv", Format.SEMICOLON_CSV)),
        ("a.json", Format.XLSX, ("a.json", Format.JSON)),
        ("a.v2", Format.XLSX, ("a.v2.xlsx", Format.XLSX)),
        ("a", Format.MARKDOWN, ("a.md", Format.MARKDOWN)),
    ],
)
def test_ending_and_format_agree(name: str, form: Format, expected: tuple[str, Format]) -> None:
    path, agreed = agreeing_path(Path("folder") / name, form)
    assert (path.name, agreed) == expected


def test_decimal_commas_come_first_where_they_are_usual() -> None:
    german, english = offered_formats(QLocale("de_DE")), offered_formats(QLocale("en_US"))
    assert german.index(Format.SEMICOLON_CSV) < german.index(Format.CSV)
    assert english.index(Format.CSV) < english.index(Format.SEMICOLON_CSV)
    assert german[0] is english[0] is Format.XLSX
