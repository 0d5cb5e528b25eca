"""The operations that each store of the key offers."""

from typing import Protocol

from usage_viewer.domain.admin_key import AdminKey


class Keystore(Protocol):
    """Stores the admin key of one profile for one server.

    An operation may wait for the user to answer a prompt: call it in a worker thread.
    """

    @property
    def persistent(self) -> bool:
        """Whether the key is still stored after the program ends."""

    @property
    def place(self) -> str:
        """The name of the store for the user, such as "the macOS Keychain"."""

    @property
    def description(self) -> str:
        """One or two sentences for the user on where a key is stored."""

    def load(self) -> AdminKey | None:
        """Return the key; None if there is none. Raises KeyringError, KeyForAnotherServer."""

    def save(self, key: AdminKey) -> None:
        """Store `key` in place of the previous one. Raises KeyringError."""

    def reuse(self) -> AdminKey | None:
        """Store a key that `load` refused with KeyForAnotherServer, and return it. Raises KeyringError."""

    def forget(self) -> None:
        """Remove the key; do nothing if there is none. Raises KeyringError."""
