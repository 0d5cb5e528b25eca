"""The key between window and keyring: kept, not kept, replaced, forgotten."""

from PySide6.QtCore import Qt

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringFailed
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.keystore import MemoryKeystore


class Failing(MemoryKeystore):
    """A keyring that takes no key."""

    def save(self, key: AdminKey) -> None:
        raise KeyringFailed("It is full.")


def test_a_keyring_that_fails_leaves_the_key_in_use(rig: WindowRig, user: User) -> None:
    keys = Failing()
    window = rig.start(lambda: keys)
    user.type(ADMIN_KEY)
    user.key(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert window.page.notes.isVisible()
    assert "The keyring failed" in window.page.notes.text
    assert "in use until the window is closed" in window.page.notes.text
    assert keys.load() is None


def test_a_wrong_key_leaves_the_old_one_in_its_place(rig: WindowRig, user: User) -> None:
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


def _asked(window: WindowUnderTest) -> FormDialog:
    return next(one for one in window.findChildren(FormDialog) if one.isVisible())


def test_removing_the_key_asks_first(rig: WindowRig, user: User) -> None:
    keys = MemoryKeystore(AdminKey.parse(ADMIN_KEY))
    window = rig.start(lambda: keys)
    window.commands.forget_key.trigger()
    user.click(_asked(window).cancel)
    assert keys.load() is not None
    window.commands.forget_key.trigger()
    user.click(_asked(window).button)
    rig.qtbot.waitUntil(window.key_page.isVisible)
    assert keys.load() is None
    user.click(user.button("Back", window.key_page))
    assert window.page.model.rowCount() > 5  # downloaded data stays


def test_deleting_data_keeps_the_key_and_loads_again(rig: WindowRig, user: User) -> None:
    window = rig.start()
    before = len(rig.usage_requests())
    window.commands.erase.trigger()
    rig.settle(window, lambda: user.click(_asked(window).button))
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert len(rig.usage_requests()) > before
