"""Tests focus and keys of the dialogs: typed text goes to the first field and never removes anything."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QLineEdit, QMenu, QPushButton

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import Settings
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.store import Store

SENTENCE = "The quick brown fox jumps over the lazy dog, my dear Mary & Yve"
REMOVING = ["Remove…", "Remove admin key…", "Delete downloaded data…", "Delete all data and keys…"]


def _nothing_is_erased() -> list[UsageViewerError]:
    raise AssertionError("a typed sentence erased everything")


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    """Open a window on two organizations that have keys and data."""
    listed = (Organization("default", "Mine"), Organization("acme", "Acme"))
    settings.save(ProfilePaths(rig.data_dir).settings, Settings(organizations=listed))
    Store.open(ProfilePaths(rig.data_dir, "acme").database).close()
    return rig.open(rig.context(erase_all=_nothing_is_erased))


def _open(user: User, window: WindowUnderTest, name: str) -> FormDialog:
    actions, organizations = window.commands, window.organizations
    commands = {
        "Add…": organizations.ask_to_add,
        "Rename…": organizations.ask_to_rename,
        "Remove…": organizations.ask_to_remove,
        "Combine…": organizations.ask_to_combine,
        "Remove admin key…": actions.forget_key.trigger,
        "Delete downloaded data…": actions.erase.trigger,
        "Delete all data and keys…": actions.erase_all.trigger,
    }
    commands[name]()
    dialog = next(dialog for dialog in window.findChildren(FormDialog) if dialog.isVisible())
    user.activate(dialog)
    return dialog


def _assert_nothing_is_lost(rig: WindowRig, window: WindowUnderTest) -> None:
    assert [one.id for one in window.organizations.listed] == ["default", "acme"]
    assert ProfilePaths(rig.data_dir).database.exists()
    assert ProfilePaths(rig.data_dir, "acme").database.exists()
    assert window.workspace.session is not None
    assert not window.workspace.session.empty
    assert window.source.own_profile.keystore.load() is not None


@pytest.mark.parametrize("name", ["Add…", "Rename…"])
def test_typed_text_goes_to_the_first_field(rig: WindowRig, user: User, window: WindowUnderTest, name: str) -> None:
    dialog = _open(user, window, name)
    field = dialog.focusWidget()
    assert isinstance(field, QLineEdit)
    user.type(SENTENCE)
    assert field.text() == SENTENCE
    assert dialog.isVisible()
    user.key(Qt.Key.Key_Escape)
    _assert_nothing_is_lost(rig, window)


def test_enter_confirms_a_new_name(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    _open(user, window, "Rename…")
    user.type("My new name")
    user.key(Qt.Key.Key_Return)
    assert [one.label for one in window.organizations.listed] == ["My new name", "Acme"]


@pytest.mark.parametrize("name", REMOVING)
@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape])
def test_typed_sentence_removes_nothing(
    rig: WindowRig, user: User, window: WindowUnderTest, name: str, end: Qt.Key
) -> None:
    dialog = _open(user, window, name)
    assert dialog.focusWidget() is dialog.typed
    assert dialog.cancel.isDefault()
    user.type(SENTENCE)
    assert dialog.typed.text() == SENTENCE
    assert not dialog.button.isEnabled()
    user.key(end)
    _close_popups()
    rig.qtbot.wait(50)
    _assert_nothing_is_lost(rig, window)


def test_every_removing_command_is_covered(window: WindowUnderTest) -> None:
    offered = {action.text().replace("&", "") for menu in window.findChildren(QMenu) for action in menu.actions()}
    removing = {
        text
        for text in offered
        if text.endswith("…") and any(word in text for word in ("Remove", "Forget", "Erase", "Delete"))
    }
    assert removing == set(REMOVING)


def test_key_box_is_not_ticked(user: User, window: WindowUnderTest) -> None:
    dialog = _open(user, window, "Remove…")
    assert [box.text().replace("&", "") for box in dialog.findChildren(QCheckBox) if box.isChecked()] == [
        "Remove its usage and names from this computer"
    ]


@pytest.mark.parametrize("name", ["Add…", "Rename…", "Remove…", "Combine…", "Delete all data and keys…"])
def test_tab_order_is_fields_then_cancel_then_action(user: User, window: WindowUnderTest, name: str) -> None:
    dialog = _open(user, window, name)
    typed = [dialog.typed] if dialog.to_type else []
    for field in typed:
        field.setText(dialog.to_type)
    dialog.cancel.setFocus()
    user.key(Qt.Key.Key_Tab)
    assert dialog.focusWidget() is dialog.button
    user.key(Qt.Key.Key_Tab)
    names = [] if typed else dialog.findChildren(QLineEdit)
    fields = [*names, *dialog.findChildren(QCheckBox), *typed]
    assert dialog.focusWidget() is (fields[0] if fields else dialog.cancel)
    dialog.reject()


def test_enter_presses_the_focused_button(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    dialog = _open(user, window, "Remove admin key…")
    user.type("remove")
    user.key(Qt.Key.Key_Tab, times=2)
    assert isinstance(dialog.focusWidget(), QPushButton)
    user.key(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(window.key_page.isVisible)


@pytest.mark.parametrize(("typed", "removed"), [(" mine ", True), ("MINE", True), ("Min", False), ("Mine2", False)])
def test_organization_is_removed_only_if_its_name_is_typed(
    rig: WindowRig, user: User, window: WindowUnderTest, typed: str, removed: bool
) -> None:
    dialog = _open(user, window, "Remove…")
    user.type(typed)
    assert dialog.button.isEnabled() is removed
    if removed:
        rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    else:
        user.key(Qt.Key.Key_Return)
    assert ("default" not in [one.id for one in window.organizations.listed]) is removed


def _close_popups() -> None:
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.close()
    for dialog in QApplication.topLevelWidgets():
        if isinstance(dialog, QDialog) and dialog.isVisible():
            dialog.reject()
