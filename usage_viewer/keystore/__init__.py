"""Stores the admin key in the operating system's keyring, or in memory for this run; never in a file."""

from usage_viewer.keystore.memory import MemoryKeystore
from usage_viewer.keystore.open import ENVIRONMENT_VARIABLE, key_from_environment, open_keystore
from usage_viewer.keystore.os_keyring import SERVICE, OsKeyring
from usage_viewer.keystore.protocol import Keystore

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "SERVICE",
    "Keystore",
    "MemoryKeystore",
    "OsKeyring",
    "key_from_environment",
    "open_keystore",
]
