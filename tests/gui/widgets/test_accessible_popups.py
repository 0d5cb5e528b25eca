"""Tests that screen readers find open popups in their window, and that their interfaces end with them."""

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QMainWindow, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.accessible_popups import show_popups_as_children
from usage_viewer.gui.widgets.popup import Popup


@pytest.fixture(autouse=True)
def active() -> Iterator[None]:
    """Behave as while a screen reader runs."""
    show_popups_as_children()
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QPushButton("Range"))
    window.show()
    return window


def popup_in(window: QMainWindow) -> Popup:
    button = window.centralWidget()
    assert button is not None
    popup = Popup(button, "Range")
    popup.column.addWidget(QLabel("From"))
    popup.open_under(button)
    return popup


def children(widget: QWidget) -> list[object]:
    interface = QAccessible.queryAccessibleInterface(widget)
    return [interface.child(index).object() for index in range(interface.childCount())]


def test_open_popup_is_the_last_child_of_its_window(window: QMainWindow) -> None:
    before = children(window)
    popup = popup_in(window)
    interface = QAccessible.queryAccessibleInterface(popup)
    assert children(window) == [*before, popup]
    assert interface.parent().object() is window
    assert interface.parent().indexOfChild(interface) == len(before)
    assert children(popup) == popup.findChildren(QLabel)
    assert interface.text(QAccessible.Text.Name) == "Range"
    popup.close()
    assert children(window) == before
    assert interface.parent().child(len(before)) is None


def test_interfaces_end_with_their_popups(window: QMainWindow) -> None:
    for _ in range(200):
        popup = popup_in(window)
        assert children(window)[-1] is popup
        popup.close()
        popup.deleteLater()
        del popup
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert window.findChildren(Popup) == []
    assert len(children(window)) == 1
