"""The key in memory, for as long as the program runs."""

from typing import Final

from usage_viewer.domain.admin_key import AdminKey

FORGOTTEN: Final = "The key is kept in memory only and forgotten when the program ends."


class MemoryKeystore:
    """Keeps the key in memory only. `description` says, for the user, why and what follows from it."""

    lasting = False

    def __init__(
        self,
        key: AdminKey | None = None,
        *,
        description: str = FORGOTTEN,
    ) -> None:
        self._key = key
        self._description = description

    @property
    def description(self) -> str:
        return self._description

    def load(self) -> AdminKey | None:
        return self._key

    def save(self, key: AdminKey) -> None:
        self._key = key

    def forget(self) -> None:
        self._key = None
