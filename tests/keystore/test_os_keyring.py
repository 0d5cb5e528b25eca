"""Tests OsKeyring with back ends that misbehave: real subclasses of keyring's class, passed in."""

import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable

import pytest
from keyring import errors
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from tests.rigs.keys import key_scope
from tests.rigs.load import slowdown
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringError, KeyringFailed, KeyringLocked, NoKeyring
from usage_viewer.keystore import SERVICE, VENDOR_SERVER, Keystore, OsKeyring
from usage_viewer.keystore.os_keyring import CallFailed, NoResult, call_with_timeout

SECRET = "Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
KEY = AdminKey.parse(f"sk-admin-{SECRET}")


class MemoryKeyring(KeyringBackend):
    """Works correctly; the classes derived from it do not."""

    priority = 0  # above 0, the chainer of other tests in this process would ask these back ends, too

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise errors.PasswordDeleteError("No such password!")


class HangingKeyring(MemoryKeyring):
    """Returns only when the event is set."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.release.wait()
        return KEY.reveal()


class LosingKeyring(MemoryKeyring):
    """Accepts an entry and does not store it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


class GarblingKeyring(MemoryKeyring):
    """Stores a changed text."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:-1])


class UndeletableKeyring(MemoryKeyring):
    """Reports a removed entry as success, but does not remove it."""

    def delete_password(self, service: str, username: str) -> None:
        return None


class RaisingKeyring(MemoryKeyring):
    """Raises the given error from each operation, with the password in its frames and its message."""

    def __init__(self, error: Callable[[str], Exception]) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error("")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error(password)


class WindowsError1783(Exception):
    """Stands for pywintypes.error: a class of its own, with a number."""

    winerror = 1783


class PromptDismissedException(Exception):
    """Has the class name of the Secret Service library's exception."""


def test_entry_has_the_service_profile_server_and_directory() -> None:
    backend, scope = MemoryKeyring(), key_scope("work")
    keystore: Keystore = OsKeyring(scope, backend=backend)
    assert keystore.load() is None
    keystore.save(KEY)
    entry = scope.entry(VENDOR_SERVER)
    assert entry.startswith("work https://api.openai.com ")
    assert backend.entries == {(SERVICE, entry): KEY.reveal(), (SERVICE, scope.server_list): VENDOR_SERVER}
    assert keystore.load() == KEY
    keystore.forget()
    assert backend.entries == {}


def test_insecure_backends_are_rejected() -> None:
    insecure: list[Callable[[], KeyringBackend]] = [fail.Keyring, null.Keyring]
    for backend_class in insecure:
        with pytest.raises(NoKeyring):
            OsKeyring(key_scope("default"), backend=backend_class())


def test_each_operation_has_a_timeout() -> None:
    backend = HangingKeyring()
    keystore = OsKeyring(key_scope("default"), backend=backend, timeout=0.2)
    operations: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(KEY), keystore.forget]
    for operation in operations:
        began = time.monotonic()
        with pytest.raises(KeyringFailed) as caught:
            operation()
        assert 0.2 <= time.monotonic() - began < 2 * slowdown()
        assert caught.value.title == "The keyring did not answer"
        assert "set the environment variable OPENAI_ADMIN_KEY to the key" in caught.value.hint
        assert "within 0.2 s; a password prompt may be waiting behind other windows" in caught.value.hint
    backend.release.set()


def test_hanging_keyring_does_not_block_the_program_exit() -> None:
    program = """
import threading
from keyring.backend import KeyringBackend
from usage_viewer.domain.errors import KeyringFailed
from pathlib import Path
from usage_viewer.keystore import KeyScope, OsKeyring
class Hanging(KeyringBackend):
    priority = 0  # above 0, the chainer of other tests in this process would ask these back ends, too
    def get_password(self, service, username): threading.Event().wait()
    def set_password(self, service, username, password): threading.Event().wait()
try:
    OsKeyring(KeyScope("default", "", Path()), backend=Hanging(), timeout=0.2).load()
except KeyringFailed as error:
    print(error.title)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "The keyring did not answer\n", "")
    assert time.monotonic() - began < 10 * slowdown()


@pytest.mark.parametrize("backend", [LosingKeyring(), GarblingKeyring()], ids=["loses", "garbles"])
def test_save_notices_a_key_that_is_not_stored(backend: KeyringBackend) -> None:
    with pytest.raises(KeyringFailed) as caught:
        OsKeyring(key_scope("default"), backend=backend).save(KEY)
    assert caught.value.title == "The keyring did not keep the key"


def test_forget_notices_a_key_that_is_not_removed() -> None:
    keystore = OsKeyring(key_scope("default"), backend=UndeletableKeyring())
    keystore.save(KEY)
    with pytest.raises(KeyringFailed) as caught:
        keystore.forget()
    assert caught.value.title == "The keyring still has the key"
    assert SERVICE in caught.value.hint


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.KeyringLocked, KeyringLocked),
        (PromptDismissedException, KeyringLocked),
        (lambda text: errors.PasswordSetError("Cancelled by user"), KeyringLocked),
        (errors.NoKeyringError, NoKeyring),
        (errors.PasswordSetError, KeyringFailed),
        (errors.InitError, KeyringFailed),
        (OSError, KeyringFailed),
        (AssertionError, KeyringFailed),
        (WindowsError1783, KeyringFailed),
    ],
)
def test_errors_are_translated_without_any_part_of_the_key(
    error: Callable[[str], Exception], expected: type[KeyringError]
) -> None:
    keystore = OsKeyring(key_scope("default"), backend=RaisingKeyring(error))
    operations: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(KEY), keystore.forget]
    for operation in operations:
        with pytest.raises(expected) as caught:
            operation()
        assert type(caught.value) is expected
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert SECRET[:8] not in shown
        assert SECRET[-8:] not in shown
        assert caught.value.__context__ is None
        if error is WindowsError1783:
            assert "2,560 bytes" in caught.value.hint


def test_invalid_entry_is_not_in_the_traceback() -> None:
    backend, scope = MemoryKeyring(), key_scope("default")
    backend.entries[SERVICE, scope.entry(VENDOR_SERVER)] = f"{SECRET} {SECRET}"
    with pytest.raises(KeyringFailed) as caught:
        OsKeyring(scope, backend=backend).load()
    rendered = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert SECRET[:8] not in "".join(rendered)


def test_import_of_keystore_does_not_import_keyring() -> None:
    program = "import sys, usage_viewer.keystore; print([m for m in sys.modules if m.startswith('keyring')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.stdout == "[]\n"


def test_call_with_timeout_returns_the_result_of_another_thread() -> None:
    assert call_with_timeout(threading.get_ident, 5) != threading.get_ident()
    assert call_with_timeout(lambda: None, 5) is None


def test_call_with_timeout_raises_the_error_without_frames_and_chain() -> None:
    def fails() -> None:
        secret = "secret"
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise OSError("message") from error

    with pytest.raises(CallFailed) as caught:
        call_with_timeout(fails, 5)
    error = caught.value.error
    assert isinstance(error, OSError)
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)
    assert "message" not in str(caught.value)


def test_call_with_timeout_notices_a_thread_without_a_result() -> None:
    def leaves() -> None:
        raise SystemExit

    began = time.monotonic()
    with pytest.raises(NoResult):
        call_with_timeout(leaves, 5)
    assert time.monotonic() - began < 2 * slowdown()


def test_call_with_timeout_drops_a_late_result() -> None:
    release, ended = threading.Event(), threading.Event()

    def hangs() -> str:
        release.wait(20)
        ended.set()
        return "late"

    began = time.monotonic()
    with pytest.raises(NoResult):
        call_with_timeout(hangs, 0.2)
    assert 0.2 <= time.monotonic() - began < 2 * slowdown()
    release.set()
    assert ended.wait(5)
    assert call_with_timeout(lambda: "next", 5) == "next"


def test_hanging_call_does_not_block_the_interpreter_exit() -> None:
    program = """
import threading
from usage_viewer.keystore.os_keyring import NoResult, call_with_timeout
try:
    call_with_timeout(threading.Event().wait, 0.2)
except NoResult:
    print("no result")
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no result\n", "")
    assert time.monotonic() - began < 10 * slowdown()
