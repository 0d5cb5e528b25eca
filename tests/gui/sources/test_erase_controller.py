"""Tests deleting all keys, data and settings from the menu."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from tests.rigs.keys import key_scope
from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.erase_all import erase_all
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import Settings
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import StoreLocked, StoreNotWritable, UsageViewerError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.keystore import Keystore, open_keystore
from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService


def _window(
    rig: WindowRig, erase: Callable[[], list[UsageViewerError]], keystore: Callable[[], Keystore] | None = None
) -> WindowUnderTest:
    return rig.open(rig.context(keystore, erase_all=erase))


def _dialog(window: WindowUnderTest) -> FormDialog:
    window.commands.erase_all.trigger()
    return next(dialog for dialog in window.findChildren(FormDialog) if dialog.isVisible())


@pytest.mark.secret_service
def test_erasing_all_leaves_no_key_data_or_settings(
    rig: WindowRig,
    user: User,
    qtbot: QtBot,
    secret_service: "SecretService",
    system_keystore: Callable[[], Keystore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)
    listed = (Organization("default", "Mine"), Organization("acme", "Acme"))
    settings.save(ProfilePaths(rig.data_dir).settings, Settings(organizations=listed))
    Store.open(ProfilePaths(rig.data_dir, "acme").database).close()
    for one in listed:
        open_keystore(key_scope(one.id)).save(AdminKey.parse(ADMIN_KEY))
    window = _window(rig, lambda: erase_all(rig.data_dir, lambda id: open_keystore(key_scope(id))), system_keystore)
    assert window.page.model.rowCount() > 5
    dialog = _dialog(window)
    user.click(dialog.button)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=10_000)
    rig.close(window)
    assert not rig.data_dir.exists(), "a file was written again"
    assert [open_keystore(key_scope(one.id)).load() for one in listed] == [None, None]


def test_nothing_is_erased_without_confirmation(rig: WindowRig, user: User) -> None:
    def never() -> list[UsageViewerError]:
        raise AssertionError("it was not confirmed")

    window = _window(rig, never)
    dialog = _dialog(window)
    buttons = dialog.findChild(QDialogButtonBox)
    assert isinstance(buttons, QDialogButtonBox)
    user.click(buttons.button(QDialogButtonBox.StandardButton.Cancel))
    assert window.page.model.rowCount() > 5
    assert window.workspace.session is not None


@pytest.mark.parametrize("raised", [True, False])
def test_erase_error_is_shown_and_the_window_stays_open(
    rig: WindowRig, user: User, qtbot: QtBot, raised: bool
) -> None:
    def fail() -> list[UsageViewerError]:
        if raised:
            raise StoreLocked
        rig.paths.settings.unlink(missing_ok=True)
        return [StoreNotWritable("x", title="Some files could not be deleted")]

    window = _window(rig, fail)
    user.click(_dialog(window).button)
    qtbot.waitUntil(window.page.banner.isVisible)
    error = window.page.banner.error
    assert error is not None
    assert error.title == ("The local database is in use" if raised else "Some files could not be deleted")
    rig.settle(window, lambda: user.click(user.button("Open again", window.page.banner)))
    assert window.page.model.rowCount() > 5
    rig.close(window)
    assert ProfilePaths(rig.data_dir).settings.exists() == raised, "deleted settings were written again"


def test_erase_all_is_hidden_without_the_function(rig: WindowRig) -> None:
    assert not rig.start().commands.erase_all.isVisible()
