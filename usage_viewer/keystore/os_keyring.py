"""Stores the key in the operating system's keyring.

Each operation has a time limit, a saved key is read back, and errors carry no stack frames, whose variables could
contain the key.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import (
    InputError,
    KeyForAnotherServer,
    KeyringError,
    KeyringFailed,
    KeyringLocked,
    NoKeyring,
)
from usage_viewer.domain.key_masking import mask_keys, redact
from usage_viewer.keystore.key_scope import KeyScope
from usage_viewer.keystore.os_backends import backend_title, find_backend, is_insecure

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "usage-viewer"
TIMEOUT: Final = 30.0  # seconds: enough to notice a prompt and to type a password
_SEARCH_TIMEOUT = 5.0  # seconds: searching a back end shows no prompt
_MAX_DUPLICATES = 16  # entries of one name to remove at most, so that the loop ends if removing has no effect
_BAD_STUB_DATA = 1783  # the Windows error (RPC_X_BAD_STUB_DATA) for an entry over 2,560 bytes

T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    """A key's text and where it is; `server` is the origin that it was given for."""

    text: str
    server: str
    entry: str

    def __repr__(self) -> str:
        return f"<key in {self.entry}>"


class OsKeyring:
    """Stores the key of one scope in the keyring: service `usage-viewer`, user name = profile, server, directory.

    A further entry lists the servers for which the profile has keys. `backend` replaces the back end that the
    constructor would search for. `timeout` (seconds) limits each operation, including its prompts. Without
    `backend` the constructor imports `keyring` and asks the D-Bus session (0.2 s). It raises NoKeyring if all back
    ends store nothing or store the key in a file, and KeyringFailed if the search takes over 5 s.
    """

    persistent = True

    def __init__(
        self,
        scope: KeyScope,
        *,
        backend: "KeyringBackend | None" = None,
        timeout: float = TIMEOUT,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._scope = scope
        self._timeout = timeout
        if backend is None:
            backend = _call_keyring(lambda: find_backend(environment), min(timeout, _SEARCH_TIMEOUT))
        elif is_insecure(backend):
            raise NoKeyring(f"{backend_title(backend)} stores nothing, or stores the key in a file")
        self._backend = backend

    @property
    def place(self) -> str:
        """The name of the store for the user."""
        return backend_title(self._backend)

    @property
    def description(self) -> str:
        """One sentence for the user on where keys are stored."""
        return f"Admin keys are stored in {self.place}."

    def load(self) -> AdminKey | None:
        """Return the key of the scope; None if there is none.

        An entry of an older version that belongs to the scope is moved. Raises KeyringError. Raises
        KeyForAnotherServer if the keyring has a key of this profile for another server, or one without a server.
        """
        found = _call_keyring(self._find, self._timeout)
        if found is None:
            return None
        if found.server != self._scope.server or found.entry == self._scope.profile:
            raise KeyForAnotherServer(given_for=found.server, server=self._scope.server)
        return _parse(found)

    def save(self, key: AdminKey) -> None:
        """Store `key` in place of the previous one, and read it back. Raises KeyringError."""
        if _call_keyring(lambda: self._save(key.reveal()), self._timeout, key):
            return
        raise KeyringFailed(
            title="The keyring did not keep the key",
            hint="The key could not be read back after saving. Check the system's keyring, then retry.",
        )

    def reuse(self) -> AdminKey | None:
        """Store the key that `load` refused for the scope's server too, and return it. Raises KeyringError.

        Call it only after the user has agreed. The other entry stays, unless it is one of an older version that no
        other data directory can own.
        """
        found = _call_keyring(self._find, self._timeout)
        if found is None:
            return None
        key = _parse(found)
        self.save(key)
        unbound = self._scope.unbound
        if found.entry == self._scope.profile and unbound.removed and not unbound.adopted:
            _call_keyring(lambda: self._remove(found.entry), self._timeout)
        return key

    def forget(self) -> None:
        """Remove the profile's keys for all servers; do nothing if there is none. Raises KeyringError."""
        if _call_keyring(self._forget, self._timeout):
            return
        raise KeyringFailed(
            title="The keyring still has the key",
            hint=f"Remove the entry {SERVICE} in the system's keyring program.",
        )

    def _find(self) -> _Found | None:
        """Return the key for the scope's server, otherwise the one of another server or of an older version."""
        scope = self._scope
        own, unbound = scope.entry(scope.server), scope.unbound
        text = self._read(own)
        if text is None and unbound.adopted and unbound.server == scope.server:
            text = self._adopt()
        if text is not None:
            return _Found(text, scope.server, own)
        for server in reversed(self._servers()):
            text = self._read(scope.entry(server))
            if text is not None:
                return _Found(text, server, scope.entry(server))
        text = self._read(scope.profile)
        return None if text is None else _Found(text, unbound.server, scope.profile)

    def _adopt(self) -> str | None:
        """Move the entry of an older version to the scope's entry; return its text, None if there is none."""
        text = self._read(self._scope.profile)
        if text is not None and _is_key(text):
            self._save(text)
        return text

    def _save(self, text: str) -> bool:
        """Write the scope's entry after its server is listed; return whether it could be read back.

        The list comes first: a key that is not listed would not be found when it is to be removed.
        """
        scope, servers = self._scope, self._servers()
        listed = [*(one for one in servers if one != scope.server), scope.server]
        if servers != listed and not self._write(scope.server_list, " ".join(listed)):
            return False
        if not self._write(scope.entry(scope.server), text):
            return False
        if scope.unbound.adopted and scope.unbound.server == scope.server:
            self._remove(scope.profile)  # replaced by this key
        return True

    def _forget(self) -> bool:
        scope = self._scope
        entries = [scope.entry(server) for server in {*self._servers(), scope.server}]
        if scope.unbound.removed:
            entries.append(scope.profile)
        gone = [self._remove(entry) for entry in entries]
        return all(gone) and self._remove(scope.server_list)

    def _servers(self) -> list[str]:
        return (self._read(self._scope.server_list) or "").split()

    def _read(self, entry: str) -> str | None:
        # Some back ends return an empty text for a removed entry.
        return self._backend.get_password(SERVICE, entry) or None

    def _write(self, entry: str, text: str) -> bool:
        """Write an entry; return whether it could be read back."""
        for _ in range(2):
            self._backend.set_password(SERVICE, entry, text)
            if self._read(entry) == text:
                return True
            self._remove(entry)  # another program's older entry of the same name may be read in place of ours
        return False

    def _remove(self, entry: str) -> bool:
        """Remove all entries of this name; return whether none is left."""
        for _ in range(_MAX_DUPLICATES):
            if self._read(entry) is None:
                return True
            self._backend.delete_password(SERVICE, entry)
        return self._read(entry) is None


def _is_key(text: str) -> bool:
    try:
        AdminKey.parse(text)
    except InputError:
        return False
    return True


def _parse(found: _Found) -> AdminKey:
    """Return the key in an entry. Raises KeyringFailed, without the entry's text."""
    entry = found.entry
    try:
        return AdminKey.parse(found.text)
    except InputError as error:
        problem = error.title
    del found  # as in AdminKey.parse: a traceback with local variables must not contain the text
    raise KeyringFailed(
        f"{problem} (in the keyring's entry {SERVICE}, {entry})",
        title="The keyring's entry is not a key",
        hint="Change the admin key, or remove it.",
    )


def _call_keyring(call: Callable[[], T], timeout: float, key: AdminKey | None = None) -> T:
    """Return the result of `call()`; raise KeyringError if it fails or takes over `timeout` seconds.

    The message of a failure is masked: all texts that look like a key, and `key` itself.
    """
    try:
        return call_with_timeout(call, timeout)
    except NoResult:
        keyring_error: KeyringError = KeyringFailed(
            title="The keyring did not answer",
            hint=f"It did not answer within {timeout:g} s; a password prompt may be waiting behind other "
            "windows. Answer it, then retry. Or set the environment variable OPENAI_ADMIN_KEY to the key.",
        )
    except CallFailed as failure:
        keyring_error = _keyring_error(failure.error, key)
    # Raised outside of the exception handlers, so that the back end's error is not its context.
    raise keyring_error


def _keyring_error(error: Exception, key: AdminKey | None) -> KeyringError:
    from keyring import errors

    if isinstance(error, KeyringError):
        return error
    message = f"{type(error).__name__}: {error}"
    message = mask_keys(message) if key is None else redact(message, key)
    if isinstance(error, errors.KeyringLocked) or _is_dismissal(error):
        return KeyringLocked(
            message, hint="Unlock the system's keyring, or answer its password prompt, then retry."
        )
    if isinstance(error, errors.NoKeyringError):
        return NoKeyring(message)
    if getattr(error, "winerror", None) == _BAD_STUB_DATA:
        return KeyringFailed(message, hint="The Windows Credential Manager stores entries of up to 2,560 bytes.")
    return KeyringFailed(message)


def _is_dismissal(error: Exception) -> bool:
    """Return whether the user closed the prompt: a class of Secret Service, or a message of KWallet."""
    return type(error).__name__ in ("LockedException", "PromptDismissedException") or (
        str(error) == "Cancelled by user"
    )


class NoResult(Exception):
    """The call did not end in time, or its thread ended without a result."""


class CallFailed(Exception):
    """The call raised `error`, stored here without its stack frames: their variables can contain the key."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class _CallResult(Generic[T]):
    """Carries the result or the exception of a call from its thread to the waiting thread.

    As a context manager it stores the exception of its block and sets `done`.
    """

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: list[T] = []  # empty, or the one result
        self.error: Exception | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        # `call_with_timeout` raises the stored exception in the waiting thread. A context manager catches all
        # classes: back ends raise those of D-Bus, GLib and Windows, which can't be listed completely.
        if isinstance(error, Exception):
            self.error = error
        self.done.set()
        return error is not None  # SystemExit and KeyboardInterrupt have no meaning in this thread


def call_with_timeout(call: Callable[[], T], timeout: float) -> T:
    """Call `call()` in a daemon thread and return its result.

    A call that takes over `timeout` seconds is abandoned: its thread does not keep the process from ending, and
    its later result is dropped. Raises NoResult or CallFailed.
    """
    result: _CallResult[T] = _CallResult()

    def run() -> None:
        with result:
            result.value.append(call())

    threading.Thread(target=run, name="keyring", daemon=True).start()
    if not result.done.wait(timeout):
        raise NoResult
    if result.error is not None:
        raise CallFailed(_without_frames(result.error))
    if not result.value:
        raise NoResult
    return result.value[0]


def _without_frames(error: Exception) -> Exception:
    """Remove the traceback and the chained exceptions (with their tracebacks) from `error`, and return it."""
    error.__cause__ = None
    error.__context__ = None
    return error.with_traceback(None)
