"""Stores the key in memory until the program ends."""

from typing import Final

from usage_viewer.domain.admin_key import AdminKey

MEMORY_ONLY: Final = "A key that you enter is stored in memory only and lost when the program ends."


class MemoryKeystore:
    """Stores the key in memory only. `description` tells the user why, and that the key will be lost."""

    persistent = False
    place = "memory"

    def __init__(
        self,
        key: AdminKey | None = None,
        *,
        description: str = MEMORY_ONLY,
    ) -> None:
        self._key = key
        self._description = description

    @property
    def description(self) -> str:
        """One or two sentences for the user on where a key is stored."""
        return self._description

    def load(self) -> AdminKey | None:
        """Return the key; None if there is none."""
        return self._key

    def save(self, key: AdminKey) -> None:
        """Store `key` in place of the previous one."""
        self._key = key

    def reuse(self) -> AdminKey | None:
        """Return the key; it has no other server."""
        return self._key

    def forget(self) -> None:
        """Remove the key; do nothing if there is none."""
        self._key = None
