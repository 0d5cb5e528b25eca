"""Keyring's Secret Service back end, with its connection closed also when the keyring is locked or gone."""

from contextlib import ExitStack, closing

import secretstorage
from keyring.backends import SecretService
from keyring.errors import InitError, KeyringLocked


class ClosingKeyring(SecretService.Keyring):
    """The original leaves the socket to the garbage collector whenever it raises before its `closing`."""

    def get_preferred_collection(self) -> secretstorage.Collection:
        """The default collection, unlocked; who calls closes its connection. May wait for a prompt.

        Raises `keyring.errors.KeyringLocked` when the prompt is dismissed or can't be shown, `InitError`.
        """
        with ExitStack() as on_error:
            try:
                bus = on_error.enter_context(closing(secretstorage.dbus_init()))
                collection = secretstorage.get_default_collection(bus)
            except secretstorage.exceptions.PromptDismissedException:
                raise KeyringLocked("the prompt for a new keyring was dismissed") from None
            except secretstorage.exceptions.SecretStorageException as error:
                raise InitError(f"no default keyring: {error}") from error
            if collection.is_locked() and (collection.unlock() or collection.is_locked()):
                raise KeyringLocked("the password prompt was dismissed, or there is no display for it")
            on_error.pop_all()
        return collection
