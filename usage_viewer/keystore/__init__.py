"""The key's one door: the operating system's keyring, or memory for this session; never a file."""

from usage_viewer.keystore.choice import ENVIRONMENT_VARIABLE, key_from_environment, open_keystore
from usage_viewer.keystore.protocol import Keystore
from usage_viewer.keystore.session import SessionKeystore
from usage_viewer.keystore.system import SERVICE, SystemKeystore

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "SERVICE",
    "Keystore",
    "SessionKeystore",
    "SystemKeystore",
    "key_from_environment",
    "open_keystore",
]
