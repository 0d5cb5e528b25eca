"""Tests the window where the stored key was given for another server, and where a key is removed from."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from tests.rigs.keys import key_scope
from tests.rigs.secret_service import secret_service_keyring
from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.faults import Fault
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import (
    VENDOR_SERVER,
    KeyScope,
    Keystore,
    MemoryKeystore,
    UnboundEntry,
    open_keystore,
)

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService

KEY = AdminKey.parse(ADMIN_KEY)
KEYRING = "the desktop's keyring (Secret Service)"


@pytest.fixture
def scope(rig: WindowRig, secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch) -> KeyScope:
    """The scope of the rig's profile, in a real keyring."""
    secret_service.use(monkeypatch)
    return key_scope("default", rig.server.base_url, rig.data_dir)


def _buttons(window: WindowUnderTest) -> list[str]:
    return [one.text() for one in window.page.banner.findChildren(QPushButton) if one.isVisible()]


def _dialog_text(window: WindowUnderTest) -> str:
    return " ".join(label.text() for label in window.dialog.findChildren(QLabel))


@pytest.mark.secret_service
@pytest.mark.parametrize("entry", ["of another server", "of an older version"])
def test_key_of_another_server_is_used_only_after_a_click(
    rig: WindowRig, user: User, scope: KeyScope, entry: str
) -> None:
    if entry == "of another server":
        open_keystore(key_scope("default", VENDOR_SERVER, rig.data_dir)).save(KEY)
    else:
        secret_service_keyring().set_password("usage-viewer", "default", ADMIN_KEY)
    window = rig.start(lambda: open_keystore(scope))
    host = rig.server.base_url.removeprefix("http://").removesuffix("/v1")
    assert rig.server.requests == []
    assert _buttons(window) == [f"&Use this key for {host}"]
    assert VENDOR_SERVER in window.page.banner.accessibleName()
    assert scope.server in window.page.banner.accessibleName()
    user.key(Qt.Key.Key_F5)
    rig.qtbot.wait(300)
    assert rig.server.requests == []
    rig.settle(window, lambda: user.click(user.button(f"Use this key for {host}", window.page.banner)))
    rig.qtbot.waitUntil(lambda: window.page.model.rowCount() > 5)
    assert not window.page.banner.isVisible()
    assert open_keystore(scope).load() == KEY
    rig.close(window)
    assert rig.start(lambda: open_keystore(scope)).error is None


@pytest.mark.secret_service
def test_entry_of_an_older_version_is_moved_without_a_question(rig: WindowRig, scope: KeyScope) -> None:
    secret_service_keyring().set_password("usage-viewer", "default", ADMIN_KEY)
    own = UnboundEntry(scope.server, adopted=True, removed=True)
    window = rig.start(lambda: open_keystore(key_scope("default", scope.server, rig.data_dir, own)))
    assert window.page.model.rowCount() > 5
    assert secret_service_keyring().get_password("usage-viewer", "default") is None
    assert open_keystore(scope).load() == KEY


def test_environment_key_is_never_offered_to_a_server_of_a_file(rig: WindowRig, user: User) -> None:
    environment = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "OPENAI_ADMIN_KEY": ADMIN_KEY}
    scope = key_scope("default", rig.server.base_url, rig.data_dir)
    window = rig.start(lambda: open_keystore(scope, environment, environment_server=VENDOR_SERVER))
    (button,) = _buttons(window)
    assert button.startswith("Enter a &key for 127.0.0.1:")
    assert "OPENAI_ADMIN_KEY" in window.page.banner.accessibleName()
    user.click(user.button(button.replace("&", ""), window.page.banner))
    assert window.key_page.use_text == f"The key is sent to {scope.server} only."
    assert rig.server.requests == []
    user.key(Qt.Key.Key_Escape)
    assert window.page.isVisible()
    assert rig.server.requests == []


@pytest.mark.secret_service
def test_key_is_removed_from_the_keyring_that_has_it(rig: WindowRig, user: User, scope: KeyScope) -> None:
    open_keystore(scope).save(KEY)
    window = rig.start(lambda: open_keystore(scope))
    window.commands.replace_key.trigger()
    assert window.key_page.title == "Change admin key of your organization"
    assert f"replaces {KEY.masked}." in window.key_page.use_text
    user.key(Qt.Key.Key_Escape)
    window.organizations.rename("default", "Acme")
    window.commands.replace_key.trigger()
    assert window.key_page.title == "Change admin key of Acme"
    user.key(Qt.Key.Key_Escape)
    window.commands.forget_key.trigger()
    assert f"Remove the admin key {KEY.masked} of Acme from {KEYRING}?" in _dialog_text(window)
    user.confirm(window.dialog)
    rig.qtbot.waitUntil(window.key_page.isVisible)
    assert window.key_page.title == "Connect Acme"
    assert window.key_page.problem_text == f"The admin key was removed from {KEYRING}."
    assert window.key_page.place_text == f"Admin keys are stored in {KEYRING}."
    assert KEY.masked not in window.key_page.use_text
    assert open_keystore(scope).load() is None


def test_escape_while_a_key_is_checked_stores_no_key(rig: WindowRig, user: User) -> None:
    keys = MemoryKeystore(KEY)
    window = rig.start(lambda: keys)
    before = len(rig.server.requests)
    rig.server.faults = lambda request: Fault(stall=0.5)
    window.commands.replace_key.trigger()
    user.type("sk-admin-another-another-another-another")
    user.key(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(lambda: len(rig.server.requests) > before)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Escape))
    assert window.page.isVisible()
    rig.qtbot.wait(800)
    assert window.page.isVisible()
    assert keys.load() == KEY
    window.commands.replace_key.trigger()
    assert window.key_page.problem_text == ""


def test_demo_leaves_the_key_of_the_user_alone(rig: WindowRig) -> None:
    window = rig.start()
    actions = (window.commands.replace_key, window.commands.forget_key)
    assert all(action.isEnabled() for action in actions)
    rig.settle(window, window.commands.demo.trigger)
    assert not any(action.isEnabled() for action in actions)
    rig.server.faults = lambda request: Fault(status=401)
    rig.settle(window, window.commands.refresh.trigger)
    assert window.error is not None
    assert _buttons(window) == ["Re&try"], "the demo's key can't be entered"
    rig.server.faults = None
    rig.settle(window, window.commands.demo.trigger)
    assert all(action.isEnabled() for action in actions)


def test_other_server_is_named_above_the_table(rig: WindowRig, without_own_server: Callable[[], Keystore]) -> None:
    profile = rig.profile(without_own_server)
    profile.server_note = "The server is https://elsewhere.example, not OpenAI's."
    context = rig.context()
    window = rig.open(dataclasses.replace(context, profile=profile))
    assert profile.server_note in window.page.notes.text
    rig.settle(window, window.commands.demo.trigger)
    assert profile.server_note not in window.page.notes.text


@pytest.fixture
def without_own_server() -> Callable[[], Keystore]:
    """A keystore with the server's key."""
    return lambda: MemoryKeystore(KEY)
