"""Finds the back end of `keyring` that stores secrets in the operating system's own store."""

import configparser
import importlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from usage_viewer.domain.errors import NoKeyring
from usage_viewer.keystore.memory import MEMORY_ONLY

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend


class OsBackend(NamedTuple):
    """A secret store of an operating system, as a class of `keyring`."""

    class_name: str
    title: str  # for the user
    replacement: str = ""  # our class to use in place of `class_name`


_LINUX = (
    OsBackend(
        "keyring.backends.SecretService.Keyring",
        "the desktop's keyring (Secret Service)",
        "usage_viewer.keystore.secret_service.ClosingKeyring",
    ),
    OsBackend("keyring.backends.libsecret.Keyring", "the desktop's keyring (Secret Service)"),
    OsBackend("keyring.backends.kwallet.DBusKeyring", "KWallet"),
)
_BACKENDS: Final[Mapping[str, tuple[OsBackend, ...]]] = {
    "darwin": (OsBackend("keyring.backends.macOS.Keyring", "the macOS Keychain"),),
    "win32": (OsBackend("keyring.backends.Windows.WinVaultKeyring", "the Windows Credential Manager"),),
}
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_INSECURE_MODULES = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")


def find_backend(environment: Mapping[str, str], platform: str = sys.platform) -> "KeyringBackend":
    """Return the back end of the operating system's secret store. Raises NoKeyring if there is none.

    Only the classes listed in this module are imported. Installed plug-ins of `keyring` are not searched: they
    may be insecure, and a packaged program has no list of them. A back end chosen in keyring's own configuration
    is used if it is in the list. Imports `keyring` and asks the D-Bus session: takes about 0.2 s, and may hang.
    """
    backends = _BACKENDS.get(platform, _LINUX)
    configured = _configured_class(environment)
    if configured and configured != _CHAINER:
        backends = tuple(backend for backend in backends if backend.class_name == configured)
        if not backends:
            raise NoKeyring(
                f"keyring is configured to use {configured}, which is not a store of the operating system",
                hint=f"{MEMORY_ONLY} To store it, change PYTHON_KEYRING_BACKEND or keyringrc.cfg.",
            )
    classes = [
        viable
        for backend in backends
        if (viable := _viable_class(backend.replacement or backend.class_name)) is not None
    ]
    if not classes:
        raise NoKeyring(_reason(environment, platform), hint=_hint(platform))
    best: KeyringBackend = max(classes, key=lambda viable: viable.priority)()
    return best


def backend_title(backend: "KeyringBackend") -> str:
    """Return the name of the store for the user, such as "the macOS Keychain"."""
    kind = type(backend)
    name = f"{kind.__module__}.{kind.__qualname__}"
    known = (*_LINUX, *(entry for entries in _BACKENDS.values() for entry in entries))
    titles = (entry.title for entry in known if name in (entry.class_name, entry.replacement))
    return next(titles, f"the keyring {kind.__qualname__}")


def is_insecure(backend: "KeyringBackend") -> bool:
    """Return whether a back end stores nothing, stores secrets in a file, or is a chain of only such ones."""
    kind = type(backend)
    if kind.__module__.startswith(_INSECURE_MODULES) or "plaintext" in kind.__qualname__.lower():
        return True
    if f"{kind.__module__}.{kind.__qualname__}" == _CHAINER:
        return all(is_insecure(link) for link in getattr(backend, "backends", ()))
    return False


def _viable_class(name: str) -> "type[KeyringBackend] | None":
    module, _, attribute = name.rpartition(".")
    try:
        backend_class: type[KeyringBackend] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):  # a package that the back end needs is not installed
        return None
    return backend_class if backend_class.viable else None


def _configured_class(environment: Mapping[str, str]) -> str:
    """Return the class name in keyring's own configuration; "" if there is none.

    The file is only parsed: its `keyring-path` is not added to the module search path.
    """
    class_name = environment.get("PYTHON_KEYRING_BACKEND", "").strip()
    if class_name:
        return class_name
    from keyring.util import platform_

    parser = configparser.RawConfigParser()
    try:
        parser.read(platform_.config_root() / "keyringrc.cfg", encoding="utf-8")
    except (OSError, UnicodeDecodeError, configparser.Error):
        return ""
    return parser.get("backend", "default-keyring", fallback="").strip()


def _reason(environment: Mapping[str, str], platform: str) -> str:
    if platform in _BACKENDS:
        return "the system's own store is not available to this program"
    if not environment.get("DBUS_SESSION_BUS_ADDRESS"):
        return "this session has no D-Bus"
    return "this session has no running Secret Service"


def _hint(platform: str) -> str:
    if platform in _BACKENDS:
        return MEMORY_ONLY
    return f"{MEMORY_ONLY} To store it, install gnome-keyring (on KDE: kwalletmanager) and log in again."
