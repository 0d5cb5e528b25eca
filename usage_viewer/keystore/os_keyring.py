"""Stores the key in the operating system's keyring.

Each operation has a time limit, a saved key is read back, and errors carry no stack frames, whose variables could
contain the key.
"""

import os
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from usage_viewer.domain.admin_key import AdminKey, mask_keys, redact
from usage_viewer.domain.errors import InputError, KeyringError, KeyringFailed, KeyringLocked, NoKeyring
from usage_viewer.keystore.os_backends import backend_title, find_backend, is_insecure

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "usage-viewer"
TIMEOUT: Final = 30.0  # seconds: enough to notice a prompt and to type a password
_SEARCH_TIMEOUT = 5.0  # seconds: searching a back end shows no prompt
_MAX_DUPLICATES = 16  # entries of one name to remove at most, so that the loop ends if removing has no effect
_BAD_STUB_DATA = 1783  # the Windows error (RPC_X_BAD_STUB_DATA) for an entry over 2,560 bytes

T = TypeVar("T")


class OsKeyring:
    """Stores the key of one profile in the keyring: service `usage-viewer`, user name = profile.

    `backend` replaces the back end that the constructor would search for. `timeout` (seconds) limits each
    operation, including its prompts. Without `backend` the constructor imports `keyring` and asks the D-Bus
    session (0.2 s). It raises NoKeyring if all back ends store nothing or store the key in a file, and
    KeyringFailed if the search takes over 5 s.
    """

    persistent = True

    def __init__(
        self,
        profile: str,
        *,
        backend: "KeyringBackend | None" = None,
        timeout: float = TIMEOUT,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._profile = profile
        self._timeout = timeout
        if backend is None:
            backend = _call_keyring(lambda: find_backend(environment), min(timeout, _SEARCH_TIMEOUT))
        elif is_insecure(backend):
            raise NoKeyring(f"{backend_title(backend)} stores nothing, or stores the key in a file")
        self._backend = backend

    @property
    def description(self) -> str:
        """One sentence for the user on where the key is stored."""
        return f"The key is stored in {backend_title(self._backend)}."

    def load(self) -> AdminKey | None:
        """Return the key; None if there is none. Raises KeyringError."""
        text = _call_keyring(self._read, self._timeout)
        if text is None:
            return None
        problem = None
        try:
            return AdminKey.parse(text)
        except InputError as error:
            problem = error.title
        del text  # as in AdminKey.parse: a traceback with local variables must not contain it
        raise KeyringFailed(
            f"{problem} (in the keyring's entry {SERVICE}, {self._profile})",
            title="The keyring's entry is not a key",
            hint="Change the admin key, or remove it.",
        )

    def save(self, key: AdminKey) -> None:
        """Store `key` in place of the previous one, and read it back. Raises KeyringError."""
        if _call_keyring(lambda: self._write(key), self._timeout, key):
            return
        raise KeyringFailed(
            title="The keyring did not keep the key",
            hint="The key could not be read back after saving. Check the system's keyring, then retry.",
        )

    def forget(self) -> None:
        """Remove the key; do nothing if there is none. Raises KeyringError."""
        if _call_keyring(self._remove, self._timeout):
            return
        raise KeyringFailed(
            title="The keyring still has the key",
            hint=f"Remove the entry {SERVICE} in the system's keyring program.",
        )

    def _read(self) -> str | None:
        # Some back ends return an empty text for a removed entry.
        return self._backend.get_password(SERVICE, self._profile) or None

    def _write(self, key: AdminKey) -> bool:
        """Write the key; return whether it could be read back."""
        for _ in range(2):
            self._backend.set_password(SERVICE, self._profile, key.reveal())
            if self._read() == key.reveal():
                return True
            self._remove()  # another program's older entry of the same name may be read in place of ours
        return False

    def _remove(self) -> bool:
        """Remove all entries of this profile; return whether none is left."""
        for _ in range(_MAX_DUPLICATES):
            if self._read() is None:
                return True
            self._backend.delete_password(SERVICE, self._profile)
        return self._read() is None


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
            "windows. Answer it, then retry.",
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
