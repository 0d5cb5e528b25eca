"""Tests storing, replacing and removing the key, and deleting data without it."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from tests.rigs.window import User, WindowRig
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringFailed
from usage_viewer.keystore import MemoryKeystore

CONTROL = Qt.KeyboardModifier.ControlModifier
MASKED = AdminKey.parse(ADMIN_KEY).masked


def _note(triggered: list[str], text: str, _checked: bool = False) -> None:
    triggered.append(text)


class FailingKeystore(MemoryKeystore):
    """A keyring that stores no key."""

    def save(self, key: AdminKey) -> None:
        raise KeyringFailed("It is full.")


def test_key_stays_in_use_if_the_keyring_fails(rig: WindowRig, user: User) -> None:
    keys = FailingKeystore()
    window = rig.start(lambda: keys)
    user.type(ADMIN_KEY)
    user.key(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert window.page.notes.isVisible()
    assert "The keyring failed" in window.page.notes.text
    assert "in use until the window is closed" in window.page.notes.text
    assert keys.load() is None


def test_wrong_key_does_not_replace_the_old_one(rig: WindowRig, user: User) -> None:
    keys = MemoryKeystore(AdminKey.parse(ADMIN_KEY))
    window = rig.start(lambda: keys)
    window.commands.replace_key.trigger()
    assert window.key_page.isVisible()
    user.type("sk-admin-wrong-wrong-wrong-wrong-wrong")
    user.key(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(lambda: "refused" in window.key_page.problem_text)
    assert keys.load() == AdminKey.parse(ADMIN_KEY)
    user.click(user.button("Back", window.key_page))
    assert window.page.table.isVisible()
    rig.settle(window, lambda: user.key(Qt.Key.Key_F5))
    assert not window.page.banner.isVisible()


def test_no_command_acts_on_the_table_behind_the_key_page(rig: WindowRig, user: User) -> None:
    window = rig.start()
    commands = window.commands
    window.commands.replace_key.trigger()
    triggered: list[str] = []
    for action in commands.all:
        action.triggered.connect(partial(_note, triggered, action.text()))
    view, requests = window.view, len(rig.server.requests)
    for key, modifier in (
        (Qt.Key.Key_S, CONTROL),
        (Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier),
        (Qt.Key.Key_E, CONTROL),
        (Qt.Key.Key_I, CONTROL),
        (Qt.Key.Key_K, CONTROL),
        (Qt.Key.Key_H, CONTROL),
        (Qt.Key.Key_P, CONTROL),
        (Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier),
    ):
        user.key(key, modifier)
        assert QApplication.activePopupWidget() is None
    assert (triggered, window.view, len(rig.server.requests)) == ([], view, requests)
    usable = {action for action in commands.all if action.isEnabled()}
    assert usable <= {
        commands.open_snapshot,
        commands.close_snapshot,
        commands.replace_key,
        commands.forget_key,
        commands.erase,
        commands.erase_all,
        commands.demo,
        commands.shortcuts,
        commands.about,
        commands.quit,
        *commands.scheme.values(),
    }
    user.key(Qt.Key.Key_Escape)
    assert window.page.table.isVisible()
    user.key(Qt.Key.Key_E, CONTROL)
    assert triggered == [commands.include_empty.text()]


def test_key_is_removed_only_after_confirmation(rig: WindowRig, user: User) -> None:
    keys = MemoryKeystore(AdminKey.parse(ADMIN_KEY))
    window = rig.start(lambda: keys)
    window.commands.forget_key.trigger()
    texts = [label.text() for label in window.dialog.findChildren(QLabel)]
    assert any(f"Stop using the admin key {MASKED} of this organization?" in text for text in texts)
    assert not any("keyring (" in text for text in texts)
    user.click(window.dialog.cancel)
    assert keys.load() is not None
    window.commands.forget_key.trigger()
    user.confirm(window.dialog)
    rig.qtbot.waitUntil(window.key_page.isVisible)
    assert keys.load() is None
    assert window.key_page.title == "Connect your organization"
    assert window.key_page.problem_text == "The admin key is no longer in use."
    assert MASKED not in window.key_page.use_text
    user.key(Qt.Key.Key_Escape)
    assert window.page.model.rowCount() > 5  # downloaded data stays
    window.commands.forget_key.trigger()
    assert window.page.status.text.endswith("There is no admin key to remove")


def test_deleted_data_is_loaded_again_with_the_same_key(rig: WindowRig, user: User) -> None:
    window = rig.start()
    before = len(rig.usage_requests())
    window.commands.erase.trigger()
    rig.settle(window, lambda: user.confirm(window.dialog))
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert len(rig.usage_requests()) > before
