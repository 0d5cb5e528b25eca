"""Tests storing, replacing and removing the key, and deleting data without it."""

from PySide6.QtCore import Qt

from tests.rigs.window import User, WindowRig
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringFailed
from usage_viewer.keystore import MemoryKeystore


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
    user.click(window.dialog.cancel)
    assert keys.load() is not None
    window.commands.forget_key.trigger()
    user.confirm(window.dialog)
    rig.qtbot.waitUntil(window.key_page.isVisible)
    assert keys.load() is None
    user.click(user.button("Back", window.key_page))
    assert window.page.model.rowCount() > 5  # downloaded data stays


def test_deleted_data_is_loaded_again_with_the_same_key(rig: WindowRig, user: User) -> None:
    window = rig.start()
    before = len(rig.usage_requests())
    window.commands.erase.trigger()
    rig.settle(window, lambda: user.confirm(window.dialog))
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert len(rig.usage_requests()) > before
