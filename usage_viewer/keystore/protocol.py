"""What every place that keeps the key can do."""

from typing import Protocol

from usage_viewer.domain.admin_key import AdminKey


class Keystore(Protocol):
    """Keeps one profile's key. Its verbs may wait for the user (a prompt): call them in a worker thread."""

    @property
    def lasting(self) -> bool:
        """False: the key is forgotten when the program ends."""

    @property
    def description(self) -> str:
        """One or two plain sentences, for the user, on where the key is kept."""

    def load(self) -> AdminKey | None:
        """The key, or None if there is none. Raises `KeyringError`."""

    def save(self, key: AdminKey) -> None:
        """Keeps `key` in place of the one before. Raises `KeyringError`."""

    def forget(self) -> None:
        """Removes the key; nothing happens if there is none. Raises `KeyringError`."""
