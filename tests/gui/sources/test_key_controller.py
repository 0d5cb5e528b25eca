"""Tests storing, replacing and removing the key, and deleting data without it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from tests.rigs.window import User, WindowRig
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringFailed
from usage_viewer.keystore import MemoryKeystore

MASKED = AdminKey.parse(ADMIN_KEY).masked


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
    user.click(window.dialog.button)
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
    rig.settle(window, lambda: user.click(window.dialog.button))
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert len(rig.usage_requests()) > before
