"""Chooses where this run of the program stores the key: keyring, memory, or environment variable."""

import os
from collections.abc import Mapping
from typing import Final

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, KeyringError, NoKeyring
from usage_viewer.keystore.memory import MEMORY_ONLY, MemoryKeystore
from usage_viewer.keystore.os_keyring import TIMEOUT, OsKeyring
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


def open_keystore(
    profile: str,
    environment: Mapping[str, str] = os.environ,
    *,
    use_environment: bool = False,
    timeout: float = TIMEOUT,
) -> Keystore:
    """Return the operating system's keyring; a store in memory if there is no keyring.

    The store's `description` then tells the user the reason. With `use_environment`, a key in `OPENAI_ADMIN_KEY`
    is used in place of both, without a call to the keyring. `timeout` (seconds) limits each operation. Takes about
    0.2 s, at most 5 s: call it in a worker thread. The D-Bus session is always that of this process, whatever
    `environment` contains. Raises InputError for an invalid `OPENAI_ADMIN_KEY`.
    """
    if use_environment:
        key = key_from_environment(environment)
        if key is not None:
            return MemoryKeystore(
                key, description=f"The key comes from the environment variable {ENVIRONMENT_VARIABLE}."
            )
    try:
        return OsKeyring(profile, timeout=timeout, environment=environment)
    except KeyringError as error:
        reason = f"{error.title} ({error.detail})." if error.detail else f"{error.title}."
        consequence = error.hint if isinstance(error, NoKeyring) else MEMORY_ONLY
        return MemoryKeystore(description=f"{reason} {consequence}")
