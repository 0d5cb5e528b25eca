"""Chooses where this run of the program stores the key: keyring, memory, or environment variable."""

import os
from collections.abc import Mapping

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringError, NoKeyring
from usage_viewer.keystore.given_key import GivenKeyRefusal, GivenKeystore, given_key
from usage_viewer.keystore.key_scope import KeyScope
from usage_viewer.keystore.memory import MEMORY_ONLY, MemoryKeystore
from usage_viewer.keystore.os_keyring import TIMEOUT, OsKeyring
from usage_viewer.keystore.protocol import Keystore


def open_keystore(
    scope: KeyScope,
    environment: Mapping[str, str] = os.environ,
    *,
    environment_server: str = "",
    typed: AdminKey | None = None,
    timeout: float = TIMEOUT,
) -> Keystore:
    """Return the operating system's keyring; a store in memory if there is no keyring.

    The store's `description` then tells the user the reason. `environment_server` is the origin that a key in
    `OPENAI_ADMIN_KEY` is for; "" ignores that key. If it is the scope's server, the key is used in place of both,
    without a call to the keyring; otherwise it is never used. `typed`, the key from standard input, is treated in
    the same way and comes first. `timeout` (seconds) limits each operation. Takes
    about 0.2 s, at most 5 s: call it in a worker thread. The D-Bus session is always that of this process, whatever
    `environment` contains. Raises InputError for an invalid `OPENAI_ADMIN_KEY`.
    """
    given = given_key(environment, typed) if environment_server else None
    if given is None:
        return _open_keyring(scope, environment, timeout)
    if environment_server == scope.server:
        return GivenKeystore(given)
    return GivenKeyRefusal(_open_keyring(scope, environment, timeout), given, environment_server, scope.server)


def _open_keyring(scope: KeyScope, environment: Mapping[str, str], timeout: float) -> Keystore:
    try:
        return OsKeyring(scope, timeout=timeout, environment=environment)
    except KeyringError as error:
        reason = f"{error.title} ({error.detail})." if error.detail else f"{error.title}."
        consequence = error.hint if isinstance(error, NoKeyring) else MEMORY_ONLY
        return MemoryKeystore(description=f"{reason} {consequence}")
