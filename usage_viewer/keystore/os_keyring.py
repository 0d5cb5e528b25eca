"""The key in the operating system's keyring: bounded in time, read back after saving, no frames kept."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from usage_viewer.domain.admin_key import AdminKey, mask_keys, redact
from usage_viewer.domain.errors import InputError, KeyringError, KeyringFailed, KeyringLocked, NoKeyring
from usage_viewer.keystore.bounded import BackendFailure, NoAnswer, bounded
from usage_viewer.keystore.os_backends import is_weak, system_backend, title_of

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "usage-viewer"
TIMEOUT: Final = 30.0  # seconds: time enough to find a prompt and to type a password
_FINDING = 5.0  # seconds: finding a back end never prompts
_DUPLICATES = 16  # entries of the same name removed at most, so that a store that removes nothing ends
_BAD_STUB_DATA = 1783  # what Windows says to an entry over 2,560 bytes

T = TypeVar("T")


class OsKeyring:
    """One profile's key in the keyring: service `usage-viewer`, user name = profile.

    `backend` takes the place of the one found; `timeout` (seconds) bounds each verb, prompts included. Making
    one finds the back end: it imports `keyring` and asks the bus (0.2 s), and raises `NoKeyring` if only such
    are there that keep nothing or keep it in a file, `KeyringFailed` if the search gets no answer.
    """

    lasting = True

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
            backend = _asked(lambda: system_backend(environment), min(timeout, _FINDING))
        elif is_weak(backend):
            raise NoKeyring(f"{title_of(backend)} keeps nothing, or keeps it in a file")
        self._backend = backend

    @property
    def description(self) -> str:
        return f"The key is kept in {title_of(self._backend)}."

    def load(self) -> AdminKey | None:
        text = _asked(self._read, self._timeout)
        if text is None:
            return None
        fault = None
        try:
            return AdminKey.parse(text)
        except InputError as error:
            fault = error.title
        del text  # see AdminKey.parse: nothing that renders local variables may find it
        raise KeyringFailed(
            f"{fault} (in the keyring's entry {SERVICE}, {self._profile})",
            title="The keyring's entry is not a key",
            hint="Change the admin key, or remove it.",
        )

    def save(self, key: AdminKey) -> None:
        if _asked(lambda: self._write(key), self._timeout, key):
            return
        raise KeyringFailed(
            title="The keyring did not keep the key",
            hint="It took the key, but no longer has it. Check the system's keyring and try again.",
        )

    def forget(self) -> None:
        if _asked(self._remove, self._timeout):
            return
        raise KeyringFailed(
            title="The keyring still has the key",
            hint=f"Remove the entry {SERVICE} in the system's keyring program.",
        )

    def _read(self) -> str | None:
        # An empty text is what some stores give for an entry that is gone.
        return self._backend.get_password(SERVICE, self._profile) or None

    def _write(self, key: AdminKey) -> bool:
        """Whether the key is there after it was written."""
        for _ in range(2):
            self._backend.set_password(SERVICE, self._profile, key.reveal())
            if self._read() == key.reveal():
                return True
            self._remove()  # an older entry of the same name, by another program, would be read in its place
        return False

    def _remove(self) -> bool:
        """Whether no entry is left."""
        for _ in range(_DUPLICATES):
            if self._read() is None:
                return True
            self._backend.delete_password(SERVICE, self._profile)
        return self._read() is None


def _asked(call: Callable[[], T], timeout: float, key: AdminKey | None = None) -> T:
    """What the keyring answers; raises `KeyringError`. The key is masked in whatever the keyring says."""
    try:
        return bounded(call, timeout)
    except NoAnswer:
        fault: KeyringError = KeyringFailed(
            title="The keyring did not answer",
            hint=f"It did not answer within {timeout:g} s; a password prompt may be waiting behind other "
            "windows. Answer it, then try again.",
        )
    except BackendFailure as failure:
        fault = _translated(failure.error, key)
    # Raised outside of the handlers: the error from the back end must not hang on it as its context.
    raise fault


def _translated(error: Exception, key: AdminKey | None) -> KeyringError:
    from keyring import errors

    if isinstance(error, KeyringError):
        return error
    said = f"{type(error).__name__}: {error}"
    said = mask_keys(said) if key is None else redact(said, key)
    if isinstance(error, errors.KeyringLocked) or _is_dismissal(error):
        return KeyringLocked(
            said, hint="Unlock the system's keyring, or answer its password prompt, and try again."
        )
    if isinstance(error, errors.NoKeyringError):
        return NoKeyring(said)
    if getattr(error, "winerror", None) == _BAD_STUB_DATA:
        return KeyringFailed(said, hint="The Windows Credential Manager keeps entries of up to 2,560 bytes.")
    return KeyringFailed(said)


def _is_dismissal(error: Exception) -> bool:
    """Whether the user closed the prompt: Secret Service has classes for it, KWallet says it in words."""
    return type(error).__name__ in ("LockedException", "PromptDismissedException") or (
        str(error) == "Cancelled by user"
    )
