"""A Secret Service back end for `keyring` that also closes its D-Bus connection after an error, and tries twice."""

from contextlib import ExitStack, closing

import secretstorage
from keyring.backends import SecretService
from keyring.errors import InitError, KeyringLocked


class ClosingKeyring(SecretService.Keyring):
    """Closes the connection if opening the collection fails, and tries again if the service ended meanwhile.

    The original class closes it only after success; after an error its socket stays open until it is collected as
    garbage. gnome-keyring can abort at the first request of a connection; the bus starts it again when it is asked.
    """

    def get_preferred_collection(self) -> secretstorage.Collection:
        """Return the default collection, unlocked. May wait for a prompt.

        The caller closes the collection's connection. Raises keyring.errors.KeyringLocked if the user dismisses
        the prompt or it can't be shown, and keyring.errors.InitError if there is no default collection.
        """
        try:
            return self._opened_collection()
        except secretstorage.exceptions.SecretServiceNotAvailableException:
            pass
        try:
            return self._opened_collection()
        except secretstorage.exceptions.SecretServiceNotAvailableException as error:
            raise InitError(f"no default keyring: {error}") from error

    def _opened_collection(self) -> secretstorage.Collection:
        with ExitStack() as on_error:
            try:
                bus = on_error.enter_context(closing(secretstorage.dbus_init()))
                collection = secretstorage.get_default_collection(bus)
            except secretstorage.exceptions.SecretServiceNotAvailableException:
                raise
            except secretstorage.exceptions.PromptDismissedException:
                raise KeyringLocked("the prompt for a new keyring was dismissed") from None
            except secretstorage.exceptions.SecretStorageException as error:
                raise InitError(f"no default keyring: {error}") from error
            if collection.is_locked() and (collection.unlock() or collection.is_locked()):
                raise KeyringLocked("the password prompt was dismissed, or there is no display for it")
            on_error.pop_all()
        return collection
