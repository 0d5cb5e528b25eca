"""Tests that a sentence typed into any menu or popup removes nothing, and where the focus is afterwards."""

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QMenu, QToolButton, QWidget

from tests.rigs.window import User, WindowRig, WindowUnderTest, below
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.saved_views import READY_MADE
from usage_viewer.app.settings.settings import Settings
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.view_parts import Filter
from usage_viewer.gui.widgets.chip import Chip, ChipCloseButton
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.window.saved_views_dialog import SavedViewsDialog
from usage_viewer.store import Store

SENTENCE = "remove my data: the quick brown fox jumps over the lazy dog 1234567890 delete key 0"
CONTROL = Qt.KeyboardModifier.ControlModifier
FILTERS = (
    Filter("batch", frozenset(["true"]), exclude=True),
    Filter("user_id", frozenset(["nobody"]), exclude=True),
)


def _nothing_is_erased() -> list[UsageViewerError]:
    raise AssertionError("a typed sentence erased everything")


@pytest.fixture
def window(rig: WindowRig) -> Iterator[WindowUnderTest]:
    """Open a window on two organizations with filters; file dialogs are cancelled, *Quit* is off."""
    listed = (Organization("default", "Mine"), Organization("acme", "Acme"))
    settings.save(ProfilePaths(rig.data_dir).settings, Settings(organizations=listed))
    Store.open(ProfilePaths(rig.data_dir, "acme").database).close()
    window = rig.open(rig.context(erase_all=_nothing_is_erased))
    window.commands.quit.setEnabled(False)
    view = window.view
    for item in FILTERS:
        view = view.with_filter(item)
    rig.show(window, view)
    timer = QTimer(window, interval=10)
    timer.timeout.connect(_cancel_file_dialog)
    timer.start()
    yield window
    _close_popups()


def _cancel_file_dialog() -> None:
    for dialog in QApplication.topLevelWidgets():
        if isinstance(dialog, QFileDialog) and dialog.isVisible():
            dialog.reject()


def _close_popups() -> None:
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.close()
    for dialog in QApplication.topLevelWidgets():
        if isinstance(dialog, QDialog) and dialog.isVisible():
            dialog.reject()


def _more(window: WindowUnderTest) -> QToolButton:
    return next(button for button in window.page.findChildren(QToolButton) if button.accessibleName() == "More")


def _open_more(window: WindowUnderTest, user: User) -> None:
    _more(window).menu().popup(_more(window).mapToGlobal(QPoint(0, 0)))  # a click runs its own event loop


def _open_copy_as(window: WindowUnderTest, user: User) -> None:
    below(_more(window).menu(), "Export", "Copy as").popup(window.mapToGlobal(QPoint(9, 9)))


def _open_header_menu(window: WindowUnderTest, user: User) -> None:
    viewport, point = window.page.table.header.viewport(), user.header_point(window, "input_tokens")
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(viewport, QContextMenuEvent(reason, point, viewport.mapToGlobal(point)))


def _open_columns_menu(window: WindowUnderTest, user: User) -> None:
    _open_header_menu(window, user)
    columns = next(action.menu() for action in user.menu.actions() if action.text() == "&Columns")
    assert isinstance(columns, QMenu)
    columns.popup(window.mapToGlobal(QPoint(9, 9)))


def _open_cell_menu(window: WindowUnderTest, user: User) -> None:
    table = window.page.table
    table.setCurrentIndex(window.page.model.index(0, 0))
    user.key(Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    if QApplication.activePopupWidget() is None:  # without a window system, Shift+F10 makes no event
        point = table.visualRect(table.currentIndex()).center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, point, table.viewport().mapToGlobal(point))
        QApplication.sendEvent(table.viewport(), event)


def _views_button(window: WindowUnderTest) -> QToolButton:
    found = window.page.findChildren(QToolButton)
    return next(button for button in found if button.accessibleName() == "Saved views")


WAYS: dict[str, Callable[[WindowUnderTest, User], object]] = {
    "more": _open_more,
    "copy as": _open_copy_as,
    "columns button": lambda window, user: window.commands.columns.trigger(),
    "organization": lambda window, user: user.click(window.page.organization),
    "dataset": lambda window, user: user.click(window.page.dataset),
    "period": lambda window, user: user.click(window.page.per),
    "zone": lambda window, user: user.click(window.page.zone),
    "range": lambda window, user: user.click(window.page.range.button),
    "filter menu": lambda window, user: user.click(window.page.filters.add_chip),
    "checklist": lambda window, user: window.page.filters.open_checklist("batch"),
    "header menu": _open_header_menu,
    "columns menu": _open_columns_menu,
    "cell menu": _open_cell_menu,
}


def _type(rig: WindowRig, window: WindowUnderTest, text: str) -> None:
    """Type each letter into the widget that has the focus at that time, as a keyboard does."""
    for letter in text:
        top = QApplication.activePopupWidget() or QApplication.activeModalWidget() or window
        top.activateWindow()  # as a window system does
        rig.qtbot.keyClicks(cast("QWidget | None", top.focusWidget()) or top, letter)
        rig.qtbot.wait(1)


def _assert_nothing_is_lost(rig: WindowRig, window: WindowUnderTest) -> None:
    assert [one.id for one in window.organizations.listed] == ["default", "acme"]
    assert ProfilePaths(rig.data_dir).database.exists()
    assert ProfilePaths(rig.data_dir, "acme").database.exists()
    assert window.source.own_profile.keystore.load() is not None
    last = window.parts.settings.current.profiles["default"].views["completions"]
    assert set(FILTERS) <= set(last.filters)


@pytest.mark.parametrize("way", list(WAYS))
def test_typed_sentence_removes_nothing(rig: WindowRig, user: User, window: WindowUnderTest, way: str) -> None:
    window.commands.demo.setEnabled(False)
    for end in ("", "\r", " "):
        WAYS[way](window, user)
        assert QApplication.activePopupWidget() is not None
        _type(rig, window, SENTENCE + end)
        rig.qtbot.wait(30)
        _assert_nothing_is_lost(rig, window)
        _close_popups()


@pytest.mark.parametrize("end", ["", "\r", " "])
def test_sentence_typed_into_the_saved_views_removes_none(
    rig: WindowRig, user: User, window: WindowUnderTest, end: str
) -> None:
    window.commands.demo.setEnabled(False)
    saved = window.parts.saved_views.list
    user.click(_views_button(window))
    assert QApplication.activePopupWidget() is window.commands.saved_views
    _type(rig, window, SENTENCE + end)
    _close_popups()
    window.commands.edit_views.trigger()
    _type(rig, window, SENTENCE + end)
    _close_popups()
    window.commands.edit_views.trigger()
    user.activate(next(one for one in window.findChildren(SavedViewsDialog) if one.isVisible()))
    user.key(Qt.Key.Key_Delete)
    _type(rig, window, SENTENCE + end)
    _close_popups()
    assert saved.views[: len(READY_MADE)] == READY_MADE
    assert ProfilePaths(rig.data_dir).database.exists()
    assert [one.id for one in window.organizations.listed] == ["default", "acme"]


@pytest.mark.parametrize("way", ["more", "organization"])
def test_no_letter_of_a_menu_removes_anything(
    rig: WindowRig, user: User, window: WindowUnderTest, way: str
) -> None:
    window.commands.demo.setEnabled(False)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        WAYS[way](window, user)
        _type(rig, window, f"{letter} remove")
        _assert_nothing_is_lost(rig, window)
        _close_popups()


def test_no_menu_button_takes_the_focus_from_the_table(user: User, window: WindowUnderTest) -> None:
    found = window.page.findChildren(QToolButton)
    buttons = [button for button in found if button.isVisible() and not isinstance(button, Chip | ChipCloseButton)]
    assert _more(window) in buttons
    assert window.page.organization in buttons
    assert _more(window).focusPolicy() == window.page.organization.focusPolicy() == Qt.FocusPolicy.TabFocus
    for button in buttons:
        assert not button.focusPolicy() & Qt.FocusPolicy.ClickFocus, button.accessibleName()


@pytest.mark.parametrize("command", ["Add…", "Rename…", "Remove…", "Combine…"])
def test_focus_returns_to_the_table_after_a_dialog(
    rig: WindowRig, user: User, window: WindowUnderTest, command: str
) -> None:
    window.page.organization.setFocus()  # by Tab
    user.key(Qt.Key.Key_Space)
    user.pick(command)
    dialog = next(dialog for dialog in window.findChildren(FormDialog) if dialog.isVisible())
    user.activate(dialog)
    user.key(Qt.Key.Key_Escape)
    user.activate(window)
    assert user.focus is window.page.table


def test_table_has_the_focus_at_the_start_and_after_another_organization(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    assert user.focus is window.page.table
    rig.settle(window, window.commands.demo.trigger)
    assert user.focus is window.page.table
    user.click(window.page.organization)
    rig.settle(window, lambda: user.pick("1 Mine"))
    assert user.focus is window.page.table


def test_cleared_filters_come_back(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    before = window.view
    rig.settle(window, lambda: user.click(window.page.filters.clear_chip))
    assert window.view.filters == ()
    assert "Ctrl+Z" in window.page.status.text
    assert user.focus is window.page.table
    rig.settle(window, lambda: user.key(Qt.Key.Key_Z, CONTROL))
    assert window.view == before
    rig.settle(window, lambda: user.key(Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier))
    assert window.view.filters == ()
    rig.settle(window, window.commands.back.trigger)
    assert window.view == before


def test_cleared_filters_come_back_after_other_changes(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    before = window.view
    rig.settle(window, window.commands.clear_filters.trigger)
    rig.settle(window, window.page.dataset.menu_actions["costs"].trigger)
    user.click(window.page.per)
    rig.settle(window, lambda: user.key(Qt.Key.Key_W))
    for _ in range(3):
        rig.settle(window, lambda: user.key(Qt.Key.Key_Z, CONTROL))
    assert window.view == before
    user.key(Qt.Key.Key_Z, CONTROL)  # the filters of the fixture
    user.key(Qt.Key.Key_Z, CONTROL)
    assert "nothing to go back to" in window.page.status.text


def test_undo_in_the_empty_search_box_undoes_the_view(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    before = window.view
    user.key(Qt.Key.Key_F, CONTROL)
    rig.settle(window, lambda: user.type("zzz"))
    assert isinstance(user.focus, type(window.page.filters.search))
    rig.settle(window, lambda: user.key(Qt.Key.Key_L, CONTROL | Qt.KeyboardModifier.ShiftModifier))
    assert window.view.filters == ()
    user.key(Qt.Key.Key_F, CONTROL)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Z, CONTROL))
    assert window.view == before.with_search("zzz")


def test_button_of_the_empty_table_is_not_pressed_by_typing(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, window.view.with_filter(Filter("model", frozenset(["none such"]))))
    (button,) = (one for one in window.page.empty.findChildren(QAbstractButton) if one.isVisible())
    filters = window.view.filters
    view = below(_more(window).menu(), "View")
    view.popup(window.mapToGlobal(QPoint(9, 9)))
    user.pick("Short numbers (1.2 M)", view)
    assert not button.hasFocus()
    _type(rig, window, SENTENCE)
    assert window.view.filters == filters
