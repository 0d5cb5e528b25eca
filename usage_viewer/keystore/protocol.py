"""The operations that each store of the key offers."""

from typing import Protocol

from usage_viewer.domain.admin_key import AdminKey


class Keystore(Protocol):
    """Stores the admin key of one profile.

    An operation may wait for the user to answer a prompt: call it in a worker thread.
    """

    @property
    def persistent(self) -> bool:
        """Whether the key is still stored after the program ends."""

    @property
    def description(self) -> str:
        """One or two sentences for the user on where the key is stored."""

    def load(self) -> AdminKey | None:
        """Return the key; None if there is none. Raises KeyringError."""

    def save(self, key: AdminKey) -> None:
        """Store `key` in place of the previous one. Raises KeyringError."""

    def forget(self) -> None:
        """Remove the key; do nothing if there is none. Raises KeyringError."""
