"""The keystore over back ends that misbehave: real subclasses of keyring's own class, passed in."""

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

from tests.rigs.load import slowdown
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringError, KeyringFailed, KeyringLocked, NoKeyring
from usage_viewer.keystore import SERVICE, Keystore, OsKeyring

SECRET = "Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
KEY = AdminKey.parse(f"sk-admin-{SECRET}")


class MemoryKeyring(KeyringBackend):
    """Behaves; what is built on it does not."""

    priority = 1

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
    """Answers when the event is set: never."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answers.wait()
        return KEY.reveal()


class LosingKeyring(MemoryKeyring):
    """Takes the entry and doesn't keep it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


class GarblingKeyring(MemoryKeyring):
    """Keeps another text than it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:-1])


class ClingingKeyring(MemoryKeyring):
    """Says that it removed the entry, and has it still."""

    def delete_password(self, service: str, username: str) -> None:
        return None


class RaisingKeyring(MemoryKeyring):
    """Raises the given error from every verb, with the password in its frames and in its text."""

    def __init__(self, error: Callable[[str], Exception]) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error("")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error(password)


class WindowsError1783(Exception):
    """As pywintypes.error comes: a class of its own, with a number."""

    winerror = 1783


class PromptDismissedException(Exception):
    """By the name that Secret Service's library gives it."""


def test_a_keyring_that_behaves_is_used_under_the_profiles_name() -> None:
    backend = MemoryKeyring()
    keystore: Keystore = OsKeyring("work", backend=backend)
    assert keystore.load() is None
    keystore.save(KEY)
    assert backend.entries == {(SERVICE, "work"): KEY.reveal()}
    assert keystore.load() == KEY
    keystore.forget()
    assert backend.entries == {}


def test_weak_back_ends_are_refused() -> None:
    weak: list[Callable[[], KeyringBackend]] = [fail.Keyring, null.Keyring]
    for made in weak:
        with pytest.raises(NoKeyring):
            OsKeyring("default", backend=made())


def test_a_hanging_keyring_is_given_up_for_each_verb() -> None:
    backend = HangingKeyring()
    keystore = OsKeyring("default", backend=backend, timeout=0.2)
    verbs: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(KEY), keystore.forget]
    for verb in verbs:
        began = time.monotonic()
        with pytest.raises(KeyringFailed) as caught:
            verb()
        assert 0.2 <= time.monotonic() - began < 2 * slowdown()
        assert caught.value.title == "The keyring did not answer"
        assert "within 0.2 s; a password prompt may be waiting behind other windows" in caught.value.hint
    backend.answers.set()


def test_a_hanging_keyring_does_not_keep_the_program() -> None:
    program = """
import threading
from keyring.backend import KeyringBackend
from usage_viewer.domain.errors import KeyringFailed
from usage_viewer.keystore import OsKeyring
class Hanging(KeyringBackend):
    priority = 1
    def get_password(self, service, username): threading.Event().wait()
    def set_password(self, service, username, password): threading.Event().wait()
try:
    OsKeyring("default", backend=Hanging(), timeout=0.2).load()
except KeyringFailed as error:
    print(error.title)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "The keyring did not answer\n", "")
    assert time.monotonic() - began < 10 * slowdown()


@pytest.mark.parametrize("backend", [LosingKeyring(), GarblingKeyring()], ids=["loses", "garbles"])
def test_a_keyring_that_does_not_keep_the_key_is_noticed(backend: KeyringBackend) -> None:
    with pytest.raises(KeyringFailed) as caught:
        OsKeyring("default", backend=backend).save(KEY)
    assert caught.value.title == "The keyring did not keep the key"


def test_a_keyring_that_does_not_forget_is_noticed() -> None:
    keystore = OsKeyring("default", backend=ClingingKeyring())
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
def test_each_error_is_translated_and_holds_no_part_of_the_key(
    error: Callable[[str], Exception], expected: type[KeyringError]
) -> None:
    keystore = OsKeyring("default", backend=RaisingKeyring(error))
    verbs: list[Callable[[], object]] = [keystore.load, lambda: keystore.save(KEY), keystore.forget]
    for verb in verbs:
        with pytest.raises(expected) as caught:
            verb()
        assert type(caught.value) is expected
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert SECRET[:8] not in shown
        assert SECRET[-8:] not in shown
        assert caught.value.__context__ is None
        if error is WindowsError1783:
            assert "2,560 bytes" in caught.value.hint


def test_an_entry_that_is_no_key_is_not_shown_by_a_traceback() -> None:
    backend = MemoryKeyring()
    backend.entries[SERVICE, "default"] = f"{SECRET} {SECRET}"
    with pytest.raises(KeyringFailed) as caught:
        OsKeyring("default", backend=backend).load()
    rendered = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert SECRET[:8] not in "".join(rendered)


def test_importing_the_keystore_does_not_import_keyring() -> None:
    program = "import sys, usage_viewer.keystore; print([m for m in sys.modules if m.startswith('keyring')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.stdout == "[]\n"
