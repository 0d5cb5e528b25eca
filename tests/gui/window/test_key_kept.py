"""The key between window and keyring: kept, not kept, replaced, forgotten."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringFailed
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.keystore import MemoryKeystore

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands


class Failing(MemoryKeystore):
    """A keyring that takes no key."""

    def save(self, key: AdminKey) -> None:
        raise KeyringFailed("It is full.")


def test_a_keyring_that_fails_leaves_the_key_in_use(desk: "Desk", hands: "Hands") -> None:
    keys = Failing()
    window = desk.start(lambda: keys)
    hands.type(ADMIN_KEY)
    hands.key(Qt.Key.Key_Return)
    desk.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert window.page.notes.isVisible()
    assert "The keyring failed" in window.page.notes.text
    assert "in use until the window is closed" in window.page.notes.text
    assert keys.load() is None


def test_a_wrong_key_leaves_the_old_one_in_its_place(desk: "Desk", hands: "Hands") -> None:
    keys = MemoryKeystore(AdminKey.parse(ADMIN_KEY))
    window = desk.start(lambda: keys)
    window.actions_.replace_key.trigger()
    assert window.key_page.isVisible()
    hands.type("sk-admin-wrong-wrong-wrong-wrong-wrong")
    hands.key(Qt.Key.Key_Return)
    desk.qtbot.waitUntil(lambda: "refused" in window.key_page.problem_text)
    assert keys.load() == AdminKey.parse(ADMIN_KEY)
    hands.click(hands.button("Back", window.key_page))
    assert window.page.table.isVisible()
    desk.settle(window, lambda: hands.key(Qt.Key.Key_F5))
    assert not window.page.banner.isVisible()


def _asked(window: MainWindow) -> FormDialog:
    return next(one for one in window.findChildren(FormDialog) if one.isVisible())


def test_removing_the_key_asks_first(desk: "Desk", hands: "Hands") -> None:
    keys = MemoryKeystore(AdminKey.parse(ADMIN_KEY))
    window = desk.start(lambda: keys)
    window.actions_.forget_key.trigger()
    hands.click(_asked(window).cancel)
    assert keys.load() is not None
    window.actions_.forget_key.trigger()
    hands.click(_asked(window).button)
    desk.qtbot.waitUntil(window.key_page.isVisible)
    assert keys.load() is None
    hands.click(hands.button("Back", window.key_page))
    assert window.page.model.rowCount() > 5  # downloaded data stays


def test_deleting_data_keeps_the_key_and_loads_again(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    before = len(desk.asked())
    window.actions_.erase.trigger()
    desk.settle(window, lambda: hands.click(_asked(window).button))
    desk.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert len(desk.asked()) > before
