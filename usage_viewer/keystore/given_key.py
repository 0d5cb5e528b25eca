"""Offers the key in `OPENAI_ADMIN_KEY` or from standard input to this run, and guards it from other servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, KeyForAnotherServer
from usage_viewer.keystore.memory import MEMORY_ONLY, MemoryKeystore
from usage_viewer.keystore.protocol import Keystore

ENVIRONMENT_VARIABLE: Final = "OPENAI_ADMIN_KEY"


def key_from_environment(environment: Mapping[str, str]) -> AdminKey | None:
    """Return the key in `OPENAI_ADMIN_KEY`; None if the variable is unset or blank.

    Raises InputError if its text can't be a key.
    """
    if not environment.get(ENVIRONMENT_VARIABLE, "").strip():
        return None
    try:
        return AdminKey.parse(environment[ENVIRONMENT_VARIABLE])
    except InputError as error:
        error.hint = f"{error.hint} The text is in the environment variable {ENVIRONMENT_VARIABLE}."
        raise


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key, and where it was given, in words for the user."""

    key: AdminKey
    place: str


def given_key(environment: Mapping[str, str], typed: AdminKey | None = None) -> GivenKey | None:
    """Return the key from standard input, or else that in `OPENAI_ADMIN_KEY`; None if neither is given.

    Raises InputError if the variable's text can't be a key.
    """
    if typed is not None:
        return GivenKey(typed, "standard input")
    key = key_from_environment(environment)
    return None if key is None else GivenKey(key, f"the environment variable {ENVIRONMENT_VARIABLE}")


class GivenKeystore(MemoryKeystore):
    """Offers a given key until the program ends; another key replaces it in memory only."""

    def __init__(self, given: GivenKey) -> None:
        super().__init__(given.key)
        self._given = given.key
        self.place = given.place

    @property
    def description(self) -> str:
        """One or two sentences for the user on where a key is stored."""
        if self._key is self._given:
            return f"The key comes from {self.place}."
        return f"{MEMORY_ONLY} The next start uses the key in {self.place} again."


class GivenKeyRefusal:
    """Keeps a given key from a server that only a file names; all else is done by `keystore`.

    A key that `keystore` has for that server is used.
    """

    def __init__(self, keystore: Keystore, given: GivenKey, given_for: str, server: str) -> None:
        self._keystore, self._given_for, self._server = keystore, given_for, server
        self._from = given.place.removeprefix("the environment variable ")

    @property
    def persistent(self) -> bool:
        """Whether a saved key is still stored after the program ends."""
        return self._keystore.persistent

    @property
    def place(self) -> str:
        """The name of the store for the user."""
        return self._keystore.place

    @property
    def description(self) -> str:
        """Sentences for the user on where a key is stored."""
        return f"{self._keystore.description} The key in {self._from} is for {self._given_for} and not used here."

    def load(self) -> AdminKey | None:
        """Return the keystore's key. Raises KeyringError; raises KeyForAnotherServer if it has none."""
        key = self._keystore.load()
        if key is not None:
            return key
        title = f"The admin key in {self._from} is for another server"
        raise KeyForAnotherServer(given_for=self._given_for, server=self._server, title=title, reusable=False)

    def save(self, key: AdminKey) -> None:
        """Store `key` in the keystore. Raises KeyringError."""
        self._keystore.save(key)

    def reuse(self) -> AdminKey | None:
        """Store the keystore's key of another server for this one too. Raises KeyringError."""
        return self._keystore.reuse()

    def forget(self) -> None:
        """Remove the keystore's key. Raises KeyringError."""
        self._keystore.forget()
