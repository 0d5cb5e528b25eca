"""Where this run keeps the key: in the keyring, in memory, or as the environment has it."""

import os
from collections.abc import Mapping
from typing import Final

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, KeyringError, NoKeyring
from usage_viewer.keystore.memory import FORGOTTEN, MemoryKeystore
from usage_viewer.keystore.os_keyring import TIMEOUT, OsKeyring
from usage_viewer.keystore.protocol import Keystore

ENVIRONMENT_VARIABLE: Final = "OPENAI_ADMIN_KEY"


def key_from_environment(environment: Mapping[str, str]) -> AdminKey | None:
    """The key in `OPENAI_ADMIN_KEY`; None if that is unset or blank. Raises `InputError` if it is no key."""
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
    """The keyring if the system has one, else memory, whose `description` says so plainly.

    With `use_environment` a key in `OPENAI_ADMIN_KEY` goes before both, and the keyring isn't even asked.
    Takes some 0.2 s, at most 5 s: call it in a worker thread. The session bus is always the process's own.
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
        why = f"{error.title} ({error.detail})." if error.detail else f"{error.title}."
        what = error.hint if isinstance(error, NoKeyring) else FORGOTTEN
        return MemoryKeystore(description=f"{why} {what}")
