"""Stores the admin key in the operating system's keyring, or in memory for this run; never in a file."""

from usage_viewer.keystore.given_key import ENVIRONMENT_VARIABLE, key_from_environment
from usage_viewer.keystore.key_scope import VENDOR_SERVER, KeyScope, UnboundEntry
from usage_viewer.keystore.memory import MemoryKeystore
from usage_viewer.keystore.open import open_keystore
from usage_viewer.keystore.os_keyring import SERVICE, OsKeyring
from usage_viewer.keystore.protocol import Keystore

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "SERVICE",
    "VENDOR_SERVER",
    "KeyScope",
    "Keystore",
    "MemoryKeystore",
    "OsKeyring",
    "UnboundEntry",
    "key_from_environment",
    "open_keystore",
]
