"""Tests OsKeyring with a real Secret Service: gnome-keyring-daemon in a private D-Bus session."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.keys import key_scope
from tests.rigs.load import slowdown
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringError, KeyringFailed, KeyringLocked, NoKeyring
from usage_viewer.keystore import SERVICE, VENDOR_SERVER, OsKeyring, open_keystore

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService

pytestmark = pytest.mark.secret_service

FIRST = AdminKey.parse("sk-admin-first-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc")
ENTRY = key_scope().entry(VENDOR_SERVER)
SECOND = AdminKey.parse("sk-admin-second-Hd3GfB6yTcZq7mW2xV9tLr4KpN8s")


@pytest.fixture
def session(secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch) -> "SecretService":
    """A private Secret Service that this process uses."""
    secret_service.use(monkeypatch)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    return secret_service


def secret_tool(*arguments: str, environment: dict[str, str], given: str | None = None) -> str:
    if shutil.which("secret-tool") is None:
        pytest.skip("needs the package libsecret-tools")
    done = subprocess.run(
        ["secret-tool", *arguments], env=environment, input=given, capture_output=True, text=True, timeout=20
    )
    return done.stdout


@pytest.mark.usefixtures("session")
def test_save_load_replace_forget() -> None:
    keystore = OsKeyring(key_scope("default"))
    assert keystore.persistent
    assert keystore.description == "Admin keys are stored in the desktop's keyring (Secret Service)."
    assert keystore.load() is None
    keystore.save(FIRST)
    assert keystore.load() == FIRST
    assert OsKeyring(key_scope("default")).load() == FIRST
    keystore.save(SECOND)
    assert OsKeyring(key_scope("default")).load() == SECOND
    keystore.forget()
    assert keystore.load() is None
    keystore.forget()


@pytest.mark.usefixtures("session")
def test_profiles_have_separate_entries() -> None:
    default, other = OsKeyring(key_scope("default")), OsKeyring(key_scope("Acme & Söhne"))
    default.save(FIRST)
    assert other.load() is None
    other.save(SECOND)
    assert default.load() == FIRST
    default.forget()
    assert default.load() is None
    assert other.load() == SECOND


def test_another_program_reads_the_entry_until_it_is_removed(session: "SecretService") -> None:
    lookup = ("lookup", "service", SERVICE, "username", ENTRY)
    keystore = OsKeyring(key_scope("default"))
    keystore.save(FIRST)
    assert secret_tool(*lookup, environment=session.environment) == FIRST.reveal()
    keystore.save(SECOND)
    assert secret_tool(*lookup, environment=session.environment) == SECOND.reveal()
    keystore.forget()
    assert secret_tool(*lookup, environment=session.environment) == ""


def test_entry_of_another_program_is_read_and_replaced(session: "SecretService") -> None:
    store = ("store", "--label=key", "service", SERVICE, "username", ENTRY)
    secret_tool(*store, environment=session.environment, given=FIRST.reveal())
    keystore = OsKeyring(key_scope("default"))
    assert keystore.load() == FIRST
    keystore.save(SECOND)
    assert keystore.load() == SECOND


def test_forget_removes_all_entries_of_the_same_name(session: "SecretService") -> None:
    keystore = OsKeyring(key_scope("default"))
    keystore.save(FIRST)
    name = ("service", SERVICE, "username", ENTRY)
    more = ("store", "--label=key", *name, "origin", "elsewhere")  # an additional attribute makes a second entry
    secret_tool(*more, environment=session.environment, given=SECOND.reveal())
    keystore.forget()
    assert keystore.load() is None
    assert secret_tool("lookup", *name, environment=session.environment) == ""


def test_invalid_entry_is_reported_without_its_text(session: "SecretService") -> None:
    store = ("store", "--label=key", "service", SERVICE, "username", ENTRY)
    secret_tool(*store, environment=session.environment, given="two words")
    with pytest.raises(KeyringFailed) as caught:
        OsKeyring(key_scope("default")).load()
    assert caught.value.title == "The keyring's entry is not a key"
    assert "two words" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__context__ is None


def test_key_is_not_in_any_file(session: "SecretService") -> None:
    OsKeyring(key_scope("default")).save(FIRST)
    files = [path for path in Path(session.environment["HOME"]).parent.rglob("*") if path.is_file()]
    assert any(path.suffix == ".keyring" for path in files)
    for path in files:
        assert FIRST.reveal()[9:17].encode() not in path.read_bytes()


def test_locked_keyring_without_a_display_is_reported_at_once(session: "SecretService") -> None:
    keystore = OsKeyring(key_scope("default"))
    keystore.save(FIRST)
    session.lock()
    operations: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(SECOND), keystore.forget]
    for operation in operations:
        began = time.monotonic()
        with pytest.raises(KeyringLocked) as caught:
            operation()
        assert time.monotonic() - began < 5 * slowdown()
        assert "Unlock" in caught.value.hint
    assert open_keystore(key_scope("default"), os.environ).persistent, "a locked keyring is a keyring"


def test_session_without_dbus_has_no_keyring(session: "SecretService", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    with pytest.raises(NoKeyring) as caught:
        OsKeyring(key_scope("default"))
    assert caught.value.detail == "this session has no D-Bus"
    keystore = open_keystore(key_scope("default"), os.environ)
    assert not keystore.persistent
    assert "lost when the program ends" in keystore.description
    assert "gnome-keyring" in keystore.description
    keystore.save(FIRST)
    assert keystore.load() == FIRST


def test_dbus_without_secret_service_has_no_keyring(session: "SecretService") -> None:
    session.stop_service()
    with pytest.raises(NoKeyring) as caught:
        OsKeyring(key_scope("default"))
    assert caught.value.detail == "this session has no running Secret Service"
    assert not open_keystore(key_scope("default"), os.environ).persistent


@pytest.mark.parametrize("stop", ["service", "bus"])
def test_service_that_stops_is_a_typed_error(session: "SecretService", stop: str) -> None:
    keystore = OsKeyring(key_scope("default"))
    keystore.save(FIRST)
    if stop == "service":
        session.stop_service()
    else:
        session.close()
    operations: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(SECOND), keystore.forget]
    for operation in operations:
        began = time.monotonic()
        with pytest.raises(KeyringError) as caught:
            operation()
        assert time.monotonic() - began < 5 * slowdown()
        assert caught.value.title
        assert SECOND.reveal()[9:] not in str(caught.value)
        assert caught.value.__context__ is None


def test_service_that_crashes_while_it_is_asked_is_asked_again(session: "SecretService") -> None:
    keystore = OsKeyring(key_scope("default"))
    keystore.save(FIRST)
    session.pause()
    with ThreadPoolExecutor(1) as worker:
        loaded = worker.submit(keystore.load)
        with pytest.raises(TimeoutError):
            loaded.result(0.3 * slowdown())  # the request waits at the paused service
        session.crash()
        assert loaded.result() == FIRST


def test_service_that_hangs_is_a_timeout(session: "SecretService", monkeypatch: pytest.MonkeyPatch) -> None:
    keystore = OsKeyring(key_scope("default"), timeout=0.3)
    keystore.save(FIRST)
    session.pause()
    began = time.monotonic()
    with pytest.raises(KeyringFailed, match="did not answer"):
        keystore.load()
    assert time.monotonic() - began < 2 * slowdown()
    session.resume()
    assert keystore.load() == FIRST


@pytest.mark.display
def test_dismissed_prompt_is_reported(
    start_secret_service: "Callable[[str | None], SecretService]",
    display: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = start_secret_service(display)
    service.use(monkeypatch)
    OsKeyring(key_scope("default")).save(FIRST)
    service.lock()
    with pytest.raises(KeyringFailed) as caught:
        OsKeyring(key_scope("default"), timeout=1).load()
    assert caught.value.title == "The keyring did not answer"
    assert "within 1 s" in caught.value.hint
    assert "prompt" in caught.value.hint
    keystore = OsKeyring(key_scope("default"), timeout=20)
    operations: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(SECOND), keystore.forget]
    with ThreadPoolExecutor(1) as worker:
        for operation in operations:
            future = worker.submit(operation)
            dismissed = 0
            while not future.done():  # the first prompt waits behind that of the abandoned call
                dismissed += service.dismiss_prompt()
                time.sleep(0.1)
            assert dismissed, "each operation asks the user"
            assert isinstance(future.exception(), KeyringLocked)
