"""Tests the About dialog and the list of shortcuts."""

import PySide6
import pytest
from PySide6.QtWidgets import QDialog, QLabel, QMenu, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer import __version__
from usage_viewer.app.licences import list_components
from usage_viewer.gui.window.help_dialogs import about_dialog, shortcut_dialog
from usage_viewer.gui.window.shortcut_groups import shortcut_groups


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def texts(dialog: QDialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel)]


def test_about_lists_every_package_with_its_licence(parent: QWidget) -> None:
    dialog = about_dialog([("Data", "/data\u202e <b>")], parent)
    shown = texts(dialog)
    lines = "\n".join(shown).splitlines()
    assert f"Usage Viewer {__version__}" in lines
    assert "MIT" in lines
    assert any("PSF" in line and f"Qt {PySide6.__version__} (LGPL-3.0)" in line for line in lines)
    for part in list_components():
        assert f"{part.name} {part.version}: {part.licence}" in lines
    assert "/data⟨U+202E⟩ <b>" in shown


def test_shortcut_dialog_lists_keys(parent: QWidget) -> None:
    groups = [("Rows", [("Copy", "Ctrl+C")]), ("View", [("Refresh", "F5")])]
    assert texts(shortcut_dialog(groups, parent)) == [
        "Rows",
        "Copy",
        "Ctrl+C",
        "View",
        "Refresh",
        "F5",
    ]


@pytest.mark.parametrize("points", [9, 18])
def test_dialogs_are_as_wide_as_their_texts(parent: QWidget, qtbot: QtBot, points: int) -> None:
    font = parent.font()
    font.setPointSize(points)
    parent.setFont(font)
    for dialog in (shortcut_dialog(shortcut_groups(QMenu()), parent), about_dialog([("Data", "/data")], parent)):
        dialog.show()
        area = dialog.findChildren(QScrollArea)[0]
        qtbot.waitUntil(area.isVisible)
        assert area.horizontalScrollBar().maximum() == 0
        inside = area.widget()
        assert inside is not None
        assert inside.width() <= area.viewport().width()
        dialog.close()
