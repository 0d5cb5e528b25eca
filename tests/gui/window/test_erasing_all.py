"""Erasing everything from the menu: keys, data, settings of all organizations; then the window closes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from usage_viewer.app.erase_all import erase_all
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import Settings
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import StoreLocked, StoreNotWritable, UsageViewerError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.keystore import Keystore, MemoryKeystore, open_keystore
from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService
    from tests.rigs.window import Desk, Hands


def _window(
    desk: "Desk", erase: Callable[[], list[UsageViewerError]], keystore: Callable[[], Keystore] | None = None
) -> MainWindow:
    keys = keystore or (lambda: MemoryKeystore(AdminKey.parse(ADMIN_KEY)))
    window = MainWindow(
        desk.profile(keys), ProfilePaths(desk.data_dir), desk.open_demo, desk.make_profile, erase_all=erase
    )
    desk.windows.append(window)
    window.show()
    desk.settle(window, window.start)
    return window


def _dialog(window: MainWindow) -> FormDialog:
    window.actions_.erase_all.trigger()
    return next(dialog for dialog in window.findChildren(FormDialog) if dialog.isVisible())


@pytest.mark.secret_service
def test_leaves_no_key_no_data_no_settings(
    desk: "Desk",
    hands: "Hands",
    qtbot: QtBot,
    secret_service: "SecretService",
    system_keystore: Callable[[], Keystore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)
    listed = (Organization("default", "Mine"), Organization("acme", "Acme"))
    settings.save(ProfilePaths(desk.data_dir).settings, Settings(organizations=listed))
    Store.open(ProfilePaths(desk.data_dir, "acme").database).close()
    for one in listed:
        open_keystore(one.id).save(AdminKey.parse(ADMIN_KEY))
    window = _window(desk, lambda: erase_all(desk.data_dir, open_keystore), system_keystore)
    assert window.page.model.rowCount() > 5
    dialog = _dialog(window)
    hands.click(dialog.button)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=10_000)
    desk.close(window)
    assert not desk.data_dir.exists(), "something was written again"
    assert [open_keystore(one.id).load() for one in listed] == [None, None]


def test_nothing_happens_unless_it_is_confirmed(desk: "Desk", hands: "Hands") -> None:
    def never() -> list[UsageViewerError]:
        raise AssertionError("nobody has confirmed it")

    window = _window(desk, never)
    dialog = _dialog(window)
    buttons = dialog.findChild(QDialogButtonBox)
    assert isinstance(buttons, QDialogButtonBox)
    hands.click(buttons.button(QDialogButtonBox.StandardButton.Cancel))
    assert window.page.model.rowCount() > 5
    assert window.workspace.session is not None


@pytest.mark.parametrize("raised", [True, False])
def test_what_went_wrong_is_said_and_the_window_stays(
    desk: "Desk", hands: "Hands", qtbot: QtBot, raised: bool
) -> None:
    def fail() -> list[UsageViewerError]:
        if raised:
            raise StoreLocked
        return [StoreNotWritable("x", title="Not all files could be removed")]

    window = _window(desk, fail)
    hands.click(_dialog(window).button)
    qtbot.waitUntil(window.page.banner.isVisible)
    error = window.page.banner.error
    assert error is not None
    assert error.title == ("The local database is in use" if raised else "Not all files could be removed")
    desk.settle(window, lambda: hands.click(hands.button("Open again", window.page.banner)))
    assert window.page.model.rowCount() > 5
    desk.close(window)
    assert ProfilePaths(desk.data_dir).settings.exists() == raised, "what was erased was written again"


def test_a_window_that_remembers_nothing_does_not_offer_it(desk: "Desk") -> None:
    assert not desk.start().actions_.erase_all.isVisible()
